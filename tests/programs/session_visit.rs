//! `test-process session-visit`: a process that needs a session, with a stand-in for VMmanager.
//!
//! Each login appends `login <label>` to the log and answers the content of the file `--server`: `refuse`, or anything
//! else, which is the token. Each visit ends with `used <label> <token>` or `refused <label>`. With `--revoked` the
//! process finds that this token is no longer accepted, as after a 401.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pmvmmanager6::error::{Error, Kind, Result};
use pmvmmanager6::vmm::{Identity, Session};
use secrecy::{ExposeSecret, SecretString};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Address of VMmanager
    #[arg(long, default_value = "https://vm.example.com")]
    pub url: String,
    /// Password
    #[arg(long, default_value = "secret")]
    pub password: String,
    /// Session storage period in seconds
    #[arg(long, default_value_t = 1800)]
    pub ttl: u64,
    /// Word for the log
    #[arg(long, default_value = "-")]
    pub label: String,
    /// Log to append to
    #[arg(long)]
    pub log: PathBuf,
    /// File with the answer to a login: a token, or "refuse"
    #[arg(long)]
    pub server: PathBuf,
    /// How long a login takes
    #[arg(long = "for", default_value_t = 0)]
    pub milliseconds: u64,
    /// What only the owner of the panel's private key can make
    #[arg(long, default_value = "key of the panel")]
    pub key: String,
    /// A token that is not accepted any more
    #[arg(long)]
    pub revoked: Option<String>,
}

/// Uses the session cache of the runtime directory once.
pub(crate) fn run(directory: &Path, visit: &Options) -> Result<()> {
    let log = OpenOptions::new().append(true).create(true).open(&visit.log).map_err(|e| trouble(&e))?;
    let note = |line: String| (&log).write_all(line.as_bytes()).map_err(|e| trouble(&e));
    let mut login = || {
        note(format!("login {}\n", visit.label))?;
        std::thread::sleep(Duration::from_millis(visit.milliseconds));
        match std::fs::read_to_string(&visit.server).map_err(|e| trouble(&e))?.trim() {
            "refuse" => Err(Error::new(Kind::Vm6Auth, "server", "wrong password")),
            token => Ok(SecretString::from(token)),
        }
    };
    let identity = Identity {
        url: visit.url.clone(),
        username: "admin@example.com".to_owned(),
        password: SecretString::from(visit.password.as_str()),
        tls: "System".to_owned(),
    };
    let key = SecretString::from(visit.key.as_str());
    let session = Session::open(directory, &identity, &key, Duration::from_secs(visit.ttl));
    let mut token = session.token(&mut login);
    if let Ok(stale) = &token
        && Some(stale.expose_secret()) == visit.revoked.as_deref()
    {
        session.reject(stale);
        token = session.token(&mut login);
    }
    match token {
        Ok(token) => note(format!("used {} {}\n", visit.label, token.expose_secret())),
        Err(error) => {
            note(format!("refused {}\n", visit.label))?;
            Err(error)
        }
    }
}

fn trouble(error: &std::io::Error) -> Error {
    Error::new(Kind::State, "visit", error.to_string())
}
