//! The table of panel commands. A new command is one file here and one line in [`TABLE`]; what it needs around it
//! (the service's lock, the queue, the guard of a test installation) is said in the line, not in the file.

mod addip;
mod changepassword;
mod check_addon;
mod check_connection;
mod check_param;
mod close;
mod delip;
pub mod features;
mod form;
mod get_server_config;
mod get_suitable_module;
mod hardreboot;
mod import;
mod invocation;
mod open;
mod pricelist_dynamic_settings_tune;
mod reboot;
mod reopen;
mod resume;
mod setparam;
mod start;
mod stat;
mod stop;
mod suspend;
mod sync_item;
mod sync_server;
mod transition_controlpanel;
mod tune_connection;
mod tuning_param;

use std::io::{IsTerminal, Read};
use std::rc::Rc;

use crate::config::Config;
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Result};
use crate::id::{OperationId, ServiceId};
use crate::log;
use crate::panel::Panel;
use crate::service::handler::HandlerJob;
use crate::service::job::Job;
use crate::service::job::turn::Turns;
use crate::wire::{self, Element};
pub use invocation::Invocation;

/// What a command works on, and with that what it needs.
pub enum Work {
    /// Answers from the program itself: no disk, no network.
    Constant(fn() -> Element),
    /// Answers a document read from standard input.
    Form(fn(&Context, &Element) -> Result<Element>),
    /// Answers a question of a form from its arguments; standard input is not read.
    Question(fn(&Context) -> Result<Element>),
    /// Answers a document about a service without changing it: no ticket, no queue.
    Look(fn(&Job, &Invocation) -> Result<Element>),
    /// Changes what belongs to a handler (`--module`): runs alone for it, does nothing on a copied installation, prints
    /// nothing.
    Handler(fn(&Context, &HandlerJob) -> Result<()>),
    /// Changes a service: runs under the service's ticket, waits in the handler's queue, does nothing on a copied
    /// installation, prints nothing.
    Service(fn(&Job, &Invocation) -> Result<()>),
}

/// One line of the table.
pub struct Command {
    /// As in `--command` and in `features`.
    pub name: &'static str,
    /// Listed in `features` (`features` itself is not one).
    pub feature: bool,
    /// What it does.
    pub work: Work,
}

/// Every command.
///
/// `prolong` and `cancel_prolong` are left out on purpose: nothing happens in VMmanager when a service is paid for
/// another month, BILLmanager extends it by itself as long as the feature is not declared, and declaring it would make
/// every payment wait for a process of ours [protocol 3.10, 7.22].
pub const TABLE: &[Command] = &[
    Command { name: "features", feature: false, work: Work::Constant(features::answer) },
    Command { name: "check_connection", feature: true, work: Work::Form(check_connection::answer) },
    Command { name: "open", feature: true, work: Work::Service(open::run) },
    Command { name: "reopen", feature: true, work: Work::Service(reopen::run) },
    Command { name: "suspend", feature: true, work: Work::Service(suspend::run) },
    Command { name: "resume", feature: true, work: Work::Service(resume::run) },
    Command { name: "close", feature: true, work: Work::Service(close::run) },
    Command { name: SETPARAM, feature: true, work: Work::Service(setparam::run) },
    Command { name: "start", feature: true, work: Work::Service(start::run) },
    Command { name: "stop", feature: true, work: Work::Service(stop::run) },
    Command { name: "reboot", feature: true, work: Work::Service(reboot::run) },
    Command { name: "hardreboot", feature: true, work: Work::Service(hardreboot::run) },
    Command { name: "changepassword", feature: true, work: Work::Service(changepassword::run) },
    Command { name: "addip", feature: true, work: Work::Service(addip::run) },
    Command { name: "delip", feature: true, work: Work::Service(delip::run) },
    Command { name: "sync_item", feature: true, work: Work::Service(sync_item::run) },
    Command { name: "transition_controlpanel", feature: true, work: Work::Look(transition_controlpanel::answer) },
    Command { name: "tuning_param", feature: true, work: Work::Form(tuning_param::answer) },
    Command { name: "tune_connection", feature: true, work: Work::Form(tune_connection::answer) },
    Command {
        name: "pricelist_dynamic_settings_tune",
        feature: true,
        work: Work::Form(pricelist_dynamic_settings_tune::answer),
    },
    Command { name: "get_server_config", feature: true, work: Work::Handler(get_server_config::run) },
    Command { name: "sync_server", feature: true, work: Work::Handler(sync_server::run) },
    Command { name: "stat", feature: true, work: Work::Handler(stat::run) },
    Command { name: "import", feature: true, work: Work::Handler(import::run) },
    Command { name: "get_suitable_module", feature: true, work: Work::Form(get_suitable_module::answer) },
    Command { name: "check_param", feature: true, work: Work::Question(check_param::answer) },
    Command { name: "check_addon", feature: true, work: Work::Question(check_addon::answer) },
];

/// The command whose failure takes a tariff change back [protocol 3.9].
const SETPARAM: &str = "setparam";

/// Finds a command; spelling differences that BILLmanager versions may have are forgiven [protocol 7.2].
pub fn find(name: &str) -> Result<&'static Command> {
    if name.is_empty() {
        return Err(Error::new(Kind::BadArgument, "command", "--command needs the name of a command"));
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    TABLE.iter().find(|command| plain(command.name) == plain(name)).ok_or_else(|| {
        let text = format!("the command \"{name}\" is not supported by this module");
        Error::new(Kind::NotSupported, name, text)
    })
}

/// Surroundings of one command.
pub struct Context<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    /// Arguments.
    pub call: &'a Invocation,
    /// BILLmanager.
    pub panel: &'a Panel,
    /// The way to work on a service.
    pub turns: Turns<'a>,
}

impl<'a> Context<'a> {
    /// The surroundings of what BILLmanager has called.
    pub fn new(config: &'a Config, panel: &'a Panel, call: &'a Invocation) -> Self {
        // A wrong number is the command's error, not that of its surroundings.
        let operation = call.optional_id("runningoperation").ok().flatten();
        Context { config, call, panel, turns: Turns::new(config, panel, operation) }
    }

    /// Runs the command; the answer document, if it has one.
    pub fn run(&self, command: &Command, stdin: &mut dyn Read) -> Result<Option<Element>> {
        match command.work {
            Work::Constant(answer) => Ok(Some(answer())),
            Work::Form(answer) => answer(self, &read_document(command.name, stdin)?).map(Some),
            Work::Question(answer) => answer(self).map(Some),
            Work::Look(answer) => {
                self.turns.with_job(self.item()?, command.name, |job| answer(job, self.call)).map(Some)
            }
            Work::Handler(_) | Work::Service(_) if self.config.do_nothing() => {
                log::info!("etc/billmgr.DoNothing exists: {} does nothing on this installation", command.name);
                Ok(None)
            }
            Work::Handler(run) => {
                let handler = self.panel.handler(self.call.id("module")?)?;
                self.turns.note_handler(&handler);
                run(self, &HandlerJob::new(self.config, self.panel, handler, command.name)?).map(|()| None)
            }
            Work::Service(run) => {
                let done = self.turns.with_turn(self.item()?, command.name, |job| run(job, self.call));
                done.inspect_err(|error| self.take_tariff_change_back(command, error)).map(|()| None)
            }
        }
    }

    /// The service, when the operation that asks for it is named rightly.
    fn item(&self) -> Result<ServiceId> {
        self.call.optional_id::<OperationId>("runningoperation")?;
        self.call.id("item")
    }

    /// Runs an operation on a service for its plan; its own error, if it has one.
    pub fn dry_run(&self, command: &Command, plan: &Rc<Plan>) -> Result<Option<Error>> {
        let Work::Service(run) = command.work else {
            let text = format!("{} does not change a service: there is nothing to plan", command.name);
            return Err(Error::new(Kind::NotSupported, command.name, text));
        };
        let failed = self.turns.dry_run(self.item()?, command.name, plan, |job| run(job, self.call))?;
        Ok(failed.inspect(|error| self.take_tariff_change_back(command, error)))
    }

    /// A tariff change that failed is taken back, whatever the reason was; only a panel that cannot be reached, or a
    /// service that is not ours, is left alone.
    fn take_tariff_change_back(&self, command: &Command, error: &Error) {
        let (Ok(item), Ok(user)) = (self.call.id("item"), self.call.optional_id("userid")) else { return };
        if command.name != SETPARAM || self.turns.handler().is_none() || error.is_unreachable_panel() {
            return;
        }
        match self.panel.roll_tariff_back(item, user) {
            Ok(true) => log::warn!("service {item}: the tariff change was taken back"),
            Ok(false) => {}
            Err(error) => log::error!("service {item}: the tariff change could not be taken back: {error}"),
        }
    }
}

/// Standard input as a document. A terminal would make the command hang, and a person wonder.
fn read_document(command: &str, stdin: &mut dyn Read) -> Result<Element> {
    if std::io::stdin().is_terminal() {
        let text = format!("--command {command} reads an XML document from standard input, which is a terminal");
        return Err(Error::new(Kind::BadInputXml, "stdin", text));
    }
    let mut bytes = Vec::new();
    // One byte more than the parser takes, so that it can say "too long".
    let limit = wire::MAX_BYTES as u64 + 1;
    stdin
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(Kind::BadInputXml, "stdin", format!("standard input cannot be read: {error}")))?;
    wire::parse(&bytes)
}
