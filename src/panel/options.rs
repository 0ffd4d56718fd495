//! How to reach BILLmanager's database: options of the panel from its configuration files, and from the panel itself what
//! they leave out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::database_tls::Tls;
use super::mgrctl::Mgrctl;
use crate::config::Config;
use crate::error::Result;
use crate::log;
use crate::mask;

/// How the database's server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Without leaving this machine.
    Local,
    /// Over TLS.
    Encrypted {
        /// The other host.
        host: String,
        /// Who signs certificates that count.
        by: String,
    },
    /// Over a network, as plain text.
    Plain {
        /// The other host.
        host: String,
        /// Whether somebody said that it may be so.
        chosen: bool,
    },
}

/// Options with their defaults [protocol 1.2].
pub(super) struct Options {
    /// The sandbox's file database (`DBType sqlite`, `DBName` = the file).
    pub sqlite: bool,
    /// `DBHost`.
    pub host: String,
    /// `DBSocket`.
    pub socket: Option<PathBuf>,
    /// `DBUser`.
    pub user: String,
    password: SecretString,
    /// Whether the connection must be encrypted.
    pub tls: Tls,
    /// `DBName`, or the two names that installations use [protocol 7.18].
    pub names: Vec<String>,
    /// Private key for crypted values, relative to the root unless absolute.
    pub key: PathBuf,
}

impl Options {
    /// Reads the configuration files; asks `paramlist` for what they leave out of the database's options
    /// [protocol A16].
    pub(super) fn read(config: &Config, mgrctl: &Mgrctl) -> Result<Self> {
        const NEEDED: [&str; 4] = ["DBHost", "DBUser", "DBPassword", "DBName"];
        let files = config.panel_options();
        if is_sqlite(&files) || NEEDED.iter().all(|name| files.contains_key(*name)) {
            return Self::from(&files);
        }
        let told = match mgrctl.call("paramlist", &[], &|| Ok(false)) {
            Ok(told) => told,
            Err(error) if files.keys().any(|name| name.starts_with("DB")) => {
                log::warn!("defaults stand for what the configuration files leave out of the DB options: {error}");
                return Self::from(&files);
            }
            Err(error) => return Err(error),
        };
        let told = told.all("elem").flat_map(|e| e.children.iter()).map(|e| (e.name.clone(), e.text.clone()));
        Self::from(&told.chain(files).collect())
    }

    fn from(options: &BTreeMap<String, String>) -> Result<Self> {
        let filled = |name: &str| options.get(name).filter(|value| !value.is_empty()).cloned();
        let password = SecretString::from(filled("DBPassword").unwrap_or_default());
        mask::remember(&password);
        Ok(Options {
            sqlite: is_sqlite(options),
            host: filled("DBHost").unwrap_or_else(|| "localhost".to_owned()),
            socket: filled("DBSocket").map(PathBuf::from),
            user: filled("DBUser").unwrap_or_else(|| "root".to_owned()),
            password,
            tls: Tls::read(options)?,
            names: filled("DBName")
                .map_or_else(|| vec!["billmgr".to_owned(), "billmgr5".to_owned()], |name| vec![name]),
            key: filled("CryptKey").unwrap_or_else(|| "etc/billmgr.pem".to_owned()).into(),
        })
    }

    /// Host and port of a server that is reached over TCP.
    pub(super) fn place(&self) -> (&str, u16) {
        let (host, port) = match self.host.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, port.parse().unwrap_or(3306)),
            _ => (self.host.as_str(), 3306),
        };
        (if host == "localhost" { "127.0.0.1" } else { host }, port)
    }

    /// How the server is reached.
    pub(super) fn way(&self) -> Way {
        let (host, _) = self.place();
        if self.sqlite || self.socket.is_some() || self.host == "localhost" {
            return Way::Local;
        }
        match &self.tls {
            Tls::System => Way::Encrypted { host: host.to_owned(), by: "the system's authorities".to_owned() },
            Tls::File(path) => Way::Encrypted { host: host.to_owned(), by: path.display().to_string() },
            _ if host.parse().is_ok_and(|address: IpAddr| address.is_loopback()) => Way::Local,
            tls => Way::Plain { host: host.to_owned(), chosen: *tls == Tls::Off },
        }
    }

    /// The password in clear, for the connection only.
    pub(super) fn password_text(&self) -> &str {
        self.password.expose_secret()
    }
}

fn is_sqlite(options: &BTreeMap<String, String>) -> bool {
    options.get("DBType").is_some_and(|kind| kind.eq_ignore_ascii_case("sqlite"))
}
