//! A private MariaDB server: a fresh data directory, a unix socket and no network, gone when the last user drops it.
//!
//! One server serves all installations of a process, each with a database and a user of its own. A small shell stands
//! between us and the server and kills it as soon as our end of its stdin closes, so that not even a killed test leaves
//! a server behind.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::store::{Location, Store};

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
    databases: AtomicU32,
    _directory: TempDir,
}

impl Server {
    /// The server of this process; started when nobody uses one yet.
    pub(super) fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Creates an empty database with a user of its own, as an installer of BILLmanager does.
    pub(super) fn create_database(&self) -> Result<Location> {
        let name = format!("billmgr{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let password = format!("{name}-Secret");
        let mut root = Store::open(&Location::MariaDb {
            socket: self.socket.clone(),
            user: "root".into(),
            password: String::new(),
            name: String::new(),
        })?;
        for statement in [
            format!("CREATE DATABASE {name} CHARACTER SET utf8"),
            format!("CREATE USER {name}@localhost IDENTIFIED BY '{password}'"),
            format!("GRANT ALL ON {name}.* TO {name}@localhost"),
        ] {
            root.command(&statement)?;
        }
        Ok(Location::MariaDb { socket: self.socket.clone(), user: name.clone(), password, name })
    }

    fn start() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("mariadb-").tempdir()?;
        let socket = directory.path().join("socket");
        let install = program("mariadb-install-db")?;
        let installed = Command::new(&install)
            .args(common(directory.path()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .output()
            .with_context(|| format!("cannot start {}", install.display()))?;
        if !installed.status.success() {
            bail!("{} failed: {}", install.display(), String::from_utf8_lossy(&installed.stderr));
        }
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program("mariadbd")?)
            .args(common(directory.path()))
            .args(["--skip-networking", "--performance-schema=OFF", "--innodb-flush-log-at-trx-commit=0"])
            .arg(format!("--socket={}", socket.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start /bin/sh")?;
        wait_until_ready(&mut keeper)?;
        Ok(Self { keeper, socket, databases: AtomicU32::new(1), _directory: directory })
    }
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
        eprintln!("cannot wait for the end of MariaDB: {error}");
    }
}

/// Options that both programs take: no configuration of the machine, small files, the current user. Each server has a
/// folder of its own for temporary tables: one that starts removes those of all others in the same folder.
fn common(directory: &Path) -> Vec<String> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", directory.join("data").display()),
        format!("--tmpdir={}", directory.display()),
        "--innodb-log-file-size=8M".to_owned(),
    ];
    if rustix::process::geteuid().is_root() {
        options.push("--user=root".to_owned());
    }
    options
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
    bail!("mariadbd {why}:\n{}", said.join("\n"))
}

/// Finds a program of the server, which is not always in the PATH of an ordinary user.
fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/bin", "/usr/libexec"].map(PathBuf::from);
    for directory in std::env::split_paths(&path).chain(system) {
        let file = directory.join(name);
        if file.is_file() {
            return Ok(file);
        }
    }
    bail!(
        "there is no `{name}` on this machine: install mariadb-server (apt-get install mariadb-server), or use SQLite"
    )
}
