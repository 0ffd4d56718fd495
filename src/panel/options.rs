//! How to reach BILLmanager's database: options of the panel from its configuration files, else from the panel itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::mgrctl::Mgrctl;
use crate::config::Config;
use crate::error::Result;

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
    /// Reads the configuration files; asks `paramlist` when they hold no database option.
    pub(super) fn read(config: &Config, mgrctl: &Mgrctl) -> Result<Self> {
        let files = config.panel_options();
        if files.keys().any(|name| name.starts_with("DB")) {
            return Ok(Self::from(&files));
        }
        let answer = mgrctl.call("paramlist", &[])?;
        let mut options = files;
        options.extend(answer.all("elem").flat_map(|e| e.children.iter()).map(|e| (e.name.clone(), e.text.clone())));
        Ok(Self::from(&options))
    }

    fn from(options: &BTreeMap<String, String>) -> Self {
        let filled = |name: &str| options.get(name).filter(|value| !value.is_empty()).cloned();
        Options {
            sqlite: filled("DBType").is_some_and(|kind| kind.eq_ignore_ascii_case("sqlite")),
            host: filled("DBHost").unwrap_or_else(|| "localhost".to_owned()),
            socket: filled("DBSocket").map(PathBuf::from),
            user: filled("DBUser").unwrap_or_else(|| "root".to_owned()),
            password: filled("DBPassword").unwrap_or_default().into(),
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
