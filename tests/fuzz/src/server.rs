//! A VMmanager on loopback that logs everybody in and answers everything else with bytes chosen by the check. It speaks
//! just enough HTTP for that: what is tried out is the client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use pmvmmanager6::config::Limits;
use pmvmmanager6::vmm::{Access, Client, Endpoint, Identity, Session, Trust};
use secrecy::SecretString;

/// The administrator's password.
pub(crate) const PASSWORD: &str = "p4ssw0rd-of-the-fuzzer";
/// What a login answers.
pub(crate) const TOKEN: &str = "token-of-the-fuzzer";

/// The answer to give, and the targets of the requests that came.
#[derive(Default)]
struct Shared {
    status: u16,
    body: Vec<u8>,
    targets: Vec<String>,
}

/// The server with a client that talks to it.
pub(crate) struct Server {
    shared: Arc<Mutex<Shared>>,
    /// The module's client.
    pub client: Client,
}

impl Server {
    /// Starts it on a port of its own.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("the address of the server"));
        let shared = Arc::new(Mutex::new(Shared::default()));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                _ = serve(&stream, &served);
            }
        });
        Server { shared, client: client(&url) }
    }

    /// What the next requests are answered with.
    pub(crate) fn answer(&self, status: u16, body: &[u8]) {
        let mut shared = self.shared.lock().expect("the server did not panic");
        (shared.status, shared.body) = (status, body.to_owned());
    }

    /// Targets (path and query) of the requests since the last call.
    pub(crate) fn targets(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().expect("the server did not panic").targets)
    }
}

/// Without patience: nothing here gets better by waiting.
fn client(url: &str) -> Client {
    let password = SecretString::from(PASSWORD);
    let identity = Identity {
        url: url.to_owned(),
        username: "admin@example.com".to_owned(),
        password: password.clone(),
        tls: String::new(),
    };
    let access = Access {
        endpoint: Endpoint::parse(url).expect("an address on loopback"),
        username: identity.username.clone(),
        password,
        trust: Trust::System,
    };
    let limits = Limits { asleep: std::time::Duration::ZERO, ..Limits::default() };
    Client::new(access, Session::alone(&identity), &limits)
}

/// Requests of one connection, until it is closed.
fn serve(stream: &TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
        let target = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap_or(0);
                }
                None => break,
                Some(_) => {}
            }
        }
        reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
        let (status, body) = if target.starts_with("/auth/") {
            (200, format!(r#"{{"token":"{TOKEN}"}}"#).into_bytes())
        } else {
            let mut shared = shared.lock().expect("the check did not panic");
            shared.targets.push(target);
            (shared.status, shared.body.clone())
        };
        let mut answer = format!("HTTP/1.1 {status} Answer\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend(body);
        (&*stream).write_all(&answer)?;
    }
}
