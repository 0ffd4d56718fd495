//! Operator sub-commands as clap knows them; each turns into the `Task` of its file in [`crate::admin`].

#[cfg(feature = "faults")]
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::admin::{audit, link, queue, reinstall, session};
use crate::queue::Scope;
use crate::service::access::Reinstall;
use crate::service::audit::Kind;

/// Operator sub-commands.
#[derive(Debug, clap::Subcommand)]
pub enum Operator {
    /// Show the operations that run and wait, pause and resume queues
    Queue(Queue),
    /// Show and drop cached sessions of VMmanager
    Session(Session),
    /// Find where BILLmanager's services and VMmanager's VMs have drifted apart; changes nothing without --yes
    Audit(Audit),
    /// Link a service to a VM that another module made; shows both sides and changes nothing without --yes
    Link(Link),
    /// Install the OS of a service's VM anew: everything on its disk is lost
    Reinstall(Reinstallation),
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

/// `audit …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = audit::help())]
pub struct Audit {
    /// Handler id (processing module) instead of all handlers
    #[arg(long)]
    module: Option<u64>,
    /// Print JSON
    #[arg(long, conflicts_with = "repair")]
    json: bool,
    /// Show what would be repaired of one kind of findings
    #[arg(long, value_name = "KIND", value_parser = safe_kind())]
    repair: Option<Kind>,
    /// Service id instead of all services
    #[arg(long, requires = "repair")]
    item: Option<u64>,
    /// Repair it
    #[arg(long, requires = "repair")]
    yes: bool,
}

/// The kinds that are repaired; clap names them to whoever asks for another.
fn safe_kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::SAFE.map(Kind::name)).try_map(|name| Kind::safe(&name).ok_or("no safe kind"))
}

impl Audit {
    /// What is to be done.
    pub fn task(&self) -> audit::Task {
        let module = self.module;
        match self.repair {
            Some(kind) => audit::Task::Repair { module, kind, item: self.item, yes: self.yes },
            None => audit::Task::Show { module, json: self.json },
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
