//! The stand-in BILLmanager: a whole installation in a temporary root, with its database, its `mgrctl` and its way of
//! running a processing module.
//!
//! A [`Bill`] plays the panel and its staff: it takes orders, starts operations and runs the real module for them. The
//! module calls back through `sbin/mgrctl`, a process of its own, which applies every function to the same database
//! ([`panel`]); nothing is pretended in between. What a test wants to go wrong is arranged in files ([`CallFault`],
//! [`Behaviour`]), and every call is recorded ([`Call`]).
//!
//! The methods of [`Bill`] panic when the stand-in itself fails (a statement is refused, an id is unknown): in a test
//! that is a mistake of the test.

pub mod base;
mod calls;
mod catalogue;
mod control;
mod distribution;
mod form;
mod handover;
mod key;
mod mariadb;
mod model;
mod operation;
mod order;
pub mod panel;
mod plugin;
mod remote;
mod root;
mod rows;
mod schema;
mod store;

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

pub use calls::{Call, CallParam, Origin};
pub use control::{Behaviour, CallFault, SaveParam};
pub use form::{Carried, Form, Style};
pub use key::{Format, Key, KeyPair};
pub use model::{Addon, Handler, Order, Tariff, VENDOR_MODULE, addontype, billtype};
pub use operation::Run;
pub use plugin::Field;
pub use remote::{Demand, Listener};
pub use rows::{ItemRow, ProblemRow, RunningRow, TaskRow};
pub use store::{Row, Value};

use root::Root;
use store::{Location, Store};

/// The name of the module under test.
pub const MODULE: &str = "pmvmmanager6";

/// Which database the installation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Database {
    /// A file, for tests that do not ask about SQL.
    #[default]
    Sqlite,
    /// A real server, as BILLmanager has it; one per process, a database of its own per installation.
    MariaDb,
    /// A real server of its own, on another host as far as the module knows: reached over TCP, with a certificate.
    Remote,
}

/// What kind of installation to start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its database.
    pub database: Database,
    /// Its key.
    pub key: Key,
    /// The executable under test.
    pub module: PathBuf,
    /// Tells installations apart: another number has another key pair.
    pub installation: u32,
    /// Where its root is made; the directory for temporary files if it does not matter.
    pub place: Option<PathBuf>,
    /// Further environment variables for every run of the module.
    pub environment: Vec<(String, String)>,
}

impl Setup {
    /// SQLite, a 2048-bit key, and the given executable as the module. Where a `MySQL` is chosen, that is the database.
    pub fn new(module: impl Into<PathBuf>) -> Self {
        Self {
            database: if distribution::is_chosen() { Database::MariaDb } else { Database::default() },
            key: Key::default(),
            module: module.into(),
            installation: 0,
            place: None,
            environment: Vec::new(),
        }
    }
}

/// A running installation; removed when dropped.
pub struct Bill {
    root: Root,
    store: Mutex<Store>,
    key: KeyPair,
    environment: Vec<(String, String)>,
    server: Option<Arc<mariadb::Server>>,
    _directory: TempDir,
}

impl Bill {
    /// Builds an installation: files, database with base data, `sbin/mgrctl`, `processing/pmvmmanager6`.
    pub fn start(setup: Setup) -> Result<Self> {
        let place = setup.place.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new().prefix("mgr5-").tempdir_in(place)?;
        let root = Root::new(directory.path().canonicalize()?);
        let (location, server) = match setup.database {
            Database::Sqlite => {
                let file = root.path().join("var/billmgr.db");
                (Location::Sqlite { file }, None)
            }
            Database::MariaDb => {
                let server = mariadb::Server::shared()?;
                (server.create_database()?, Some(server))
            }
            Database::Remote => {
                let server = mariadb::Server::remote()?;
                (server.create_database()?, Some(server))
            }
        };
        let key = KeyPair::of_installation(&crate::binary::cache("keys")?, setup.key.bits, setup.installation)?;
        root.lay_out(&location, &key.pem(setup.key.format)?)?;
        if let (Database::Remote, Some(server)) = (setup.database, &server) {
            // The stand-in goes on over the socket.
            root.hide_options(&["DBHost", "DBSocket"])?;
            remote::lead_to(&root, server.address()?, None)?;
        }
        plugin::install(&root)?;
        link(&crate::binary("mgrctl")?, &root.mgrctl())?;
        link(&setup.module, &root.module(MODULE))?;
        let mut store = Store::open(&location)?;
        store.transaction(|store| {
            schema::create(store)?;
            base::fill(store)
        })?;
        Ok(Self { root, store: Mutex::new(store), key, environment: setup.environment, server, _directory: directory })
    }

    /// The root directory, `/usr/local/mgr5` elsewhere.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The module's log so far; empty when there is none.
    pub fn log(&self) -> String {
        fs::read_to_string(self.root.log(MODULE)).unwrap_or_default()
    }

    /// Runs a statement; answers the number of changed rows.
    pub fn exec(&self, sql: &str, params: &[&str]) -> u64 {
        self.ask(|store| store.exec(sql, &texts(params)))
    }

    /// The rows of a query.
    pub fn rows(&self, sql: &str, params: &[&str]) -> Vec<Row> {
        self.ask(|store| store.rows(sql, &texts(params)))
    }

    /// Encrypts as the panel does.
    pub fn encrypt(&self, plain: &str) -> String {
        must(self.key.encrypt(plain))
    }

    /// Decrypts as the panel does.
    pub fn decrypt(&self, crypted: &str) -> String {
        must(self.key.decrypt(crypted))
    }

    /// Every panel call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        must(calls::read(&self.root))
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        must(calls::forget(&self.root));
    }

    /// The panel restarts: it cannot be reached for the next calls, or with `None` until [`panel_up`](Self::panel_up).
    pub fn panel_down(&self, calls: Option<u32>) {
        must(control::down(&self.root, calls));
    }

    /// The panel answers again.
    pub fn panel_up(&self) {
        must(control::up(&self.root));
    }

    /// The next `times` calls of a panel function go wrong.
    pub fn fail_call(&self, function: &str, how: CallFault, times: u32) {
        must(control::plan(&self.root, function, how, times));
    }

    /// Forgets every planned fault.
    pub fn clear_call_faults(&self) {
        must(control::clear(&self.root));
    }

    /// Chooses among the behaviours of different panel versions.
    pub fn behave(&self, behaviour: Behaviour) {
        must(control::behave(&self.root, behaviour));
    }

    /// Takes options out of the configuration files: only `paramlist` tells them [protocol A16].
    pub fn hide_options(&self, names: &[&str]) {
        must(self.root.hide_options(names));
    }

    /// Puts `etc/billmgr.DoNothing` in place or takes it away [protocol 1.1].
    pub fn do_nothing(&self, on: bool) {
        let flag = self.root.path().join("etc/billmgr.DoNothing");
        let done = if on { fs::write(&flag, "") } else { fs::remove_file(&flag) };
        must(done.context("cannot switch etc/billmgr.DoNothing"));
    }

    /// Talks to the database; one at a time, and never across a run of the module.
    #[track_caller]
    fn ask<T>(&self, work: impl FnOnce(&mut Store) -> Result<T>) -> T {
        must(work(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The same in one transaction.
    #[track_caller]
    fn change<T>(&self, work: impl FnOnce(&mut Store) -> Result<T>) -> T {
        self.ask(|store| store.transaction(work))
    }
}

impl Debug for Bill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bill").field("root", &self.root).finish_non_exhaustive()
    }
}

fn texts(params: &[&str]) -> Vec<Value> {
    params.iter().map(|text| Value::from(*text)).collect()
}

/// A symbolic link: the program finds its installation by the path it was called with.
fn link(program: &Path, place: &Path) -> Result<()> {
    let program = program.canonicalize().with_context(|| format!("there is no {}", program.display()))?;
    std::os::unix::fs::symlink(&program, place).with_context(|| format!("cannot create {}", place.display()))
}

/// The stand-in must not fail; if it does, the test is wrong and says where.
#[track_caller]
fn must<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the stand-in BILLmanager: {error:#}"),
    }
}
