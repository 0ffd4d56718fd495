//! Looking instead of asking again.
//!
//! A request whose answer was lost, or that a killed run has sent, may be on its way through VMmanager still. Before
//! the same is asked for once more, the tasks of the VM are waited for and the VM is read again.

use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::vmm::{Failure, Host, Outcome, Past, Task};
use crate::{log, progress::Progress};

/// Pause before the next look at a VM: short at first, five seconds at most.
pub fn pause(waited: Duration) -> Duration {
    (waited / 4).clamp(Duration::from_millis(200), Duration::from_secs(5))
}

impl Job<'_> {
    /// The VM as soon as VMmanager works on it no longer.
    pub fn calm(&self, host: u64) -> Result<Host> {
        self.watch(host, |_| true)
    }

    /// The VM before a request that must not be made twice. What a killed run has asked for is in no list for a moment, so
    /// when the panel has started this operation before, it is given the time to show.
    pub fn before_asking(&self, host: u64, done: impl Fn(&Host) -> bool) -> Result<Host> {
        let tries = |operation| self.panel.tries(operation).map(|(tries, _)| tries);
        if self.operation.map_or(Ok(0), tries)? > 0 { self.watch(host, done) } else { self.calm(host) }
    }

    /// The VM as soon as VMmanager works on it no longer and it is as wanted, or as it is when nothing has happened to
    /// it for as long as an accepted request may take to show.
    pub fn watch(&self, host: u64, wanted: impl Fn(&Host) -> bool) -> Result<Host> {
        let started = Instant::now();
        let mut quiet_since = started;
        let progress = Progress::new();
        loop {
            // The tasks first: what ends between the two looks is seen in the VM.
            let busy = self.vmm.history(host)?.into_iter().flatten().find(Past::is_under_way);
            let vm = self.vm()?;
            match &busy {
                None if wanted(&vm) || quiet_since.elapsed() >= self.limits().appear => return Ok(vm),
                None => {}
                Some(_) => quiet_since = Instant::now(),
            }
            if started.elapsed() >= self.limits().disk + self.limits().change {
                let work = busy.map_or_else(|| "something".to_owned(), |task| task.name);
                let text =
                    format!("VMmanager still works on VM {host} ({work}) after {} s", started.elapsed().as_secs());
                return Err(Error::new(Kind::Vm6Timeout, format!("VM {host}"), text));
            }
            progress.show(&format!("VM {host}: looking, {} s", started.elapsed().as_secs()));
            std::thread::sleep(pause(started.elapsed()));
        }
    }

    /// Waits for a change; the VM after it. A lost answer is answered by looking until the VM is as wanted.
    pub fn settle(&self, host: u64, outcome: Outcome<Option<Task>>, wanted: impl Fn(&Host) -> bool) -> Result<Host> {
        match outcome {
            Ok(Some(task)) => drop(self.vmm.wait(&task, self.limits().change)?),
            Ok(None) => {}
            Err(Failure::Unknown(error)) => log::warn!("service {}: {error}; looking at VM {host}", self.service.id),
            Err(Failure::Refused(error)) => return Err(error),
        }
        self.watch(host, wanted)
    }

    /// Asks for a change that leads to a state of the VM, and waits until the VM is in that state. A refusal and an
    /// unknown outcome are both answered by looking: the VM may be there already.
    pub fn reach(
        &self,
        host: u64,
        state: &str,
        limit: Duration,
        ask: impl FnOnce() -> Outcome<Option<Task>>,
    ) -> Result<()> {
        let asked = match ask() {
            Ok(Some(task)) => self.vmm.wait(&task, limit).map(drop),
            Ok(None) | Err(Failure::Unknown(_)) => return self.wait_for_state(host, state, limit),
            Err(Failure::Refused(error)) => Err(error),
        };
        let is = self.vmm.host(host)?.map(|host| host.state).unwrap_or_default();
        match asked {
            _ if is == state => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.wait_for_state(host, state, self.limits().unlisted.min(limit)),
        }
    }

    /// Looks until the VM is in `state`.
    pub fn wait_for_state(&self, host: u64, state: &str, limit: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let is = self.vmm.host(host)?.map(|host| host.state);
            if is.as_deref() == Some(state) {
                return Ok(());
            }
            if started.elapsed() >= limit {
                let is = is.unwrap_or_else(|| "gone".to_owned());
                let text = format!("VM {host} is {is}, not {state}, after {} s", limit.as_secs());
                return Err(Error::new(Kind::Vm6Timeout, format!("VM {host}"), text));
            }
            std::thread::sleep(pause(started.elapsed()));
        }
    }
    /// Looks for the marked VM as long as a lost or late creation may take to show up in lists.
    pub fn appear(&self) -> Result<Option<Host>> {
        let started = Instant::now();
        loop {
            if let Some(host) = self.locate_by_mark()? {
                return Ok(Some(host));
            }
            if started.elapsed() >= self.limits().appear {
                return Ok(None);
            }
            std::thread::sleep(pause(started.elapsed()));
        }
    }
}
