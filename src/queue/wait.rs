//! Where a waiter sleeps: in one `poll` over everything that may wake it.
//!
//! A lock cannot be polled, so a helper thread with a small stack blocks in it and reports through a pipe; a pause is a
//! named pipe already; a process whose ticket file was removed is a process descriptor; SIGTERM and SIGINT write into a
//! pipe. A thread that is still blocked when the waiter goes on does no harm: it takes a shared lock for an instant,
//! some day, and ends.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::admission::LockSignal;
use super::process::Process;
use super::ticket::Tickets;
use crate::error::{Error, Kind, Result};
use crate::lock::{Lock, Mode};

/// Enough for a blocking system call; the system raises it to its own minimum.
const STACK: usize = 32 * 1024;

/// Why a waiter woke up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// Something has changed: look again.
    Look,
    /// The process was told to stop.
    Stop,
}

/// The sleeping place of one waiter.
#[derive(Debug)]
pub(super) struct Waiter {
    stopper: &'static Stopper,
    ids: OwnedFd,
    report: Arc<OwnedFd>,
    watched: HashSet<LockSignal>,
    ended: Vec<i64>,
}

impl Waiter {
    /// A new place. While it exists, SIGTERM and SIGINT end the wait and not the process.
    pub(super) fn new() -> Result<Self> {
        let stopper = stopper()?;
        let (ids, report) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| trouble("a pipe cannot be created", e))?;
        rustix::io::ioctl_fionbio(&ids, true).map_err(|e| trouble("a pipe cannot be changed", e))?;
        stopper.not_waiting.store(false, Ordering::SeqCst);
        Ok(Waiter { stopper, ids, report: Arc::new(report), watched: HashSet::new(), ended: Vec::new() })
    }

    /// Makes `signal` wake this waiter; tries first, so a signal that is given up already wakes it at once.
    pub(super) fn watch(&mut self, signal: LockSignal, tickets: &Tickets) -> Result<()> {
        if self.watched.contains(&signal) {
            return Ok(());
        }
        let id = signal.id();
        // A removed turn file proves nothing about its owner, the other file does.
        let file = match (tickets.open(signal)?, signal) {
            (None, LockSignal::Turn(_)) => tickets.open(LockSignal::Life(id))?,
            (file, _) => file,
        };
        let Some(file) = file else {
            self.ended.push(id);
            return Ok(());
        };
        match Lock::attempt(file, Mode::Shared) {
            Ok(Ok(_)) => self.ended.push(id),
            Ok(Err(file)) => self.start_watcher(signal, file)?,
            Err(e) => return Err(trouble("a ticket cannot be watched", e)),
        }
        Ok(())
    }

    fn start_watcher(&mut self, signal: LockSignal, file: File) -> Result<()> {
        let report = Arc::clone(&self.report);
        let sleep = move || {
            let id = Lock::wait(file, Mode::Shared).map_or(0, |_| signal.id());
            // The reader may be gone; then nobody waits for this any more.
            _ = rustix::io::write(&report, &id.to_ne_bytes());
        };
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(sleep)
            .map_err(|e| trouble("a helper thread cannot be started (limit on processes?)", e))?;
        self.watched.insert(signal);
        Ok(())
    }

    /// Sleeps until a watched signal is given up, `pause` ends, one of `processes` ends, or we are told to stop.
    pub(super) fn sleep(&mut self, pause: Option<&File>, processes: &[Process]) -> Result<Woken> {
        if !self.ended.is_empty() {
            return Ok(Woken::Look);
        }
        let Some(processes) = descriptors(processes)? else { return Ok(Woken::Look) };
        let mut fds = vec![readable(self.stopper.reader.as_fd()), readable(self.ids.as_fd())];
        fds.extend(processes.iter().map(AsFd::as_fd).map(readable));
        // Its hang-up is reported without being asked for; what somebody writes into it is of no interest.
        fds.extend(pause.map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::empty())));
        while let Err(e) = rustix::event::poll(&mut fds, None) {
            if e != Errno::INTR {
                return Err(trouble("waiting is impossible", e));
            }
        }
        drop(fds);
        self.collect()?;
        Ok(if self.is_stopped() { Woken::Stop } else { Woken::Look })
    }

    /// Whether the process was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopper.told.load(Ordering::SeqCst)
    }

    /// The tickets whose signals were given up since the last call.
    pub(super) fn take_ended(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.ended)
    }

    fn collect(&mut self) -> Result<()> {
        let mut id = [0; 8];
        loop {
            match rustix::io::read(&self.ids, &mut id) {
                Ok(8) => {}
                Ok(_) | Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(trouble("a pipe cannot be read", e)),
            }
            match i64::from_ne_bytes(id) {
                0 => return Err(trouble("a ticket cannot be watched", Errno::NOLCK)),
                id => {
                    self.watched.retain(|signal| signal.id() != id);
                    self.ended.push(id);
                }
            }
        }
    }
}

fn readable(fd: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(fd, PollFlags::IN)
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.stopper.not_waiting.store(true, Ordering::SeqCst);
    }
}

/// Descriptors that become readable when the processes end; `None` if one has ended already.
fn descriptors(processes: &[Process]) -> Result<Option<Vec<OwnedFd>>> {
    let mut found = Vec::new();
    for process in processes {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|_| process.is_alive()) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) if process.is_alive() => found.push(descriptor),
            Ok(_) | Err(Errno::SRCH) => return Ok(None),
            Err(e) => {
                let text = format!("the ticket of process {pid} was removed and it cannot be waited for");
                return Err(trouble(&text, e).cure("wait until it has ended, then run the operation again"));
            }
        }
    }
    Ok(Some(found))
}

/// SIGTERM and SIGINT, for the whole process and for good: while it waits they are a message, otherwise they do what
/// they always do.
#[derive(Debug)]
struct Stopper {
    /// Never read, so that everybody who polls sees it.
    reader: OwnedFd,
    told: Arc<AtomicBool>,
    not_waiting: Arc<AtomicBool>,
}

impl Stopper {
    fn new() -> std::io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let told = Arc::new(AtomicBool::new(false));
        let not_waiting = Arc::new(AtomicBool::new(true));
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&not_waiting))?;
            signal_hook::flag::register(signal, Arc::clone(&told))?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        Ok(Stopper { reader, told, not_waiting })
    }
}

fn stopper() -> Result<&'static Stopper> {
    static STOPPER: OnceLock<std::result::Result<Stopper, String>> = OnceLock::new();
    let stopper = STOPPER.get_or_init(|| Stopper::new().map_err(|e| e.to_string()));
    stopper.as_ref().map_err(|e| trouble("signals cannot be handled", e))
}

fn trouble(what: &str, error: impl std::fmt::Display) -> Error {
    Error::new(Kind::State, "queue", format!("{what}: {error}"))
}
