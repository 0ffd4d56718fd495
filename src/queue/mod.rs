//! The queue of operations: which process may work now, across processes, without a daemon.
//!
//! **Invariant.** A ticket may start iff fewer than N tickets of its key stand before it ([`admission`]). Tickets
//! before it only ever disappear, therefore at most N of a key run at once and they start in the order of arrival.
//! Arrival is the commit of the ticket, not the start of the process.
//!
//! **Who lives.** Each ticket is a file that its process holds locked from birth to death ([`ticket`]). The kernel, not
//! a clock and not a process id, says who is alive. `runtime.db` ([`store`]) only orders the tickets; it can be rebuilt
//! from the files while everybody waits.
//!
//! **Waking.** A waiter sleeps in a blocking lock on a ticket before it ([`wait`]); nothing polls. Who wakes up next
//! to a dead ticket removes it; each arrival looks at the oldest few as well. A paused key is a named pipe in which
//! the first in line sleeps ([`mod@pause`]).
//!
//! **Lock order.** Service ticket, key ticket, login lock of a session, guard of `runtime.db`. A ticket file is locked
//! under the guard only by its owner at birth, or tried without waiting. Nobody waits for anything else under the
//! guard.
//!
//! **A crash leaves behind**
//!
//! | killed | what remains | who repairs it |
//! |---|---|---|
//! | before the commit of the arrival | a file without a row | the next arrival takes the number and makes the file anew |
//! | waiting or running | a row, an unlocked file | the next in line, at once; the next arrival of the key |
//! | leaving, row gone | a file without a row | the next arrival that finds itself alone |
//! | anywhere in `resume` | nothing | see [`mod@pause`] |
//!
//! If `tickets/` is removed by hand while processes run, rows without files remain: their process ids and start times
//! tell whether they live, and waiters sleep until those processes end. If `runtime.db` goes too, new arrivals are
//! refused until the old processes have ended: each holds a shared lock on the directory itself.
//!
//! **Deliberately absent.** A daemon. A heartbeat, a lease, a time-out: a process that was stopped for an hour still
//! owns its ticket, and nobody takes it away. Stealing and priorities. Several machines: the directory must be local.

mod admission;
mod enter;
mod line;
mod list;
#[cfg(test)]
mod model;
mod pause;
mod presence;
mod process;
mod store;
mod ticket;
mod wait;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::id::{HandlerId, ServiceId};

pub use enter::{Turn, enter};
pub use list::{Entry, Standing, Watch, list, paused};
pub use pause::Scope;

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

/// Lets no further ticket of `scope` start until [`resume`]; those that run finish. It survives the process that asks
/// for it. `false` if it was paused already.
pub fn pause(directory: &Path, scope: &Scope) -> Result<bool> {
    line::Line::open(directory)?.pause(scope)
}

/// Ends a pause and wakes who waits; `false` if there was none.
pub fn resume(directory: &Path, scope: &Scope) -> Result<bool> {
    pause::Pauses::of(directory).end(scope)
}
