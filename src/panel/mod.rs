//! BILLmanager: what we read from its database and what we call it back with.
//!
//! Everything is lazy. Reading uses plain SQL, writing goes through `mgrctl` only: the panel stays the owner of its
//! data. A saved parameter is read back, because two calling forms exist and an old panel accepts one of them silently
//! without storing anything [protocol 3.28].

#![cfg_attr(doc, doc = include_str!("PROTOCOL.md"))]

mod bulk;
mod crypt;
mod database;
mod dry_run;
mod failure;
mod handlers;
mod lists;
mod mgrctl;
mod operations;
mod options;
mod records;
mod secret_cache;
mod slots;
mod statistics;
mod units;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, MODULE};
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Result};
use crate::id::{ServiceId, TariffId};
use crate::wire::Element;
use crate::{fault, log};

use crypt::Key;
use database::{Database, Param, Query, Row};
pub use failure::{Failure, error_document};
pub use handlers::{Candidate, Import, Listed};
pub use lists::Offered;
use mgrctl::Mgrctl;
pub use mgrctl::Value;
pub use operations::Operation;
use options::Options;
pub use records::{Amount, Customer, Handler, HandlerParam, Owner, Service, status};
pub use slots::{Address, Slot};
pub use statistics::{FRACTION, Metered, Reading, Recorded};
pub use units::Units;

/// The panel that started us.
pub struct Panel {
    config: Config,
    mgrctl: Mgrctl,
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

    /// The same panel for a dry run: it is asked as ever, what it would be told goes into the plan.
    #[must_use]
    pub fn dry_run(self, plan: &Rc<Plan>) -> Self {
        Panel { mgrctl: self.mgrctl.dry_run(plan), ..self }
    }

    /// Runs a panel function.
    pub fn call(&self, function: &str, params: &[(&str, Value)]) -> Result<Element> {
        self.mgrctl.call(function, params)
    }

    /// Reports success of an operation (`service.postsuspend` …): sets the status and ends the running operation.
    pub fn post(&self, function: &str, item: ServiceId) -> Result<()> {
        fault::point("callback.before");
        let called = self.call(function, &[("elid", Value::Plain(&item.to_string())), ("sok", Value::Plain("ok"))]);
        called.map(drop).or_else(|error| self.unless_reached(function, item, error))?;
        fault::point("callback.after");
        log::info!("service {item}: {function} done");
        Ok(())
    }

    /// Success if the service is where a failed callback leads to and the operation is over: the answer was lost, or
    /// the operation was done before. The error otherwise.
    pub fn unless_reached(&self, function: &str, item: ServiceId, error: Error) -> Result<()> {
        let (command, reached) = match function {
            "vds.open" | "service.postopen" => ("open", status::ACTIVE),
            "service.postreopen" => ("reopen", status::ACTIVE),
            "service.postsuspend" => ("suspend", status::SUSPENDED),
            "service.postresume" => ("resume", status::ACTIVE),
            "service.postclose" => ("close", status::DELETED),
            _ => return Err(error),
        };
        if error.is_unreachable_panel() || !self.has_reached(item, command, reached).unwrap_or(false) {
            return Err(error);
        }
        log::warn!("service {item}: {error}; but BILLmanager has the result of {command} already");
        Ok(())
    }

    /// Takes a tariff change in progress back; `false` when there is none.
    pub fn roll_tariff_back(&self, item: ServiceId, user: Option<u64>) -> Result<bool> {
        let rows = self.rows("SELECT lastpricelist FROM item WHERE id = ?", &[Param::Id(item.get())])?;
        if rows.first().and_then(|row| row.id::<TariffId>(0)).is_none() {
            return Ok(false);
        }
        let (item, user) = (item.to_string(), user.map(|id| id.to_string()));
        let mut params = vec![("elid", Value::Plain(&item)), ("sok", Value::Plain("ok"))];
        params.extend(user.as_deref().map(|id| ("userid", Value::Plain(id))));
        self.call("service.changepricelist.rollback", &params).map(|_| true)
    }

    /// Stores a plain parameter of a service, if it has another value.
    pub fn save(&self, item: ServiceId, name: &str, value: &str) -> Result<()> {
        let stored = || Ok(self.params(item)?.get(name).is_some_and(|old| old == value));
        self.save_as(item, name, &[&Value::Plain(value)], stored)
    }

    /// Stores those of some plain parameters of a service that have another value than in `known`.
    pub fn save_changed(
        &self,
        item: ServiceId,
        known: &BTreeMap<String, String>,
        values: &[(&str, String)],
    ) -> Result<()> {
        let mut changed = values.iter().filter(|(name, value)| known.get(*name) != Some(value));
        changed.try_for_each(|(name, value)| self.save(item, name, value))
    }

    /// Stores a crypted parameter of a service, if it has another value. BILLmanager encrypts it.
    pub fn save_secret(&self, item: ServiceId, name: &str, value: &SecretString) -> Result<()> {
        let stored = || Ok(self.secret(item, name)?.is_some_and(|old| old.expose_secret() == value.expose_secret()));
        self.save_as(item, name, &[&Value::Secret(value), &Value::Exposed(value)], stored)
    }

    /// Tries the calling forms of [protocol 3.28] until the value can be read back.
    fn save_as(&self, item: ServiceId, name: &str, values: &[&Value], stored: impl Fn() -> Result<bool>) -> Result<()> {
        const SAVE: &str = "service.saveparam";
        // Parameters of the call itself that the short form cannot be used for.
        const RESERVED: [&str; 7] = ["name", "value", "func", "elid", "sok", "out", "lang"];
        if stored()? {
            return Ok(());
        }
        let id = item.to_string();
        let mut last = None;
        for value in values {
            let crypted = Value::Plain(if matches!(value, Value::Plain(_)) { "off" } else { "on" });
            if matches!(value, Value::Exposed(_)) {
                log::warn!(
                    "service {item}: this panel takes \"{name}\" on the command line only, where ps can show it"
                );
            }
            let mut refused = true;
            for short in [true, false] {
                if short && RESERVED.contains(&name) {
                    continue;
                }
                let mut params =
                    vec![("elid", Value::Plain(&id)), ("sok", Value::Plain("ok")), ("crypted", crypted.again())];
                if short {
                    params.push((name, value.again()));
                } else {
                    params.extend([("name", Value::Plain(name)), ("value", value.again())]);
                }
                let answer = self.mgrctl.answer(SAVE, &params);
                if stored()? {
                    return Ok(());
                }
                refused &= answer.is_ok();
                let said = answer.and_then(|answer| mgrctl::checked(SAVE, &params, answer));
                refused &= said.is_err();
                match said {
                    Err(error) if error.is_unreachable_panel() => return Err(error),
                    said => last = said.err().or(last),
                }
            }
            // What was understood and refused is refused on the command line too, where it would only be seen.
            if refused {
                break;
            }
        }
        Err(last.unwrap_or_else(|| {
            let text = format!("service.saveparam said nothing, but \"{name}\" of service {item} was not stored");
            Error::new(Kind::Mgrctl, name, text)
        }))
    }

    /// Reaches the database; its kind and version.
    pub fn database(&self) -> Result<String> {
        self.rows("SELECT 1", &[])?;
        let version = self.database.borrow().as_ref().map_or("", Database::version_query);
        let rows = self.rows(version, &[])?;
        Ok(rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default())
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
    pub fn rest(&self) {
        self.database.borrow_mut().take();
    }

    /// The name of this installation in the marks of its VMs.
    pub fn installation(&self) -> Result<String> {
        self.key()?.installation()
    }

    fn key(&self) -> Result<&Key> {
        if self.key.get().is_none() {
            _ = self.key.set(Key::read(self.config.root.join(&self.options()?.key))?);
        }
        self.key.get().ok_or_else(|| unset("the private key"))
    }

    fn options(&self) -> Result<&Options> {
        if self.options.get().is_none() {
            _ = self.options.set(Options::read(&self.config, &self.mgrctl)?);
        }
        self.options.get().ok_or_else(|| unset("the options of the panel"))
    }

    fn rows(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>> {
        Ok(self.batch(&[(sql, params)])?.pop().unwrap_or_default())
    }

    /// Runs queries, the rows of each; a connection that the server closed meanwhile (a wait can take an hour) is opened
    /// once more.
    fn batch(&self, queries: &[Query]) -> Result<Vec<Vec<Row>>> {
        let mut database = self.database.borrow_mut();
        if let Some(open) = database.as_mut() {
            match open.rows(queries) {
                Ok(rows) => return Ok(rows),
                Err(error) => log::debug!("the database connection is renewed after: {error}"),
            }
        }
        let fresh = Database::connect(self.options()?, &self.config.root)?;
        database.insert(fresh).rows(queries)
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panel({})", self.config.root.display())
    }
}

/// The service or handler must be ours [protocol 5.3].
pub fn refuse_foreign(module: &str, what: &str) -> Result<()> {
    if module == MODULE {
        return Ok(());
    }
    let whose = if module.is_empty() { "no processing module".to_owned() } else { format!("the module {module}") };
    Err(Error::new(Kind::UnsupportedModule, module, format!("{what} belongs to {whose}, not to {MODULE}")))
}

fn unset(what: &str) -> Error {
    Error::new(Kind::State, "panel", format!("{what} could not be kept in memory"))
}
