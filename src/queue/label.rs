//! What people read about a ticket: whose it is, and why it waits.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pause::Scope;
use crate::id::{HandlerId, ServiceId};

/// Whose ticket it is, for the people who look at the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The operation, for example `open`.
    pub command: String,
    /// The service.
    pub item: Option<ServiceId>,
    /// The handler.
    pub handler: Option<HandlerId>,
}

/// Why an operation has to wait; [`fmt::Display`] makes a sentence of it.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Queue key.
    pub key: String,
    /// Place among those that wait, from 1.
    pub place: usize,
    /// The operations that run now.
    pub holders: Vec<Holder>,
    /// The pause that holds the queue up.
    pub pause: Option<Scope>,
}

/// An operation that runs.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What it is.
    pub label: Label,
    /// Its process.
    pub pid: u32,
    /// How long it has been running.
    pub running: Duration,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "{} of service {item}", self.command),
            None => f.write_str(&self.command),
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting in queue {}, place {}", self.key, self.place)?;
        for (n, holder) in self.holders.iter().enumerate() {
            let Holder { label, pid, running } = holder;
            let word = if n == 0 { "; now runs" } else { "," };
            write!(f, "{word} {label} (process {pid}, for {} s)", running.as_secs())?;
        }
        match &self.pause {
            Some(Scope::All) => f.write_str("; all queues are paused: pmvmmanager6 queue resume --all"),
            Some(Scope::Key(key)) => write!(f, "; the queue is paused: pmvmmanager6 queue resume '{key}'"),
            None => Ok(()),
        }
    }
}
