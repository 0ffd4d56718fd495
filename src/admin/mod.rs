//! Operator commands: what an administrator runs by hand. One file a command; each writes text for people, or JSON on
//! request, to the writer it is given. Styles (`anstyle`) may be written always: where the output is no terminal they are
//! taken out on the way.

pub mod audit;
#[cfg(feature = "faults")]
pub mod hold;
pub mod link;
pub mod queue;
pub mod reinstall;
mod service;
pub mod session;
mod table;
#[cfg(feature = "faults")]
pub mod visit;

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use serde::Serialize;

use crate::cli::Operator;
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// What an operator command says with its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is odd: 0.
    Fine,
    /// There is something to look at: 1.
    Findings,
}

/// Only the owner of the installation gets on: everybody else would be told of missing files where permissions are
/// missing.
pub fn admit(config: &Config) -> Result<()> {
    let root = config.root.display().to_string();
    let owner = std::fs::metadata(&config.root).map(|found| found.uid()).map_err(|error| {
        let text = format!("there is no BILLmanager in {root}: {error} (PMVMMANAGER6_ROOT names another place)");
        Error::new(Kind::State, root.as_str(), text)
    })?;
    let user = rustix::process::geteuid();
    if user.is_root() || user.as_raw() == owner {
        return Ok(());
    }
    let text = format!(
        "{root} belongs to user {owner}, this is user {}: run it as root, for example with sudo",
        user.as_raw()
    );
    Err(Error::new(Kind::State, root, text))
}

/// Runs an operator command.
pub fn run(config: &Config, operator: &Operator, out: &mut dyn Write) -> Result<Verdict> {
    let runtime = config.runtime_dir();
    let done = match operator {
        Operator::Audit(audit) => return audit::run(config, &audit.task(), out),
        Operator::Queue(queue) => queue::run(&runtime, &queue.task(), out),
        Operator::Session(session) => session::run(&runtime, &session.task(), out),
        Operator::Link(link) => link::run(config, &link.task(), out),
        Operator::Reinstall(reinstall) => reinstall::run(config, &reinstall.task(), out),
        #[cfg(feature = "faults")]
        Operator::FaultPoints => write(out, &(crate::fault::POINTS.join("\n") + "\n")),
        #[cfg(feature = "faults")]
        Operator::QueueHold(hold) => hold::run(&runtime, hold, &mut std::io::stdin()),
        #[cfg(feature = "faults")]
        Operator::SessionVisit(visit) => visit::run(&runtime, visit),
    };
    done.map(|()| Verdict::Fine)
}

/// Writes text and flushes it; a closed pipe is an error like any other.
pub fn write(out: &mut dyn Write, text: &str) -> Result<()> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))
}

/// Writes a JSON document with a final line break.
fn write_json(out: &mut dyn Write, document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))?;
    write(out, &format!("{text}\n"))
}
