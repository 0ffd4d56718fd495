//! The record of every panel call, `var/sandbox/mgrctl.jsonl`: what was asked, how, and what was answered.
//!
//! A record is appended before the answer leaves `mgrctl`, so whoever has seen an answer finds the record.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::root::Root;

/// How a parameter reached `mgrctl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// As `name=value` on the command line, where `ps` shows it.
    Argv,
    /// With `-e 'name=$VARIABLE'` from the environment.
    Env,
}

/// One parameter of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallParam {
    /// Its name.
    pub name: String,
    /// Its value, in plain text.
    pub value: String,
    /// How it was passed.
    pub from: Origin,
}

/// One call of `mgrctl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The argument vector exactly as received, program first.
    pub argv: Vec<String>,
    /// The environment variable that names the actor [protocol 2.3].
    pub ssh_connection: Option<String>,
    /// Process id of the caller.
    pub caller: u32,
    /// The panel function; empty when the arguments could not be read.
    pub function: String,
    /// Its parameters in the order given.
    pub params: Vec<CallParam>,
    /// What was printed on stdout, or on stderr when nothing was answered.
    pub answer: String,
    /// Type of the error that was answered.
    pub error: Option<String>,
    /// Exit status; `None` when the answer was lost.
    pub exit: Option<u8>,
    /// Monotonic time of the answer, comparable between processes of one machine.
    pub at: Duration,
    /// Local date and time of the answer.
    pub date: String,
}

impl Call {
    /// The last value given for a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|it| it.name == name).map(|it| it.value.as_str())
    }

    /// How a parameter was passed.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.params.iter().rev().find(|it| it.name == name).map(|it| it.from)
    }

    /// The panel did what was asked, and said so.
    pub fn succeeded(&self) -> bool {
        self.error.is_none() && self.exit == Some(0)
    }
}

/// Monotonic time since the machine started.
pub(super) fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::try_from(now).unwrap_or_default()
}

/// Appends a record; one `write`, so records of parallel processes do not mix.
pub(super) fn append(root: &Root, call: &Call) -> Result<()> {
    let mut line = serde_json::to_vec(call)?;
    line.push(b'\n');
    let file = root.own("mgrctl.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(&line)?;
    Ok(())
}

/// All records so far.
pub(super) fn read(root: &Root) -> Result<Vec<Call>> {
    let file = root.own("mgrctl.jsonl");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("a damaged record in {}", file.display())))
        .collect()
}

/// Forgets all records.
pub(super) fn forget(root: &Root) -> Result<()> {
    match fs::remove_file(root.own("mgrctl.jsonl")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
