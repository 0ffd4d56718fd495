//! A server that is not VMmanager: it gives the same answer to everybody, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running server; its thread ends with the test process.
pub(crate) struct Decoy {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Decoy {
    /// Answers every request with these bytes and closes the connection.
    pub(crate) fn answering(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let decoy = Decoy { address: listener.local_addr().unwrap(), heard: Arc::default() };
        let (answer, heard) = (answer.into(), Arc::clone(&decoy.heard));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up early is none of our business.
                if let Ok(request) = converse(&stream, &answer) {
                    heard.lock().unwrap().push(request);
                }
            }
        });
        decoy
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Whole requests so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn converse(stream: &TcpStream, answer: &str) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        request.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.push_str(&String::from_utf8_lossy(&body));
    (&mut &*stream).write_all(answer.as_bytes())?;
    Ok(request)
}
