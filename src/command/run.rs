//! Runs a command with what its line of the table says it needs.

use std::io::{IsTerminal, Read};
use std::rc::Rc;

use super::context::Context;
use super::table::TABLE;
use super::work::{Command, Work};
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::service::handler::HandlerJob;
use crate::service::job::turn::Stay;
use crate::wire::{self, Element};

impl Context<'_> {
    /// Runs the command; the answer document, if it has one.
    pub(crate) fn run(&self, command: &Command, stdin: &mut dyn Read) -> Result<Option<Element>> {
        match command.work {
            Work::Constant(answer) => Ok(Some(answer(TABLE))),
            Work::Form(answer) => answer(self, &read_document(command.name, stdin)?).map(Some),
            Work::Question(answer) => {
                discard(stdin);
                answer(self).map(Some)
            }
            Work::Look(answer) => self.turns.with_job(self.item()?, |job| answer(job, self.call)).map(Some),
            Work::Handler(_) | Work::Service(_) | Work::Button(_) if self.config.do_nothing() => {
                log::info!("etc/billmgr.DoNothing exists: {} does nothing on this installation", command.name);
                Ok(None)
            }
            Work::Handler(run) => {
                let handler = self.panel.handler(self.call.id("module")?)?;
                self.turns.note_handler(&handler);
                run(self, &HandlerJob::new(self.config, self.panel, handler, command.name)?).map(|()| None)
            }
            Work::Service(run) => {
                self.turns.with_turns(self.item()?, command.name, |job| run(job, self.call)).map(|()| None)
            }
            Work::Button(run) => {
                let done = self.turns.with_turn(self.item()?, command.name, Stay::ForAWhile, |job| run(job, self.call));
                done.map(|()| None)
            }
        }
    }

    /// Runs an operation on a service for its plan; its own error, if it has one.
    pub(crate) fn dry_run(&self, command: &Command, plan: &Rc<Plan>) -> Result<Option<Error>> {
        let (Work::Service(run) | Work::Button(run)) = command.work else {
            let text = format!("{} does not change a service: there is nothing to plan", command.name);
            return Err(Error::new(Kind::NotSupported, command.name, text));
        };
        self.turns.dry_run(self.item()?, plan, |job| run(job, self.call))
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

/// Reads to its end what nobody needs: BILLmanager must be able to write it. A terminal has no end.
fn discard(stdin: &mut dyn Read) {
    if !std::io::stdin().is_terminal() {
        _ = std::io::copy(stdin, &mut std::io::sink());
    }
}
