//! The line of one runtime directory: what happens to tickets under the guard, each function one transaction.

use std::path::{Path, PathBuf};

use rusqlite::Transaction;

use super::admission::{self, Ahead, LockSignal, Next};
use super::label::Label;
use super::pause::{Pauses, Scope};
use super::process::Process;
use super::ticket::{Own, Owner, Running, Ticket, Tickets};
use super::{presence, store};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::lock::Lock;
use crate::log;
use crate::state::{Database, Failure, RUNTIME, boot, prepare_directory};

/// How many of the oldest tickets an arrival looks at, to remove those of the dead.
const SWEPT: u32 = 8;

type Outcome<T> = std::result::Result<T, Failure>;

/// The queue's files in one runtime directory.
#[derive(Debug)]
pub(super) struct Line {
    directory: PathBuf,
    database: Database,
    /// The ticket files.
    pub tickets: Tickets,
    /// The paused keys.
    pub pauses: Pauses,
}

/// Our own place in the line.
#[derive(Debug)]
pub(super) struct Place {
    /// What the line knows about us.
    pub ticket: Ticket,
    presence: Lock,
    own: Own,
}

/// What a place may do now.
#[derive(Debug)]
pub(super) enum Step {
    /// Work; the number is written down already.
    Work,
    /// Sleep until one of these changes, then ask again.
    Sleep(Reason),
}

/// What a place waits for.
#[derive(Debug, Default)]
pub(super) struct Reason {
    /// Locks of others.
    pub signals: Vec<LockSignal>,
    /// Living processes whose ticket files were removed.
    pub lost: Vec<Process>,
    /// The end of a pause.
    pub pause: Option<Scope>,
}

enum Fate {
    Lives,
    Gone,
    Lost(Process),
}

impl Line {
    /// Prepares the directories.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let tickets = Tickets::of(directory);
        let database = Database::at(directory, &RUNTIME)?;
        prepare_directory(tickets.directory())?;
        Ok(Line { directory: directory.to_owned(), database, tickets, pauses: Pauses::of(directory) })
    }

    /// Takes a ticket at the end of the line.
    pub(super) fn arrive(&mut self, key: &str, limit: u32, label: &Label) -> Result<(Place, Step)> {
        let Line { directory, database, tickets, pauses } = self;
        let mut ticket = Ticket {
            id: 0,
            key: key.to_owned(),
            queues: limit,
            label: label.clone(),
            process: Process::current(),
            entered: 0,
            running: None,
        };
        let (presence, own, step) = database.write(|transaction| {
            fault::point("queue.before_insert");
            complete_index(transaction, directory, tickets)?;
            sweep(transaction, tickets)?;
            ticket = Ticket { id: 0, entered: boot::now_ms(), running: None, ..ticket.clone() };
            ticket.id = store::insert(transaction, &ticket)?;
            fault::point("queue.after_insert");
            let presence = presence::show(directory)?;
            let step = step(transaction, tickets, pauses, &mut ticket, &[])?;
            let mut own = tickets.create(&ticket)?;
            if let Step::Sleep(_) = step {
                own.waits()?;
            }
            fault::point("queue.after_file");
            Ok((presence, own, step))
        })?;
        fault::point("queue.after_commit");
        Ok((Place { ticket, presence, own }, step))
    }

    /// Asks again for a place that sleeps, after the locks of the tickets `ended` were given up.
    pub(super) fn ask(&mut self, place: &mut Place, ended: &[i64]) -> Result<Step> {
        let Line { directory, database, tickets, pauses } = self;
        let step = database.write(|transaction| {
            complete_index(transaction, directory, tickets)?;
            if store::get(transaction, place.ticket.id)?.is_none() {
                let text = "the files of the queue were removed while this process waited";
                let error = Error::new(Kind::State, place.ticket.key.clone(), text);
                return Err(error.cure("run the operation again").into());
            }
            place.ticket.running = None;
            let step = step(transaction, tickets, pauses, &mut place.ticket, ended)?;
            if let Some(running) = place.ticket.running {
                fault::point("queue.before_start");
                place.own.started(running)?;
            }
            Ok(step)
        })?;
        if let Step::Work = step {
            place.own.show_started();
        }
        Ok(step)
    }

    /// Gives places back. The rows go first and the locks last: who obtains a lock finds no row, unless we died.
    pub(super) fn leave(&mut self, places: Vec<Place>) {
        fault::point("queue.before_delete");
        let deleted = self
            .database
            .write(|transaction| places.iter().try_for_each(|place| store::delete(transaction, place.ticket.id)));
        fault::point("queue.after_delete");
        for Place { ticket, presence, own } in places {
            drop(presence);
            if let Err(error) = deleted.clone().and_then(|()| own.remove()) {
                log::warn!("{error}; ticket {} of queue {} is removed by the next in line", ticket.id, ticket.key);
            }
        }
        fault::point("queue.after_unlink");
    }

    /// The tickets of all keys whose owners live, oldest first.
    pub(super) fn living(&mut self) -> Result<Vec<Ticket>> {
        let Line { directory, database, tickets, .. } = self;
        database.write(|transaction| {
            complete_index(transaction, directory, tickets)?;
            let mut living = store::all(transaction)?;
            let mut failed = None;
            living.retain(|ticket| match tickets.owner(ticket.id) {
                Ok(owner) => owner == Owner::Alive || owner == Owner::Missing && ticket.process.is_alive(),
                Err(error) => failed.replace(error).is_some(),
            });
            failed.map_or(Ok(living), |error| Err(error.into()))
        })
    }

    /// The tickets of `key` that have started, and the place of `ticket` among those that have not.
    pub(super) fn before(&mut self, ticket: &Ticket) -> Result<(Vec<Ticket>, usize)> {
        self.database.read(|transaction| {
            let ahead = store::ahead(transaction, &ticket.key, ticket.id)?;
            let place = ahead.iter().filter(|ticket| !ticket.running).count() + 1;
            Ok((store::running(transaction, &ticket.key)?, place))
        })
    }

    /// Begins a pause under the guard: who has not started when this returns will not start.
    pub(super) fn pause(&mut self, scope: &Scope) -> Result<bool> {
        let Line { database, pauses, .. } = self;
        database.write(|_| Ok(pauses.begin(scope)?))
    }
}

/// Decides about `ticket`; if it may work, gives it the lowest free number.
fn step(
    transaction: &Transaction<'_>,
    tickets: &Tickets,
    pauses: &Pauses,
    ticket: &mut Ticket,
    ended: &[i64],
) -> Outcome<Step> {
    let mut ahead = store::ahead(transaction, &ticket.key, ticket.id)?;
    let mut lost = Vec::new();
    let mut alive = |line: Vec<Ahead>, suspects: &dyn Fn(i64) -> bool| -> Outcome<Vec<Ahead>> {
        let mut left = Vec::with_capacity(line.len());
        for other in line {
            match suspects(other.id).then(|| fate(transaction, tickets, other.id)).transpose()? {
                Some(Fate::Gone) => continue,
                Some(Fate::Lost(process)) => lost.push((other.id, process)),
                Some(Fate::Lives) | None => {}
            }
            left.push(other);
        }
        Ok(left)
    };
    ahead = alive(ahead, &|id| ended.contains(&id))?;
    if let Next::Watch(mut signals) = admission::next(&ahead, ticket.queues) {
        signals.retain(|signal| lost.iter().all(|(id, _)| *id != signal.id()));
        let lost = lost.into_iter().map(|(_, process)| process).collect();
        return Ok(Step::Sleep(Reason { signals, lost, pause: None }));
    }
    // Few are left before us; the dead among them must not keep a number.
    alive(ahead, &|_| true)?;
    if let Some(scope) = pauses.over(&ticket.key) {
        return Ok(Step::Sleep(Reason { pause: Some(scope), ..Reason::default() }));
    }
    let running = store::running(transaction, &ticket.key)?;
    let taken: Vec<u32> = running.iter().filter_map(|t| t.running.map(|running| running.number)).collect();
    let running = Running { number: admission::lowest_free(&taken), started: boot::now_ms() };
    store::start(transaction, ticket.id, running)?;
    ticket.running = Some(running);
    Ok(Step::Work)
}

/// Whether the owner of a ticket lives; the ticket of a dead one is removed.
fn fate(transaction: &Transaction<'_>, tickets: &Tickets, id: i64) -> Outcome<Fate> {
    match tickets.owner(id)? {
        Owner::Alive => return Ok(Fate::Lives),
        Owner::Dead => {}
        Owner::Missing => match store::get(transaction, id)? {
            Some(ticket) if ticket.process.is_alive() => return Ok(Fate::Lost(ticket.process)),
            _ => {}
        },
    }
    log::info!("ticket {id} belongs to a process that has ended: removed");
    store::delete(transaction, id)?;
    tickets.remove(id)?;
    Ok(Fate::Gone)
}

/// Removes what the dead left: rows among the oldest, and, when nobody is here, all files.
fn sweep(transaction: &Transaction<'_>, tickets: &Tickets) -> Outcome<()> {
    let oldest = store::oldest(transaction, SWEPT)?;
    let mut left = 0;
    for id in oldest {
        left += u32::from(!matches!(fate(transaction, tickets, id)?, Fate::Gone));
    }
    if left == 0 && store::oldest(transaction, 1)?.is_empty() {
        for id in tickets.ids()? {
            tickets.remove(id)?;
        }
    }
    Ok(())
}

/// Makes the index complete if it is not: a new `runtime.db` may meet tickets of living processes. They keep their
/// numbers, so their order and what others sleep on stay true; files of the dead are removed.
fn complete_index(transaction: &Transaction<'_>, directory: &Path, tickets: &Tickets) -> Outcome<()> {
    if store::is_complete(transaction)? {
        return Ok(());
    }
    let mut kept = 0;
    for id in tickets.ids()? {
        match (tickets.owner(id)?, tickets.read(id)) {
            (Owner::Alive, Some(ticket)) => {
                store::insert(transaction, &ticket)?;
                kept += 1;
            }
            (Owner::Alive, None) => log::warn!("ticket {id} is held but cannot be read; it is not counted"),
            (Owner::Dead | Owner::Missing, _) => tickets.remove(id)?,
        }
    }
    if kept == 0 && presence::is_shown(directory)? {
        let text = "the files of the queue were removed while operations run";
        let error = Error::new(Kind::State, directory.display().to_string(), text);
        return Err(error.cure("wait until they have ended, then run this one again").into());
    }
    store::set_complete(transaction)?;
    if kept > 0 {
        log::warn!("the queue was rebuilt from {kept} tickets of living processes");
    }
    Ok(())
}
