//! Looking at the queue from outside.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify;
use rustix::io::Errno;

use super::label::Label;
use super::line::Line;
use super::pause::{Pauses, Scope};
use super::ticket::Tickets;
use crate::error::{Error, Kind, Result};
use crate::state::{boot, failure, prepare_directory};

/// A living ticket.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number in the order of arrival.
    pub ticket: i64,
    /// Queue key.
    pub key: String,
    /// Whose it is.
    pub label: Label,
    /// Its process.
    pub pid: u32,
    /// Time since it arrived.
    pub age: Duration,
    /// Whether it works or waits.
    pub place: Standing,
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Running {
        /// Its queue number: it runs in queue `{key}-{number}`.
        number: u32,
        /// Time since it started.
        running: Duration,
    },
    /// It waits.
    Waiting {
        /// Its place among those of its key that wait, from 1.
        place: usize,
    },
}

/// The living tickets in the order of arrival. A directory that does not exist holds none.
pub fn list(directory: &Path) -> Result<Vec<Entry>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut waiting: HashMap<String, usize> = HashMap::new();
    let entries = Line::open(directory)?.living()?.into_iter().map(|ticket| {
        let place = if let Some(running) = ticket.running {
            Standing::Running { number: running.number, running: boot::since_ms(running.started) }
        } else {
            let place = waiting.entry(ticket.key.clone()).or_default();
            *place += 1;
            Standing::Waiting { place: *place }
        };
        let age = boot::since_ms(ticket.entered);
        Entry { ticket: ticket.id, key: ticket.key, label: ticket.label, pid: ticket.process.pid, age, place }
    });
    Ok(entries.collect())
}

/// What is paused now.
pub fn paused(directory: &Path) -> Vec<Scope> {
    Pauses::of(directory).list()
}

/// Reports when the queue may look different.
#[derive(Debug)]
pub struct Watch {
    events: OwnedFd,
}

impl Watch {
    /// Watches from now on.
    pub fn new(directory: &Path) -> Result<Self> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let events = inotify::init(flags).map_err(trouble)?;
        for directory in [Tickets::of(directory).directory(), Pauses::of(directory).directory()] {
            prepare_directory(directory)?;
            // A start shows as an end of the `.turn` file.
            let events_of_names = inotify::WatchFlags::CREATE | inotify::WatchFlags::DELETE;
            inotify::add_watch(&events, directory, events_of_names)
                .map_err(|e| failure::io(directory, "the directory cannot be watched", &e.into()))?;
        }
        Ok(Watch { events })
    }

    /// Sleeps until something changes; with a limit, at most that long.
    pub fn wait(&self, limit: Option<Duration>) -> Result<()> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut fds = [PollFd::from_borrowed_fd(self.events.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut fds, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(trouble(e)),
        }
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.events, &mut buffer);
        loop {
            match reader.next() {
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(e) => return Err(trouble(e)),
            }
        }
    }
}

fn trouble(error: Errno) -> Error {
    Error::new(Kind::State, "queue", format!("the queue cannot be watched: {error}"))
}
