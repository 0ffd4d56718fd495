//! Whose database server the sandbox starts: the machine's MariaDB, or a `MySQL` from a small root (`make mysql-test`).
//!
//! The root need not be entered: its own loader starts its programs with its own libraries, as any user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// The root of a system with `mysql-server-core` in it.
const VARIABLE: &str = "SANDBOX_MYSQL";

/// Loader and libraries of a Debian root, by architecture.
const LOADERS: [(&str, &str); 2] = [
    ("lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"),
    ("lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"),
];

/// Whether a server is chosen for all installations.
pub(super) fn is_chosen() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|root| !root.is_empty())
}

/// Whose server.
pub(super) enum Distribution {
    MariaDb,
    MySql(PathBuf),
}

impl Distribution {
    /// What the environment chooses.
    pub(super) fn chosen() -> Self {
        std::env::var_os(VARIABLE)
            .filter(|root| !root.is_empty())
            .map_or(Self::MariaDb, |root| Self::MySql(root.into()))
    }

    /// Whether it is the `MySQL`.
    pub(super) fn is_mysql(&self) -> bool {
        matches!(self, Self::MySql(_))
    }

    /// The command that fills a data directory; root has no password.
    pub(super) fn install(&self, directory: &Path) -> Result<Command> {
        let (mut words, more) = match self {
            Self::MariaDb => {
                let own = ["--innodb-log-file-size=8M", "--auth-root-authentication-method=normal", "--skip-test-db"];
                (vec![program("mariadb-install-db")?.into_os_string()], own.to_vec())
            }
            Self::MySql(root) => (mysqld(root)?, vec!["--initialize-insecure"]),
        };
        words.extend(common(directory));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(more);
        Ok(command)
    }

    /// The server's program and its options.
    pub(super) fn server(&self, directory: &Path) -> Result<Vec<OsString>> {
        let mut words = match self {
            Self::MariaDb => vec![program("mariadbd")?.into_os_string()],
            Self::MySql(root) => mysqld(root)?,
        };
        words.extend(common(directory));
        match self {
            // An empty log is small, a statement is not waited for.
            Self::MariaDb => words.push("--innodb-log-file-size=8M".into()),
            Self::MySql(_) => {
                words.extend(["--skip-log-bin", "--mysqlx=OFF", "--secure-file-priv=NULL"].map(OsString::from));
            }
        }
        words.extend(["--performance-schema=OFF", "--innodb-flush-log-at-trx-commit=0"].map(OsString::from));
        Ok(words)
    }

    /// The statement after which new connections get the certificate that is in the files now.
    pub(super) fn reload_certificate(&self) -> &'static str {
        match self {
            Self::MariaDb => "FLUSH SSL",
            Self::MySql(_) => "ALTER INSTANCE RELOAD TLS",
        }
    }
}

/// `mysqld` of the root, started by the root's loader.
fn mysqld(root: &Path) -> Result<Vec<OsString>> {
    let Some((loader, libraries)) = LOADERS.iter().find(|(loader, _)| root.join(loader).is_file()) else {
        bail!("{} of {VARIABLE} is no root of Debian", root.display());
    };
    let libraries = [*libraries, "usr/lib/mysql/private"].map(|folder| root.join(folder).into_os_string());
    let (loader, server) = (root.join(loader).into_os_string(), root.join("usr/sbin/mysqld").into_os_string());
    Ok(vec![loader, "--library-path".into(), libraries.join(&OsString::from(":")), server])
}

/// Options that all of these programs take, in this order: no configuration of the machine, the current user. Each server
/// has a folder of its own for temporary tables: one that starts removes those of all others in the same folder.
fn common(directory: &Path) -> Vec<OsString> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", directory.join("data").display()),
        format!("--tmpdir={}", directory.display()),
    ];
    if rustix::process::geteuid().is_root() {
        options.push("--user=root".to_owned());
    }
    options.into_iter().map(OsString::from).collect()
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
