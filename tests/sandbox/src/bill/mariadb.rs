//! A private database server: a fresh data directory and a unix socket, gone when the last user drops it.
//!
//! One server without a network serves all installations of a process, each with a database and a user of its own; a
//! remote one, which is reached over TCP and has a certificate, serves one installation. A small shell stands
//! between us and the server and kills it as soon as our end of its stdin closes, so that not even a killed test leaves
//! a server behind.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::distribution::Distribution;
use super::store::{Location, Store};
use crate::vmm::Certificate;
use crate::vmm::certificate::{self, Files};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);

/// Starts its arguments, waits until stdin closes, kills them. The child is not reaped before, so its pid is still ours.
const KEEPER: &str = r#""$@" & child=$!; exec 2>&-; read -r _; kill -KILL "$child"; wait "$child""#;

/// The server of this process, as long as somebody uses it.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A running server.
pub(super) struct Server {
    keeper: Child,
    socket: PathBuf,
    address: Option<SocketAddr>,
    distribution: Distribution,
    databases: AtomicU32,
    directory: TempDir,
}

impl Server {
    /// The server of this process; started when nobody uses one yet.
    pub(super) fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start(None)?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Creates an empty database with a user of its own, as an installer of BILLmanager does.
    pub(super) fn create_database(&self) -> Result<Location> {
        let name = format!("billmgr{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let password = format!("{name}-Secret");
        self.as_root(&format!("CREATE DATABASE {name} CHARACTER SET utf8"))?;
        // The stand-in comes over the socket, and the module over TCP.
        let hosts = if self.address.is_some() { &["localhost", "127.0.0.1"][..] } else { &["localhost"] };
        for host in hosts {
            self.as_root(&format!("CREATE USER {name}@'{host}' IDENTIFIED BY '{password}'"))?;
            self.as_root(&format!("GRANT ALL ON {name}.* TO {name}@'{host}'"))?;
        }
        Ok(Location::MariaDb { socket: self.socket.clone(), user: name.clone(), password, name })
    }

    /// A server that listens on a port of this machine, with a certificate that an authority of the sandbox signed.
    pub(super) fn remote() -> Result<Arc<Self>> {
        // Nobody is told the number, so that it stays free until the server takes it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Self::start(Some(address)).map(Arc::new)
    }

    /// The address of a remote server.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.address.context("this server has no network")
    }

    /// The PEM of the authority that signed the certificate of a remote server.
    pub(super) fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// New connections get a certificate of this quality, of a new authority. False when the server refuses to show it, as
    /// `MySQL` does when its time is over.
    pub(super) fn show(&self, quality: Certificate) -> Result<bool> {
        write_certificate(self.directory.path(), quality)?;
        match self.as_root(self.distribution.reload_certificate()) {
            Err(_) if quality == Certificate::Expired && self.distribution.is_mysql() => Ok(false),
            shown => shown.map(|()| true),
        }
    }

    /// Runs a statement that users may not.
    pub(super) fn as_root(&self, statement: &str) -> Result<()> {
        let (socket, user) = (self.socket.clone(), "root".into());
        let location = Location::MariaDb { socket, user, password: String::new(), name: String::new() };
        Store::open(&location)?.command(statement)
    }

    fn start(address: Option<SocketAddr>) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("mariadb-").tempdir()?;
        let place = directory.path();
        let socket = place.join("socket");
        let distribution = Distribution::chosen();
        let installed = distribution.install(place)?.output().context("cannot start the database server's programs")?;
        if !installed.status.success() {
            bail!("the data directory is not made: {}", String::from_utf8_lossy(&installed.stderr));
        }
        let network = match address {
            None => vec!["--skip-networking".to_owned()],
            Some(address) => {
                write_certificate(place, Certificate::Signed)?;
                let file = |option: &str, name: &str| format!("--{option}={}", place.join(name).display());
                let (host, port) = (format!("--bind-address={}", address.ip()), format!("--port={}", address.port()));
                let (chain, key) = (file("ssl-cert", "chain.pem"), file("ssl-key", "key.pem"));
                vec![host, port, chain, key, file("ssl-ca", "known.pem"), "--skip-name-resolve".to_owned()]
            }
        };
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .args(distribution.server(place)?)
            .args(network)
            .arg(format!("--socket={}", socket.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start /bin/sh")?;
        wait_until_ready(&mut keeper)?;
        Ok(Self { keeper, socket, address, distribution, databases: AtomicU32::new(1), directory })
    }
}

fn write_certificate(place: &Path, quality: Certificate) -> Result<()> {
    let Files { chain, key, ca } = certificate::files(quality)?;
    // `MySQL` shows only what it can check itself.
    let known = format!("{ca}{chain}");
    for (name, text) in [("chain.pem", chain), ("key.pem", key), ("ca.pem", ca), ("known.pem", known)] {
        fs::write(place.join(name), text)?;
    }
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.keeper);
    }
}

/// Closes the keeper's stdin, which ends the server, and waits for both.
fn stop(keeper: &mut Child) {
    drop(keeper.stdin.take());
    if let Err(error) = keeper.wait() {
        eprintln!("cannot wait for the end of the database server: {error}");
    }
}

/// Reads the server's messages until it says that it is ready; they are drained for as long as it lives.
fn wait_until_ready(keeper: &mut Child) -> Result<()> {
    let messages = keeper.stderr.take().context("the server has no stderr")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(messages).lines().map_while(Result::ok) {
            // Nobody listens any more once the server is ready.
            let _ = sender.send(line);
        }
    });
    let deadline = Instant::now() + START;
    let mut said = Vec::new();
    let why = loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains("ready for connections") => return Ok(()),
            Ok(line) => said.push(line),
            Err(RecvTimeoutError::Disconnected) => break "ended at once",
            Err(RecvTimeoutError::Timeout) => break "did not become ready",
        }
    };
    stop(keeper);
    bail!("the database server {why}:\n{}", said.join("\n"))
}
