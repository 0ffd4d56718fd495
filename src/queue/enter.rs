//! Entering the queue and leaving it.

use std::path::Path;
use std::time::Duration;

use super::label::{Holder, Label, Waiting};
use super::line::{Line, Place, Reason, Step};
use super::ticket::Ticket;
use super::wait::{Waiter, Woken};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::state::boot;

/// The right to work, until it is dropped; whatever ends the process ends it too.
#[derive(Debug)]
pub struct Turn {
    line: Line,
    /// In the order in which they are given back.
    places: Vec<Place>,
    key: String,
    number: u32,
}

impl Turn {
    /// One turn of this and an earlier one: both end together, in one step.
    #[must_use]
    pub fn after(mut self, mut earlier: Turn) -> Turn {
        self.places.append(&mut earlier.places);
        self
    }

    /// The lowest queue number that was free when the turn began, from 1 to the number of queues.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name of the queue this operation runs in: `{key}-{number}`.
    pub fn queue(&self) -> String {
        format!("{}-{}", self.key, self.number)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.places.is_empty() {
            self.line.leave(std::mem::take(&mut self.places));
        }
    }
}

/// Takes a ticket for `key` in the runtime directory and returns when fewer than `limit` operations of the key are
/// before it. `on_wait` is called once, if it has to wait. SIGTERM and SIGINT while it waits: the ticket is given back
/// and the error `state` says so.
pub fn enter(
    directory: &Path,
    key: &str,
    limit: u32,
    label: &Label,
    on_wait: &mut dyn FnMut(&Waiting),
) -> Result<Turn> {
    let mut line = Line::open(directory)?;
    let (mut place, step) = line.arrive(key, limit.max(1), label)?;
    if let Step::Sleep(reason) = step
        && let Err(error) = wait(&mut line, &mut place, reason, on_wait)
    {
        line.leave(vec![place]);
        return Err(error);
    }
    fault::point("queue.started");
    let number = place.ticket.running.map_or(0, |running| running.number);
    Ok(Turn { line, places: vec![place], key: key.to_owned(), number })
}

fn wait(line: &mut Line, place: &mut Place, mut reason: Reason, on_wait: &mut dyn FnMut(&Waiting)) -> Result<()> {
    let mut waiter = Waiter::new()?;
    on_wait(&describe(line, &place.ticket, &reason)?);
    loop {
        for signal in &reason.signals {
            waiter.watch(*signal, &line.tickets)?;
        }
        let pipe = match &reason.pause {
            Some(scope) => Some(line.pauses.pipe(scope)?),
            None => None,
        };
        fault::point("queue.wait");
        let woken = match pipe {
            // The pause has just ended.
            Some(None) => Woken::Look,
            pipe => waiter.sleep(pipe.flatten().as_ref(), &reason.lost)?,
        };
        fault::point("queue.woken");
        if woken == Woken::Stop {
            return Err(stopped(&place.ticket));
        }
        match line.ask(place, &waiter.take_ended())? {
            Step::Work if waiter.is_stopped() => return Err(stopped(&place.ticket)),
            Step::Work => return Ok(()),
            Step::Sleep(next) => reason = next,
        }
    }
}

fn describe(line: &mut Line, ticket: &Ticket, reason: &Reason) -> Result<Waiting> {
    let (running, place) = line.before(ticket)?;
    let holder = |ticket: Ticket| Holder {
        label: ticket.label,
        pid: ticket.process.pid,
        running: ticket.running.map_or(Duration::ZERO, |running| boot::since_ms(running.started)),
    };
    let holders = running.into_iter().map(holder).collect();
    Ok(Waiting { key: ticket.key.clone(), place, holders, pause: reason.pause.clone() })
}

fn stopped(ticket: &Ticket) -> Error {
    let seconds = boot::since_ms(ticket.entered).as_secs();
    let text = format!("the process was told to stop while it waited in queue {} (for {seconds} s)", ticket.key);
    Error::new(Kind::State, ticket.key.clone(), text).cure("nothing was done, the operation can be run again")
}
