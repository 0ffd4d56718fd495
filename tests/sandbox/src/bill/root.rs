//! Where things are in an installation, and what its `etc/*.conf` say [protocol 1.1, 1.2].
//!
//! The stand-in panel and its `mgrctl`, which is another process, meet only in these files and in the database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::store::Location;

/// The root of an installation, what `/usr/local/mgr5` is on a real server.
#[derive(Clone, Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    /// An existing directory.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// `sbin/mgrctl`.
    pub(super) fn mgrctl(&self) -> PathBuf {
        self.0.join("sbin/mgrctl")
    }

    /// A module in `processing/`.
    pub(super) fn module(&self, name: &str) -> PathBuf {
        self.0.join("processing").join(name)
    }

    /// `etc/billmgr.pem`.
    pub(super) fn key(&self) -> PathBuf {
        self.0.join("etc/billmgr.pem")
    }

    /// A log in `var/`.
    pub(super) fn log(&self, module: &str) -> PathBuf {
        self.0.join("var").join(format!("{module}.log"))
    }

    /// A file of the stand-in's own, next to which no real panel has anything.
    pub(super) fn own(&self, name: &str) -> PathBuf {
        self.0.join("var/sandbox").join(name)
    }

    /// Makes the directories and the configuration of a new installation.
    pub(super) fn lay_out(&self, location: &Location, pem: &str) -> Result<()> {
        for directory in ["etc/billmgr.conf.d", "etc/xml", "sbin", "processing", "var/sandbox", "var/logs", "tmp"] {
            fs::create_dir_all(self.0.join(directory))?;
        }
        self.write("etc/billmgr.conf", "CryptKey etc/billmgr.pem\nDefaultLang en\nOption EnableTasks\n")?;
        self.write("etc/billmgr.conf.d/db.conf", &database_options(location))?;
        self.write("etc/billmgr.pem", pem)?;
        self.write("etc/debug.conf", "billmgr.* 5\npmvmmanager6.* 9\n")
    }

    /// Writes a file of the installation.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.0.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Takes options out of the configuration: from now on only the panel knows them.
    pub(super) fn hide_options(&self, names: &[&str]) -> Result<()> {
        let file = "etc/billmgr.conf.d/db.conf";
        let text = fs::read_to_string(self.0.join(file))?;
        let is_hidden = |line: &&str| names.iter().any(|name| line.split_whitespace().next() == Some(name));
        let (hidden, left): (Vec<&str>, Vec<&str>) = text.lines().partition(is_hidden);
        self.write("var/sandbox/options", &hidden.join("\n"))?;
        self.write(file, &format!("{}\n", left.join("\n")))
    }

    /// All options of `etc/billmgr.conf` and `etc/billmgr.conf.d/*.conf`, in this order, after those that only the panel
    /// knows; a later one wins.
    pub(super) fn options(&self) -> Result<Vec<(String, String)>> {
        let mut files = vec![self.own("options"), self.0.join("etc/billmgr.conf")];
        files.retain(|file| file.exists());
        let mut more: Vec<PathBuf> = fs::read_dir(self.0.join("etc/billmgr.conf.d"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        more.sort();
        files.extend(more.into_iter().filter(|file| file.extension().is_some_and(|it| it == "conf")));
        let mut options: Vec<(String, String)> = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                if name != "Option" {
                    options.retain(|(known, _)| known != name);
                }
                options.push((name.into(), value.trim().into()));
            }
        }
        Ok(options)
    }

    /// Where the database is.
    pub(super) fn location(&self) -> Result<Location> {
        let options = self.options()?;
        let option = |name: &str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let Some(name) = option("DBName") else {
            bail!("{} names no database (option DBName)", self.0.join("etc/billmgr.conf.d").display());
        };
        if option("DBType").as_deref() == Some("sqlite") {
            return Ok(Location::Sqlite { file: name.into() });
        }
        Ok(Location::MariaDb {
            socket: option("DBSocket").context("option DBSocket is missing")?.into(),
            user: option("DBUser").unwrap_or_else(|| "root".into()),
            password: option("DBPassword").unwrap_or_default(),
            name,
        })
    }
}

fn database_options(location: &Location) -> String {
    match location {
        Location::Sqlite { file } => format!("DBType sqlite\nDBName {}\n", file.display()),
        Location::MariaDb { socket, user, password, name } => format!(
            "DBHost localhost\nDBUser {user}\nDBPassword {password}\nDBName {name}\nDBSocket {}\n",
            socket.display()
        ),
    }
}
