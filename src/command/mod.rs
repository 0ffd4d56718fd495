//! The table of panel commands. A new command is one file here and one line in [`TABLE`]; what it needs around it
//! (the service's lock, the queue, the guard of a test installation) is said in the line, not in the file.

mod check_connection;
mod close;
mod features;
mod open;
mod reopen;
mod resume;
mod suspend;
mod tuning_param;

use std::cell::RefCell;
use std::io::{IsTerminal, Read};

use crate::cli::Invocation;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::{Panel, refuse_foreign};
use crate::queue::{self, Label, Turn};
use crate::service::{Job, connection};
use crate::wire::{self, Element};

/// What a command works on, and with that what it needs.
pub enum Work {
    /// Answers from the program itself: no disk, no network.
    Constant(fn() -> Element),
    /// Answers a document read from standard input.
    Form(fn(&Context, &Element) -> Result<Element>),
    /// Changes a service: runs under the service's ticket, waits in the handler's queue, does nothing on a copied
    /// installation, prints nothing.
    Service(fn(&Job) -> Result<()>),
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
pub const TABLE: &[Command] = &[
    Command { name: "features", feature: false, work: Work::Constant(features::answer) },
    Command { name: "check_connection", feature: true, work: Work::Form(check_connection::answer) },
    Command { name: "open", feature: true, work: Work::Service(open::run) },
    Command { name: "reopen", feature: true, work: Work::Service(reopen::run) },
    Command { name: "suspend", feature: true, work: Work::Service(suspend::run) },
    Command { name: "resume", feature: true, work: Work::Service(resume::run) },
    Command { name: "close", feature: true, work: Work::Service(close::run) },
];

/// Finds a command; spelling differences that BILLmanager versions may have are forgiven [protocol 7.2].
pub fn find(name: &str) -> Result<&'static Command> {
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
    /// Id and name of the handler as soon as it is known, for the report of a failure.
    pub handler: RefCell<Option<(u64, String)>>,
}

impl Context<'_> {
    /// Runs the command; the answer document, if it has one.
    pub fn run(&self, command: &Command, stdin: &mut dyn Read) -> Result<Option<Element>> {
        match command.work {
            Work::Constant(answer) => Ok(Some(answer())),
            Work::Form(answer) => answer(self, &read_document(command.name, stdin)?).map(Some),
            Work::Service(_) if self.config.do_nothing() => {
                log::info!("etc/billmgr.DoNothing exists: {} does nothing on this installation", command.name);
                Ok(None)
            }
            Work::Service(run) => self.run_service(command, run).map(|()| None),
        }
    }

    /// The service's ticket comes first and the key's ticket second, always in this order: no deadlock. The service is
    /// read after the wait, because it may have changed meanwhile.
    fn run_service(&self, command: &Command, run: fn(&Job) -> Result<()>) -> Result<()> {
        let item = self.call.id("item")?;
        let owner = self.panel.owner(item)?;
        refuse_foreign(&owner.module, &format!("service {item}"))?;
        let id = owner.handler.ok_or_else(|| {
            Error::new(Kind::UnsupportedModule, "", format!("service {item} has no processing module"))
        })?;
        let handler = self.panel.handler(id)?;
        *self.handler.borrow_mut() = Some((handler.id, handler.name.clone()));
        let label = Label { command: command.name.to_owned(), item: Some(item), handler: Some(id) };
        let _service = self.ticket(&format!("service:{item}"), 1, &label)?;
        let service = self.panel.service(item)?;
        let vmm = connection::client(self.config, &handler)?;
        let job = Job::new(self.config, self.panel, &handler, service, vmm, label)?;
        run(&job)
    }

    fn ticket(&self, key: &str, limit: u32, label: &Label) -> Result<Turn> {
        queue::enter(&self.config.runtime_dir(), key, limit, label, &mut |_| {})
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
    let limit = (1 << 20) + 1;
    stdin
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(Kind::BadInputXml, "stdin", format!("standard input cannot be read: {error}")))?;
    wire::parse(&bytes)
}
