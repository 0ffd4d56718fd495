//! HTTP/1.1 on one connection: requests in, answers out.
//!
//! Keep-alive, `Content-Length` and chunked request bodies, `Expect: 100-continue`; heads and bodies are limited.

use std::io::{self, ErrorKind, Read, Write};

use httparse::Status;

const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 8 * 1024 * 1024;
const MAX_HEADERS: usize = 64;

/// A request as read from the wire.
#[derive(Debug)]
pub(super) struct Incoming {
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub keep_alive: bool,
}

impl Incoming {
    /// The first header of this (lower-case) name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer with a JSON body.
    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        // A page of the platform's is a text and nothing else.
        if let serde_json::Value::String(page) = body {
            return Self::text(status, page.clone());
        }
        let headers = vec![("Content-Type", "application/json; charset=utf-8".into())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// An answer as a proxy in front of the platform would give it.
    pub(super) fn text(status: u16, body: String) -> Self {
        Self { status, headers: vec![("Content-Type", "text/html".into())], body: body.into_bytes() }
    }

    /// Says when it was made, as every web server does, by a clock that is so far ahead.
    pub(super) fn date(&mut self, ahead: jiff::SignedDuration) {
        let date = jiff::Timestamp::now().saturating_add(ahead).unwrap_or(jiff::Timestamp::MAX);
        self.headers.push(("Date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    }

    fn head(&self, keep_alive: bool) -> Vec<u8> {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut head = format!("HTTP/1.1 {} {}\r\nServer: nginx\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let length = self.body.len().to_string();
        head.extend(["Content-Length: ", &length, "\r\nConnection: ", connection, "\r\n\r\n"]);
        head.into_bytes()
    }
}

/// A connection with what has been read ahead of the current request.
pub(super) struct Connection<S> {
    stream: S,
    ahead: Vec<u8>,
}

impl<S: Read + Write> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    /// The next request; `None` at the end of the connection.
    pub(super) fn read(&mut self) -> io::Result<Option<Incoming>> {
        let Some((mut request, length)) = self.read_head()? else { return Ok(None) };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = match length {
            Length::Known(length) => self.take(length)?,
            Length::Chunked => self.read_chunks()?,
        };
        Ok(Some(request))
    }

    /// Sends the whole answer.
    pub(super) fn write(&mut self, reply: &Reply, keep_alive: bool) -> io::Result<()> {
        let mut bytes = reply.head(keep_alive);
        bytes.extend_from_slice(&reply.body);
        self.stream.write_all(&bytes)?;
        self.stream.flush()
    }

    /// Sends the head and half of the body.
    pub(super) fn write_half(&mut self, reply: &Reply) -> io::Result<()> {
        let mut bytes = reply.head(true);
        bytes.extend_from_slice(&reply.body[..reply.body.len() / 2]);
        self.stream.write_all(&bytes)?;
        self.stream.flush()
    }

    /// What an answer that is no HTTP is written to.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Gives the stream back.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn read_head(&mut self) -> io::Result<Option<(Incoming, Length)>> {
        loop {
            if let Some((end, request, length)) = parse_head(&self.ahead)? {
                self.ahead.drain(..end);
                return Ok(Some((request, length)));
            }
            if self.ahead.len() > MAX_HEAD {
                return Err(bad("the head is too long"));
            }
            if !self.fill()? {
                return if self.ahead.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_BODY {
            return Err(bad("the body is too long"));
        }
        while self.ahead.len() < length {
            if !self.fill()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (head, size) = loop {
                match httparse::parse_chunk_size(&self.ahead).map_err(|_| bad("a chunk size is unreadable"))? {
                    Status::Complete(found) => break found,
                    Status::Partial if self.fill()? => {}
                    Status::Partial => return Err(ErrorKind::UnexpectedEof.into()),
                }
            };
            self.ahead.drain(..head);
            let size = usize::try_from(size).map_err(|_| bad("a chunk is too long"))?;
            body.extend(self.take(size)?);
            if body.len() > MAX_BODY {
                return Err(bad("the body is too long"));
            }
            if self.take(2)? != b"\r\n" {
                return Err(bad("a chunk does not end where it should, or has trailers"));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer)?;
        self.ahead.extend_from_slice(&buffer[..count]);
        Ok(count > 0)
    }
}

enum Length {
    Known(usize),
    Chunked,
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, Incoming, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let end = match parsed.parse(bytes).map_err(|error| bad(&error.to_string()))? {
        Status::Partial => return Ok(None),
        Status::Complete(end) => end,
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).trim().to_owned()))
        .collect();
    let request = Incoming {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
        keep_alive: true,
    };
    let says = |name: &str, word: &str| request.header(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let keep_alive =
        if parsed.version == Some(0) { says("connection", "keep-alive") } else { !says("connection", "close") };
    let length = match (request.header("transfer-encoding"), request.header("content-length")) {
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Length::Chunked,
        (Some(_), _) => return Err(bad("the transfer coding is not supported")),
        (None, Some(length)) => Length::Known(length.parse().map_err(|_| bad("Content-Length is not a number"))?),
        (None, None) => Length::Known(0),
    };
    Ok(Some((end, Incoming { keep_alive, ..request }, length)))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Answer",
    }
}
