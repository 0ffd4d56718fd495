//! The panel that started us: its configuration, database, key and `mgrctl`, each opened when it is first needed.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use secrecy::SecretString;

use super::crypt::Key;
use super::database::{Database, Param, Query, Refused, Row};
use super::mgrctl::Mgrctl;
use super::options::{Options, Way};
use super::value::Value;
use crate::backoff::Backoff;
use crate::config::Config;
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::wire::Element;

/// The panel that started us.
pub struct Panel {
    pub(super) config: Config,
    pub(super) mgrctl: Mgrctl,
    options: OnceCell<Options>,
    key: OnceCell<Key>,
    database: RefCell<Option<Database>>,
}

impl Panel {
    /// The panel under the configured root. Connects to nothing yet.
    pub fn new(config: &Config) -> Self {
        Panel {
            config: config.clone(),
            mgrctl: Mgrctl::new(config),
            options: OnceCell::new(),
            key: OnceCell::new(),
            database: RefCell::new(None),
        }
    }

    /// The same panel for a dry run: it is asked as always, calls that change something go into the plan.
    #[must_use]
    pub fn dry_run(self, plan: &Rc<Plan>) -> Self {
        Panel { mgrctl: self.mgrctl.dry_run(plan), ..self }
    }

    /// Whether calls go into a plan.
    pub fn is_dry_run(&self) -> bool {
        self.mgrctl.planned().is_some()
    }

    /// Runs a panel function that only asks, or that does no harm when it is run twice.
    pub(super) fn call(&self, function: &str, params: &[(&str, Value)]) -> Result<Element> {
        self.mgrctl.call(function, params, &|| Ok(false))
    }

    /// Runs a panel function once: when its answer is lost, `is_done` looks up whether it was carried out.
    pub(super) fn call_once(
        &self,
        function: &str,
        params: &[(&str, Value)],
        is_done: &dyn Fn() -> Result<bool>,
    ) -> Result<Element> {
        self.mgrctl.call(function, params, is_done)
    }

    /// Reaches the database; its kind and version.
    pub fn database(&self) -> Result<String> {
        self.rows("SELECT 1", &[])?;
        let version = self.database.borrow().as_ref().map_or("", Database::version_query);
        let rows = self.rows(version, &[])?;
        Ok(rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default())
    }

    /// How the database is reached.
    pub fn database_way(&self) -> Result<Way> {
        self.options().map(Options::way)
    }

    /// Whether BILLmanager itself answers a call that changes nothing.
    pub fn ping(&self) -> Result<()> {
        self.call("paramlist", &[]).map(drop)
    }

    /// Decrypts a value that BILLmanager passes as an argument.
    pub fn decrypt(&self, name: &str, value: &str) -> Result<SecretString> {
        self.key()?.decrypt(name, value)
    }

    /// Before a long wait: closes the database connection, of which a server has few. The next query opens one.
    pub fn disconnect(&self) {
        self.database.borrow_mut().take();
    }

    /// The name of this installation in the marks of its VMs.
    pub fn installation(&self) -> Result<String> {
        self.key()?.installation()
    }

    /// The secret from which the tags in marks are made.
    pub fn mark_key(&self) -> Result<String> {
        self.key()?.mark_key()
    }

    pub(super) fn key(&self) -> Result<&Key> {
        if self.key.get().is_none() {
            _ = self.key.set(Key::read(self.config.root.join(&self.options()?.key))?);
        }
        self.key.get().ok_or_else(|| unset("the private key"))
    }

    pub(super) fn options(&self) -> Result<&Options> {
        if self.options.get().is_none() {
            _ = self.options.set(Options::read(&self.config, &self.mgrctl)?);
        }
        self.options.get().ok_or_else(|| unset("the options of the panel"))
    }

    pub(super) fn rows(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>> {
        Ok(self.batch(&[(sql, params)])?.pop().unwrap_or_default())
    }

    /// Runs queries, the rows of each; a connection that the server closed meanwhile (a wait can take an hour) is opened
    /// once more.
    pub(super) fn batch(&self, queries: &[Query]) -> Result<Vec<Vec<Row>>> {
        let mut database = self.database.borrow_mut();
        if let Some(open) = database.as_mut() {
            match open.rows(queries) {
                Ok(rows) => return Ok(rows),
                Err(error) => log::debug!("the database connection is renewed after: {error}"),
            }
        }
        database.insert(self.connect()?).rows(queries)
    }

    /// A server that takes no connections now is waited for, as a panel that restarts is.
    fn connect(&self) -> Result<Database> {
        let backoff = Backoff::new(self.config.limits.database);
        loop {
            match Database::connect(self.options()?, &self.config.root) {
                Ok(connected) => return Ok(connected),
                Err(Refused { error, may_pass: true }) if !backoff.is_over() => {
                    log::warn!("{error}; trying again");
                    backoff.pause("waiting for BILLmanager's database");
                }
                Err(Refused { error, .. }) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panel({})", self.config.root.display())
    }
}

fn unset(what: &str) -> Error {
    Error::new(Kind::State, "panel", format!("{what} could not be kept in memory"))
}
