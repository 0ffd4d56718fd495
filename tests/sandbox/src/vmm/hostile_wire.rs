//! How hostile answers are written to a connection. What never ends, ends when the client has left.

use std::io::{self, Read, Write};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::hostile::Hostile;
use super::http::Reply;

/// Between two bytes of an answer that comes slowly.
const DRIP: Duration = Duration::from_millis(20);
/// Before a page of a list that comes slowly.
const PAGE: Duration = Duration::from_millis(200);
const GIBIBYTE: usize = 1 << 30;
static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
static BLANKS: [u8; 64 << 10] = [b' '; 64 << 10];
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// A hostile answer: its kind and what is in it.
#[derive(Debug)]
pub(super) struct Attack {
    pub kind: Hostile,
    pub reply: Reply,
}

impl Attack {
    /// Writes the answer; the connection is of no use afterwards.
    pub(super) fn send(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        match self.kind {
            Hostile::Silent => return stream.read(&mut [0; 1]).map(drop),
            Hostile::SlowHead => drip(stream, HEAD, b"X-Slow: 1\r\n"),
            Hostile::EndlessHead => pour(stream, HEAD, b"X-Endless: 0123456789012345678901234567890123456789\r\n"),
            Hostile::EndlessContinue => pour(stream, "", b"HTTP/1.1 100 Continue\r\n\r\n"),
            Hostile::SlowBody => drip(stream, &format!("{HEAD}Content-Length: {GIBIBYTE}\r\n\r\n"), b" "),
            Hostile::EndlessBody => pour(stream, &format!("{HEAD}Connection: close\r\n\r\n"), &BLANKS),
            Hostile::EndlessChunks => {
                let chunk = [b"10000\r\n".as_slice(), &BLANKS, b"\r\n"].concat();
                pour(stream, &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"), &chunk)
            }
            Hostile::NoHttp => stream.write_all(b"\x00\x01SSH-2.0-OpenSSH_9.6\r\n"),
            Hostile::Redirect => {
                let to = "Location: /vm/v3/host\r\n";
                stream.write_all(format!("HTTP/1.1 302 Found\r\n{to}Content-Length: 0\r\n\r\n").as_bytes())
            }
            Hostile::GzipBomb => {
                let bomb = BOMB.get_or_init(gzip);
                let head = format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
                stream.write_all(&[head.as_bytes(), bomb].concat())
            }
            Hostile::ShortBody => self.with_length(stream, &(self.reply.body.len() + 1000).to_string()),
            Hostile::SlowList => {
                thread::sleep(PAGE);
                self.with_length(stream, &self.reply.body.len().to_string())
            }
            Hostile::HugeLength => self.with_length(stream, "99999999999999999999999999"),
            _ => self.with_length(stream, &self.reply.body.len().to_string()),
        }?;
        stream.flush()
    }

    fn with_length(&self, stream: &mut impl Write, length: &str) -> io::Result<()> {
        stream.write_all(format!("{HEAD}Content-Length: {length}\r\n\r\n").as_bytes())?;
        stream.write_all(&self.reply.body)
    }
}

/// The head, then the same again and again, a byte at a time.
fn drip(stream: &mut impl Write, head: &str, rest: &[u8]) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    for byte in rest.iter().cycle() {
        stream.write_all(&[*byte])?;
        stream.flush()?;
        thread::sleep(DRIP);
    }
    Ok(())
}

/// The head, then the same again and again, as fast as it goes.
fn pour(stream: &mut impl Write, head: &str, rest: &[u8]) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(rest)?;
    }
}

fn gzip() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = (0..GIBIBYTE / BLANKS.len()).try_for_each(|_| encoder.write_all(&BLANKS));
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}
