//! Operator sub-commands as clap knows them; each turns into the `Task` of its file in [`crate::admin`].

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::admin::{
    audit, check_connection, doctor, features, link, metrics, plan, queue, reinstall, session, show, verify,
};
use crate::queue::Scope;
use crate::service::audit::Kind;
use crate::service::vm::access::Reinstall;

/// Operator sub-commands.
#[derive(Debug, clap::Subcommand)]
pub enum Operator {
    /// Look for what is wrong with the installation and the handlers; changes nothing
    Doctor(Doctor),
    /// Try the stored settings of a handler out: address, certificate, login, role, version, rights, cluster
    CheckConnection(CheckConnection),
    /// Show what the module can do, and its settings
    Features(Features),
    /// Show the operations that run and wait, pause and resume queues
    Queue(Queue),
    /// Show and drop cached sessions of VMmanager
    Session(Session),
    /// Find where BILLmanager's services and VMmanager's VMs have drifted apart; changes nothing without --yes
    Audit(Audit),
    /// Link a service to a VM that another module made; shows both sides and changes nothing without --yes
    Link(Link),
    /// Show what an operation on a service would send to VMmanager and BILLmanager, and why; sends nothing
    Plan(Plan),
    /// Install the OS of a service's VM anew: everything on its disk is lost
    Reinstall(Reinstallation),
    /// Show everything that is known of a service: BILLmanager, journal, VMmanager, queue, log
    Show(Show),
    /// Print metrics for Prometheus: operations, requests, logins, retries, queue, journal
    Metrics(Metrics),
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

impl CheckConnection {
    /// What is to be done.
    pub fn task(&self) -> check_connection::Task {
        check_connection::Task { module: self.module, json: self.json }
    }
}

/// `features …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FEATURES_JSON)]
pub struct Features {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const FEATURES_JSON: &str = "\
--json prints one object:
  {\"module\": \"…\", \"version\": \"…\", \"commit\": \"…\", \"target\": \"…\", \"itemtypes\": [\"vds\"],
   \"commands\": [\"open\", …], \"features\": [\"datacenter\", …],
   \"settings\": [{\"name\": \"url\", \"default\": \"\", \"crypted\": false, \"custom\": false}]}
custom: stands in the handler's table Parameters, not in its form.";

impl Features {
    /// What is to be done.
    pub fn task(&self) -> features::Task {
        features::Task { json: self.json }
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

/// `plan …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = plan::DOCUMENT)]
pub struct Plan {
    /// Service id in BILLmanager
    #[arg(long)]
    item: u64,
    /// Operation; without it the one that BILLmanager runs, or that fits the service's status
    #[arg(long, value_parser = plan::COMMANDS)]
    command: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Plan {
    /// What is to be done.
    pub fn task(&self) -> plan::Task {
        plan::Task { item: self.item, command: self.command.clone(), json: self.json }
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

/// `show …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SHOW_HELP)]
pub struct Show {
    /// Service id in BILLmanager
    #[arg(long)]
    item: u64,
    /// Print JSON
    #[arg(long, conflicts_with = "bundle")]
    json: bool,
    /// Write an archive (tar.gz) for support instead: no passwords, e-mail addresses shortened
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

const SHOW_HELP: &str = "\
Nothing is changed. What cannot be read is named, and the rest is shown. Exit status 1: a part is missing,
or two parts contradict each other.

--json prints one object: service (id), complete (every part could be read), contradictions (sentences),
  billmanager  status, status_name, period_months, client, tariff, handler, parameters, addons, order (what
               the module reads from them), slots, operations (id, command, tries, manual, error)
  journal      phase, mark, account, vm, vm_created, task, restart, stopped_again, changed, ended, traffic,
               speed_cap; null when the journal does not know the service
  vmmanager    url, mark, vm (with owner, sizes, pending, addresses, proof; null for none), also_marked, tasks
  queue        tickets (as in \"queue --json\", with key), paused (keys), paused_all
  log          lines
A part that cannot be read is {\"error\": \"…\"}, what is not known is null, a secret is \"***\".

The archive of --bundle holds report.txt, report.json, versions.json, log.txt, features.xml, queue.json,
handler.json, vm.json and history.json. An existing file is never overwritten.";

impl Show {
    /// What is to be done.
    pub fn task(&self) -> show::Task {
        show::Task { item: self.item, json: self.json, bundle: self.bundle.clone() }
    }
}

/// `metrics …`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = METRICS_HELP)]
pub struct Metrics {
    /// Replace this file in one step instead: for node exporter's textfile collector, so name it *.prom
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const METRICS_HELP: &str = "\
Each command that BILLmanager runs adds its numbers when it ends; one that is killed adds none. They are kept in
/run/pmvmmanager6/metrics.json: a reboot resets them, which Prometheus understands. Queue and journal are looked at
now. What is run by hand counts only in the form --command.

What cannot be read is left out, pmvmmanager6_readable{part=\"…\"} is 0, and the exit status is 1.

--json prints one object:
{\"metrics\": [{\"name\", \"help\", \"type\", \"samples\": [{\"name\", \"labels\": {…}, \"value\"}]}]}";

impl Metrics {
    /// What is to be done.
    pub fn task(&self) -> metrics::Task {
        metrics::Task { json: self.json, output: self.output.clone() }
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
