//! One HTTP exchange with VMmanager, and whether it may be repeated.
//!
//! Nothing here decides what an answer means; it distinguishes "never left us", "left us and no usable answer came" and
//! "answered". Redirects are not followed: credentials go to the address that was entered and nowhere else.

use std::cell::Cell;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout, TcpConnector};

use super::json::{Json, MOST_BYTES};
use super::tls::{Seen, SentConnector, TlsConnector, Trust};
use crate::certificate::Certificate;
use crate::error::{Error, Kind, Origin};
use crate::log;

const RESOLVE: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(5);
const SEND: Duration = Duration::from_secs(30);
/// A connection fills its buffers with zeros, twice for TLS; the usual 128 KiB each would be half of the memory we use.
const INPUT_BYTES: usize = 16 << 10;
const OUTPUT_BYTES: usize = 8 << 10;
const MAX_EXCERPT: usize = 2000;
const MAX_PAGE_BYTES: u64 = 8 << 20;

/// The platform knows three methods [api 1.1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    /// Creates and changes.
    Post,
    Delete,
}

impl Method {
    /// As in the request line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// A request; `path` begins with `/` and holds the encoded query.
pub(super) struct Request<'a> {
    pub method: Method,
    /// `/vm/v3/host?where=…`.
    pub path: &'a str,
    /// JSON body of a POST.
    pub body: Option<&'a Value>,
    pub token: Option<&'a SecretString>,
}

/// An answer of any status.
pub(super) struct Answer {
    pub status: u16,
    /// The body, or why it is of no use: `is not JSON`.
    pub body: Result<Json, &'static str>,
    /// The beginning of a body that is of no use.
    pub excerpt: String,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// `Date`: when the answer was made, to the second.
    pub date: Option<Timestamp>,
}

/// An exchange without a usable answer.
pub(super) enum Broken {
    /// No byte of the request was sent: it may be repeated.
    NotSent(Error),
    /// The request may have been carried out.
    Lost(Error),
}

/// Connections to one VMmanager.
pub(super) struct Http {
    agent: ureq::Agent,
    seen: Arc<Seen>,
    ahead: Cell<Option<SignedDuration>>,
}

impl Http {
    /// Connects to nothing yet; `answer` is how long an answer may take, from the first byte of the request to its own last.
    pub(super) fn new(trust: Trust, answer: Duration) -> Self {
        let seen = Arc::new(Seen::default());
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("pmvmmanager6/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .timeout_resolve(Some(RESOLVE))
            .timeout_connect(Some(CONNECT))
            .timeout_send_request(Some(SEND))
            .timeout_send_body(Some(SEND))
            .timeout_global(Some(answer))
            .build();
        let connector = TcpConnector::default()
            .chain(TlsConnector::new(trust, Arc::clone(&seen)))
            .chain(SentConnector(Arc::clone(&seen)));
        Http { agent: ureq::Agent::with_parts(config, connector, Lookup::default()), seen, ahead: Cell::new(None) }
    }

    /// Sends one request to `base` (origin and prefix) and reads the whole answer.
    pub(super) fn exchange(&self, base: &str, request: &Request) -> Result<Answer, Broken> {
        self.seen.reset();
        let started = Instant::now();
        let result = self.send(base, request);
        let took = started.elapsed().as_millis();
        let (method, path) = (request.method.name(), request.path);
        match &result {
            Ok(answer) => {
                log::debug!("VMmanager {method} {path} -> {} in {took} ms", answer.status);
                self.ahead.set(answer.date.map(|date| date.duration_since(Timestamp::now())).or(self.ahead.get()));
            }
            Err(error) => log::debug!("VMmanager {method} {path} -> {error} in {took} ms"),
        }
        result.map_err(|error| self.broken(base, request, &error))
    }

    /// Reads a page, whatever it is made of; nothing when there is none.
    pub(super) fn page(&self, base: &str, path: &str, token: &SecretString) -> Result<Option<String>, Broken> {
        self.seen.reset();
        let request = Request { method: Method::Get, path, body: None, token: Some(token) };
        let read = || {
            let mut response = with_token(self.agent.get(format!("{base}{path}")), request.token).call()?;
            log::debug!("VMmanager GET {path} -> {}", response.status().as_u16());
            if response.status().as_u16() != 200 {
                return Ok(None);
            }
            response.body_mut().with_config().limit(MAX_PAGE_BYTES).lossy_utf8(true).read_to_string().map(Some)
        };
        read().map_err(|error| self.broken(base, &request, &error))
    }

    /// The server's certificate as last seen.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        self.seen.certificate()
    }

    /// How far the server's clock was ahead of ours at its last answer, to a second; negative when it was behind.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        self.ahead.get()
    }

    fn send(&self, base: &str, request: &Request) -> Result<Answer, ureq::Error> {
        let url = format!("{base}{}", request.path);
        let response = match request.method {
            Method::Get => with_token(self.agent.get(&url), request.token).call()?,
            Method::Delete => with_token(self.agent.delete(&url), request.token).call()?,
            Method::Post => {
                let empty = Value::Object(serde_json::Map::new());
                with_token(self.agent.post(&url), request.token).send_json(request.body.unwrap_or(&empty))?
            }
        };
        read(response)
    }

    fn broken(&self, base: &str, request: &Request, error: &ureq::Error) -> Broken {
        let object = format!("{} {}", request.method.name(), path_only(request.path));
        if let Some(reason) = self.seen.refusal() {
            return Broken::NotSent(self.tls_error(base, &reason));
        }
        if self.seen.sent() {
            let text = format!("VMmanager at {base} gave no usable answer: {error}");
            let kind = if matches!(error, ureq::Error::Timeout(_)) { Kind::Vm6Timeout } else { Kind::Vm6Connect };
            return Broken::Lost(Error::new(kind, object, text).origin(Origin::Unanswered));
        }
        let error = Error::new(Kind::Vm6Connect, base, format!("VMmanager at {base} cannot be reached: {error}"));
        let cure = "check the address, the network and that VMmanager runs";
        Broken::NotSent(error.cure(cure).origin(Origin::Unanswered))
    }

    fn tls_error(&self, base: &str, reason: &str) -> Error {
        let text = format!("the TLS connection to {base} cannot be trusted: {reason}");
        Error::new(Kind::Vm6Tls, base, text).cure(match self.certificate().map(|seen| seen.fingerprint) {
            Some(seen) => format!(
                "its SHA-256 is {seen}; if this is your server's own certificate, set \"TLS check\" to \"pinned\" with this fingerprint"
            ),
            None => "check that the address and port are those of VMmanager's https".to_owned(),
        })
    }
}

/// Names are looked up by ureq, in a thread of its own because that cannot be interrupted; an address needs none.
#[derive(Debug, Default)]
struct Lookup(DefaultResolver);

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let literal = |host: &str| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let Some(address) = uri.host().and_then(literal) else { return self.0.resolve(uri, config, timeout) };
        let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let mut found = self.empty();
        found.push(SocketAddr::new(address, uri.port_u16().unwrap_or(usual)));
        Ok(found)
    }
}

/// Both headers that VMmanager's own clients send [api 1.3].
fn with_token<B>(builder: ureq::RequestBuilder<B>, token: Option<&SecretString>) -> ureq::RequestBuilder<B> {
    let Some(token) = token else { return builder };
    let token = token.expose_secret();
    builder.header("x-xsrf-token", token).header("cookie", format!("ses6={token}"))
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (retry_after, location) = (header("retry-after").and_then(|v| v.trim().parse().ok()), header("location"));
    let date = header("date").and_then(|date| jiff::fmt::rfc2822::parse(&date).ok()).map(|date| date.timestamp());
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    response.body_mut().as_reader().take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_EXCERPT)]).into_owned();
    let body = Json::sent(bytes);
    let excerpt = if body.is_ok() { String::new() } else { beginning.chars().take(MAX_EXCERPT).collect() };
    Ok(Answer { status, body, excerpt, retry_after, location, date })
}

/// A path without its query, for error texts.
pub(super) fn path_only(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}
