//! Ticket files: `tickets/<id>`, held locked by its owner from birth to death, and `tickets/<id>.turn`, held while
//! the owner waits. The kernel gives the locks up when the owner dies, so the directory is the truth about who lives
//! and `runtime.db` is an index over it: each file says what its row says (a line for the arrival, a line for the
//! start).
//!
//! Files are created and judged only under the guard of `runtime.db`. A file is always made new, never reused: a
//! reader that holds a shared lock on an old one for an instant cannot be in the way.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::admission::LockSignal;
use super::label::Label;
use super::process::Process;
use crate::error::Result;
use crate::lock::{Lock, Mode};
use crate::state::failure;

/// A place in the queue, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    /// Number in the order of arrival; never given twice.
    pub id: i64,
    pub key: String,
    /// How many of the key may run at once, as this ticket was told.
    pub queues: u32,
    /// Whose it is.
    #[serde(flatten)]
    pub label: Label,
    /// The process that holds it.
    #[serde(flatten)]
    pub process: Process,
    /// When it arrived, in milliseconds since the boot.
    pub entered: i64,
    /// Set once it has started; the second line of the file.
    #[serde(skip)]
    pub running: Option<Running>,
}

/// That a ticket has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    /// Its queue number, from 1.
    pub number: u32,
    /// When it started, in milliseconds since the boot.
    pub started: i64,
}

/// What the kernel says about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Its owner holds the lock.
    Alive,
    /// Nobody holds the lock.
    Dead,
    /// Somebody removed the file.
    Missing,
}

/// The ticket files of one runtime directory.
#[derive(Clone, Debug)]
pub(super) struct Tickets {
    directory: PathBuf,
}

/// The files of our own ticket; dropped, they are unlocked but stay.
#[derive(Debug)]
pub(super) struct Own {
    path: PathBuf,
    life: Lock,
    turn: Option<Lock>,
}

impl Tickets {
    /// The directory `tickets/` in the runtime directory `parent`.
    pub(super) fn of(parent: &Path) -> Self {
        Tickets { directory: parent.join("tickets") }
    }

    /// The directory itself.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, signal: LockSignal) -> PathBuf {
        match signal {
            LockSignal::Life(id) => self.directory.join(id.to_string()),
            LockSignal::Turn(id) => self.directory.join(format!("{id}.turn")),
        }
    }

    /// Creates and locks the file of `ticket` and writes the ticket into it.
    pub(super) fn create(&self, ticket: &Ticket) -> Result<Own> {
        let path = self.path(LockSignal::Life(ticket.id));
        let life = locked_new(&path)?;
        append(&path, life.file(), ticket)?;
        let mut own = Own { path, life, turn: None };
        if let Some(running) = ticket.running {
            own.started(running)?;
        }
        Ok(own)
    }

    /// The file behind a signal, for somebody who wants to sleep on it; `None` when it is gone.
    pub(super) fn open(&self, signal: LockSignal) -> Result<Option<File>> {
        let path = self.path(signal);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failure::io(&path, "the ticket cannot be opened", &e)),
        }
    }

    /// Whether the owner of ticket `id` lives.
    pub(super) fn owner(&self, id: i64) -> Result<Owner> {
        let Some(file) = self.open(LockSignal::Life(id))? else { return Ok(Owner::Missing) };
        let path = self.path(LockSignal::Life(id));
        match Lock::attempt(file, Mode::Shared).map_err(|e| failure::io(&path, "the ticket cannot be examined", &e))? {
            Ok(_) => Ok(Owner::Dead),
            Err(_) => Ok(Owner::Alive),
        }
    }

    /// Removes the files of a ticket, as far as they are there.
    pub(super) fn remove(&self, id: i64) -> Result<()> {
        [LockSignal::Turn(id), LockSignal::Life(id)].into_iter().try_for_each(|signal| unlink(&self.path(signal)))
    }

    /// The ids of all ticket files, in order; none when somebody removed the directory.
    pub(super) fn ids(&self) -> Result<Vec<i64>> {
        let failed = |e| failure::io(&self.directory, "the tickets cannot be listed", &e);
        let mut ids = Vec::new();
        let entries = match std::fs::read_dir(&self.directory) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(ids),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".turn").or(Some(name)));
            ids.extend(stem.and_then(|stem| stem.parse::<i64>().ok()));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Reads what a ticket file says; `None` when it says nothing that makes sense.
    pub(super) fn read(&self, id: i64) -> Option<Ticket> {
        let text = std::fs::read_to_string(self.path(LockSignal::Life(id))).ok()?;
        let mut lines = text.lines();
        let mut ticket: Ticket = serde_json::from_str(lines.next()?).ok()?;
        ticket.running = lines.next().and_then(|line| serde_json::from_str(line).ok());
        (ticket.id == id).then_some(ticket)
    }
}

impl Own {
    /// Shows that the ticket waits: creates and locks the second file.
    pub(super) fn waits(&mut self) -> Result<()> {
        if self.turn.is_none() {
            self.turn = Some(locked_new(&self.turn_path())?);
        }
        Ok(())
    }

    /// Writes into the ticket that it has started.
    pub(super) fn started(&mut self, running: Running) -> Result<()> {
        append(&self.path, self.life.file(), &running)
    }

    /// Gives up the signal that it waits; the next in line wakes up.
    pub(super) fn show_started(&mut self) {
        if let Some(turn) = self.turn.take() {
            // A file that stays is removed with the ticket.
            _ = unlink(&self.turn_path());
            drop(turn);
        }
    }

    /// Removes the files, then gives up the locks.
    pub(super) fn remove(mut self) -> Result<()> {
        self.show_started();
        unlink(&self.path)
    }

    fn turn_path(&self) -> PathBuf {
        self.path.with_extension("turn")
    }
}

fn locked_new(path: &Path) -> Result<Lock> {
    let failed = |e| failure::io(path, "the ticket cannot be created", &e);
    unlink(path)?;
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let lock = Lock::attempt(file, Mode::Exclusive).map_err(failed)?;
    lock.map_err(|_| failed(ErrorKind::WouldBlock.into()))
}

fn append(path: &Path, mut file: &File, line: &impl Serialize) -> Result<()> {
    let failed = |e| failure::io(path, "the ticket cannot be written", &e);
    let text = serde_json::to_string(line).map_err(|e| failed(e.into()))?;
    file.write_all(format!("{text}\n").as_bytes()).map_err(failed)
}

fn unlink(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failure::io(path, "the ticket cannot be removed", &e)),
        _ => Ok(()),
    }
}
