//! The queue of operations: which process may work now, across processes, without a daemon.
//!
//! **Invariant.** A ticket may start iff fewer than N tickets of its key are before it ([`admission`]). Tickets
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
//! | before the commit of the arrival | a file without a row | the next arrival takes the number and makes the file again |
//! | waiting or running | a row, an unlocked file | the next in line, at once; the next arrival of the key |
//! | leaving, row gone | a file without a row | the next arrival that finds itself alone |
//! | anywhere in `resume` | nothing | see [`mod@pause`] |
//!
//! If `tickets/` is removed by hand while processes run, rows without files remain: their process ids and start times
//! show whether they live, and waiters sleep until those processes end. If `runtime.db` goes too, new arrivals are
//! refused until the old processes have ended: each holds a shared lock on the directory itself.
//!
//! **Deliberately absent.** A daemon. A heartbeat, a lease, a time-out: a process that was stopped for an hour still
//! owns its ticket, and nobody takes it away. Stealing and priorities. Several machines: the directory must be local.

mod admission;
mod control;
mod enter;
mod label;
mod lent;
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

pub use control::{pause, resume};
pub use enter::{Turn, enter};
pub use label::{Holder, Label, Waiting};
pub use lent::Lent;
pub use list::{Entry, Standing, Watch, list, paused};
pub use pause::Scope;
