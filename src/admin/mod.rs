//! Operator commands: what an administrator runs by hand. One file a command; each writes text for people, or JSON on
//! request, to the writer it is given. Styles (`anstyle`) may be written always: where the output is no terminal they
//! are taken out on the way.

pub mod audit;
pub mod check_connection;
mod connection;
pub mod doctor;
pub mod features;
mod finding;
pub mod link;
pub mod metrics;
pub mod plan;
pub mod queue;
pub mod reinstall;
mod service;
pub mod session;
pub mod show;
mod table;
pub mod verify;

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use serde::Serialize;

use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// How long a BILLmanager that restarts is waited for while somebody looks on.
const PANEL_PATIENCE: Duration = Duration::from_secs(5);

/// What an operator command says with its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is odd: 0.
    Fine,
    /// There is something to look at: 1.
    Findings,
}

/// Only the owner of the installation may continue: everybody else would read of missing files where permissions are
/// missing.
pub fn admit(config: &Config) -> Result<()> {
    let root = config.root.display().to_string();
    let owner = std::fs::metadata(&config.root).map(|found| found.uid()).map_err(|error| {
        Error::new(Kind::State, root.as_str(), format!("there is no BILLmanager in {root}: {error}"))
            .cure("PMVMMANAGER6_ROOT names another place")
    })?;
    let user = rustix::process::geteuid();
    if user.is_root() || user.as_raw() == owner {
        return Ok(());
    }
    let text = format!("{root} belongs to user {owner}, this is user {}", user.as_raw());
    Err(Error::new(Kind::State, root, text).cure("run it as root, for example with sudo"))
}

/// For questions that a person waits for: nobody is given the patience of an operation.
fn hurried(config: &Config) -> Config {
    let mut hurried = config.impatient();
    hurried.limits.panel = config.limits.panel.min(PANEL_PATIENCE);
    hurried
}

/// Writes text and flushes it; a closed pipe is an error like any other.
pub fn write(out: &mut dyn Write, text: &str) -> Result<()> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))
}

/// Writes a JSON document with a final line break.
fn write_json(out: &mut dyn Write, document: &impl Serialize) -> Result<()> {
    write(out, &json_text(document)?)
}

/// The text of a JSON document with a final line break.
fn json_text(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))?;
    Ok(text + "\n")
}
