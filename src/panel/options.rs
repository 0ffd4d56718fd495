//! How to reach BILLmanager's database: options of the panel from its configuration files, and from the panel itself what
//! they leave out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::mgrctl::Mgrctl;
use crate::config::Config;
use crate::error::Result;
use crate::log;
use crate::mask;

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
            return Ok(Self::from(&files));
        }
        let told = match mgrctl.call("paramlist", &[], &|| Ok(false)) {
            Ok(told) => told,
            Err(error) if files.keys().any(|name| name.starts_with("DB")) => {
                log::warn!("defaults stand for what the configuration files leave out of the DB options: {error}");
                return Ok(Self::from(&files));
            }
            Err(error) => return Err(error),
        };
        let told = told.all("elem").flat_map(|e| e.children.iter()).map(|e| (e.name.clone(), e.text.clone()));
        Ok(Self::from(&told.chain(files).collect()))
    }

    fn from(options: &BTreeMap<String, String>) -> Self {
        let filled = |name: &str| options.get(name).filter(|value| !value.is_empty()).cloned();
        let password = SecretString::from(filled("DBPassword").unwrap_or_default());
        mask::remember(&password);
        Options {
            sqlite: is_sqlite(options),
            host: filled("DBHost").unwrap_or_else(|| "localhost".to_owned()),
            socket: filled("DBSocket").map(PathBuf::from),
            user: filled("DBUser").unwrap_or_else(|| "root".to_owned()),
            password,
            names: filled("DBName")
                .map_or_else(|| vec!["billmgr".to_owned(), "billmgr5".to_owned()], |name| vec![name]),
            key: filled("CryptKey").unwrap_or_else(|| "etc/billmgr.pem".to_owned()).into(),
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
