//! Operator sub-commands as clap knows them; each turns into the `Task` of its file in [`crate::admin`].

#[cfg(feature = "faults")]
use std::path::PathBuf;

use crate::admin::{check_connection, doctor, link, queue, reinstall, session, verify};
use crate::queue::Scope;
use crate::service::access::Reinstall;

/// Operator sub-commands.
#[derive(Debug, clap::Subcommand)]
pub enum Operator {
    /// Look for what is wrong with the installation and the handlers; changes nothing
    Doctor(Doctor),
    /// Try the stored settings of a handler out: address, certificate, login, role, version, rights, cluster
    CheckConnection(CheckConnection),
    /// Show what the module can do, and its settings
    #[command(after_long_help = FEATURES_JSON)]
    Features {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the operations that run and wait, pause and resume queues
    Queue(Queue),
    /// Show and drop cached sessions of VMmanager
    Session(Session),
    /// Link a service to a VM that another module made; shows both sides and changes nothing without --yes
    Link(Link),
    /// Install the OS of a service's VM anew: everything on its disk is lost
    Reinstall(Reinstallation),
    /// Compare what the module assumes of VMmanager with what this one shows; only reads
    Verify(Verify),
    /// List the fault points compiled into this build
    #[cfg(feature = "faults")]
    FaultPoints,
    /// Stand in the queue
    #[cfg(feature = "faults")]
    QueueHold(Hold),
    /// Use a session
    #[cfg(feature = "faults")]
    SessionVisit(Visit),
}

/// `doctor …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DOCTOR_JSON)]
pub struct Doctor {
    /// This handler alone, by its id in BILLmanager
    #[arg(long)]
    module: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const DOCTOR_JSON: &str = "\
Exit status: 0 when there is no warning and no error, 1 otherwise.

--json prints one object:
  {\"errors\": 1, \"warnings\": 0,
   \"sections\": [{\"about\": \"installation\", \"handler\": null,
     \"findings\": [{\"level\": \"error\", \"check\": \"executable\", \"what\": \"…\", \"cure\": \"…\"}]}]}
level: ok, note, warning, error, skipped. cure: for warnings and errors. handler: id, in the section of a handler.";

impl Doctor {
    /// What is to be done.
    pub fn task(&self) -> doctor::Task {
        doctor::Task { module: self.module, json: self.json }
    }
}

/// `check-connection …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = CHECK_CONNECTION_JSON)]
pub struct CheckConnection {
    /// Handler id in BILLmanager
    #[arg(long)]
    module: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const CHECK_CONNECTION_JSON: &str = "\
Exit status: 0 when every check has passed, 1 otherwise.

--json prints one object:
  {\"about\": \"handler 1 Amsterdam\", \"handler\": 1,
   \"findings\": [{\"level\": \"error\", \"check\": \"login\", \"what\": \"…\", \"cure\": \"…\"}]}
level: ok, note, error, skipped. cure: for errors.";

const FEATURES_JSON: &str = "\
--json prints one object:
  {\"module\": \"…\", \"version\": \"…\", \"commit\": \"…\", \"target\": \"…\", \"itemtypes\": [\"vds\"],
   \"commands\": [\"open\", …], \"features\": [\"datacenter\", …],
   \"settings\": [{\"name\": \"url\", \"default\": \"\", \"crypted\": false, \"custom\": false}]}
custom: stands in the handler's table Parameters, not in its form.";

impl CheckConnection {
    /// What is to be done.
    pub fn task(&self) -> check_connection::Task {
        check_connection::Task { module: self.module, json: self.json }
    }
}

/// `verify …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = VERIFY_JSON)]
pub struct Verify {
    /// Handler id in BILLmanager
    #[arg(long)]
    module: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const VERIFY_JSON: &str = "\
Exit status: 0 when no assumption is contradicted, 1 otherwise.
The answers, without any client's data, are kept in var/pmvmmanager6/verify-<handler>.json.

--json prints them, one object:
  {\"handler\": 1, \"program\": \"…\", \"at\": \"2026-11-22 16:01:42\", \"contradicted\": 0,
   \"questions\": [{\"row\": \"1, 4\", \"question\": \"…\", \"assumes\": \"…\", \"seen\": \"…\", \"agrees\": \"yes\"}]}
agrees: yes, no, unknown.";

impl Verify {
    /// What is to be done.
    pub fn task(&self) -> verify::Task {
        verify::Task { module: self.module, json: self.json }
    }
}

/// `queue …`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Queue {
    /// Print JSON
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    /// Show it again whenever it changes
    #[arg(long)]
    watch: bool,
    #[command(subcommand)]
    action: Option<QueueAction>,
}

#[derive(Debug, clap::Subcommand)]
enum QueueAction {
    /// Let operations that run finish, and further ones wait
    Pause(Keys),
    /// Let the waiting operations go on
    Resume(Keys),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Keys {
    /// Queue key, as "queue" shows it without its number
    key: Option<String>,
    /// Every queue, also those that are empty now
    #[arg(long)]
    all: bool,
}

impl Keys {
    fn scope(&self) -> Scope {
        self.key.clone().map_or(Scope::All, Scope::Key)
    }
}

impl Queue {
    /// What is to be done.
    pub fn task(&self) -> queue::Task {
        match &self.action {
            Some(QueueAction::Pause(keys)) => queue::Task::Pause(keys.scope()),
            Some(QueueAction::Resume(keys)) => queue::Task::Resume(keys.scope()),
            None if self.watch => queue::Task::Watch,
            None => queue::Task::Show { json: self.json },
        }
    }
}

/// `session …`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Session {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<SessionAction>,
}

#[derive(Debug, clap::Subcommand)]
enum SessionAction {
    /// Drop cached sessions: the next operation logs in again
    #[group(required = true, multiple = false)]
    Drop {
        /// Sessions of this address, as "session" shows it
        #[arg(long)]
        url: Option<String>,
        /// All sessions
        #[arg(long)]
        all: bool,
    },
}

impl Session {
    /// What is to be done.
    pub fn task(&self) -> session::Task {
        match &self.action {
            Some(SessionAction::Drop { url, all: _ }) => session::Task::Drop { url: url.clone() },
            None => session::Task::Show { json: self.json },
        }
    }
}

/// `link …`.
#[derive(Debug, clap::Args)]
pub struct Link {
    /// Service id in BILLmanager
    #[arg(long)]
    item: u64,
    /// VM id in VMmanager, when BILLmanager does not name it
    #[arg(long)]
    vm: Option<u64>,
    /// Write the mark and record the link
    #[arg(long)]
    yes: bool,
}

impl Link {
    /// What is to be done.
    pub fn task(&self) -> link::Task {
        link::Task { item: self.item, vm: self.vm, yes: self.yes }
    }
}

/// `reinstall …`.
#[derive(Debug, clap::Args)]
pub struct Reinstallation {
    /// Service id in BILLmanager
    #[arg(long)]
    item: u64,
    /// OS template instead of the ordered one, named as in BILLmanager
    #[arg(long)]
    os: Option<String>,
    /// Recipe to run after the installation, named as in BILLmanager
    #[arg(long)]
    recipe: Option<String>,
    /// Do it
    #[arg(long)]
    yes: bool,
}

impl Reinstallation {
    /// What is to be done.
    pub fn task(&self) -> reinstall::Task {
        let choice = Reinstall { os: self.os.clone(), recipe: self.recipe.clone() };
        reinstall::Task { item: self.item, choice, yes: self.yes }
    }
}

/// A process that stands in the queue, for the tests.
#[cfg(feature = "faults")]
#[derive(Debug, clap::Args)]
pub struct Hold {
    /// Queue key
    #[arg(long)]
    pub key: String,
    /// How many of the key may run at once
    #[arg(long, default_value_t = 1)]
    pub limit: u32,
    /// Word for the log
    #[arg(long, default_value = "-")]
    pub label: String,
    /// Service whose ticket is taken first
    #[arg(long)]
    pub service: Option<u64>,
    /// Log to append to
    #[arg(long)]
    pub log: PathBuf,
    /// Work for this many milliseconds, and not until standard input is closed
    #[arg(long = "for")]
    pub milliseconds: Option<u64>,
    /// Start a process that outlives this one
    #[arg(long)]
    pub child: bool,
}

/// A process that needs a session, for the tests.
#[cfg(feature = "faults")]
#[derive(Debug, clap::Args)]
pub struct Visit {
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
    /// A token that is not accepted any more
    #[arg(long)]
    pub revoked: Option<String>,
}
