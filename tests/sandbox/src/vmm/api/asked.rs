//! A request as the API sees it.

use std::net::IpAddr;
use std::time::Instant;

use serde_json::Value;

use crate::vmm::fault::LOGIN;
use crate::vmm::http::Incoming;
use crate::vmm::request::Request;

/// Method, path, query, token and body, decoded.
#[derive(Debug)]
pub(in crate::vmm) struct Asked {
    pub method: String,
    /// Decoded.
    pub path: String,
    pub token: Option<String>,
    pub(super) segments: Vec<String>,
    query: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) body: Result<Option<Value>, String>,
    pub(super) client: IpAddr,
    at: Instant,
}

impl Asked {
    pub(crate) fn new(request: Incoming, client: IpAddr) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(|s| decoded(s, false)).collect();
        let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        });
        let body = match request.body.as_slice() {
            [] => Ok(None),
            bytes => serde_json::from_slice(bytes).map(Some).map_err(|error| error.to_string()),
        };
        Self {
            path: format!("/{}", segments.join("/")),
            segments,
            query: query.to_owned(),
            parameters: parameters.collect(),
            token: token(&request),
            body,
            client,
            at: Instant::now(),
            method: request.method,
        }
    }

    /// What a test gets to read of it.
    pub(crate) fn record(&self) -> Request {
        Request {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: self.body.clone().ok().flatten(),
            status: None,
            token: self.token.clone(),
            at: self.at,
        }
    }

    /// Whether it asks for a token with a password.
    pub(crate) fn is_login(&self) -> bool {
        self.method == "POST" && self.path == LOGIN
    }

    pub(in crate::vmm) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The token of a request: header, other header or cookie [api 1.3].
fn token(request: &Incoming) -> Option<String> {
    let cookie = || {
        let cookies = request.header("cookie")?.split(';');
        cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == "ses6").map(|(_, value)| value)
    };
    let headers = ["x-xsrf-token", "isp-session"].iter().find_map(|name| request.header(name));
    headers.or_else(cookie).filter(|token| !token.is_empty()).map(str::to_owned)
}

/// Percent-decoding; in a query a `+` is a blank.
fn decoded(text: &str, plus_is_blank: bool) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) if plus_is_blank => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
