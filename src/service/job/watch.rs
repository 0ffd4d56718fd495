//! Looking at a VM instead of asking again.
//!
//! A request whose answer was lost, or that a killed run has sent, may still be on its way through VMmanager. Before
//! the same is asked for once more, the tasks of the VM are waited for and the VM is read again.

use std::time::{Duration, Instant};

use super::assignment::Job;
use super::settle::{keep_looking, settle};
use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::log;
use crate::vmm::{Ended, Failure, Host, HostState, Outcome, Past, Task};

impl Job<'_> {
    /// The VM as soon as VMmanager has no task for it.
    pub fn idle(&self, host: VmId) -> Result<Host> {
        self.watch(host, |_| true)
    }

    /// The tasks of a VM; nothing when this build of VMmanager does not report them. A look that fails is no news, and
    /// taken as "not reported" only when they all do for as long as an accepted request may take to show.
    pub fn history(&self, host: VmId) -> Result<Option<Vec<Past>>> {
        let seen = settle(&format!("VM {host}: waiting for its history"), self.limits().appear, || {
            match self.vmm.history(host) {
                Err(error) if error.may_pass() && !error.kind.is_connection() => {
                    log::warn!("{error}; looking again");
                    Ok(None)
                }
                seen => seen.map(Some),
            }
        })?;
        Ok(seen.flatten())
    }

    /// The VM before a request that must not be made twice. What a killed run has asked for is in no list for a moment, so
    /// when the panel has started this operation before, it is given the time to show.
    pub fn before_asking(&self, host: VmId, done: impl Fn(&Host) -> bool) -> Result<Host> {
        let tries = |operation| self.panel.tries(operation).map(|(tries, _)| tries);
        if self.operation.map_or(Ok(0), tries)? > 0 { self.watch(host, done) } else { self.idle(host) }
    }

    /// The VM as soon as VMmanager has no task for it and it is as wanted, or as it is when nothing has happened to
    /// it for as long as an accepted request may take to show.
    pub fn watch(&self, host: VmId, wanted: impl Fn(&Host) -> bool) -> Result<Host> {
        let limit = self.limits().disk + self.limits().change;
        let (mut task, mut quiet_since) = (None, Instant::now());
        let found = settle(&format!("VM {host}: waiting until VMmanager has no task for it"), limit, || {
            // The tasks first: what ends between the two requests is seen in the VM.
            task = self.history(host)?.into_iter().flatten().find(Past::is_under_way);
            let vm = self.vm()?;
            if task.is_some() {
                quiet_since = Instant::now();
                return Ok(None);
            }
            Ok(Some(vm).filter(|vm| wanted(vm) || quiet_since.elapsed() >= self.limits().appear))
        })?;
        found.ok_or_else(|| {
            let work = task.map_or_else(|| "something".to_owned(), |task| task.name);
            let text = format!("VMmanager still works on VM {host} ({work}) after {} s", limit.as_secs());
            Error::new(Kind::Vm6Timeout, format!("VM {host}"), text)
        })
    }

    /// Waits for a change; the VM after it. A lost answer is answered by looking until the VM is as wanted.
    pub fn finish_and_watch(
        &self,
        host: VmId,
        outcome: Outcome<Option<Task>>,
        wanted: impl Fn(&Host) -> bool,
    ) -> Result<Host> {
        match self.finish(outcome, self.limits().change) {
            Ok(_) => {}
            Err(Failure::Unknown(error)) => log::warn!("service {}: {error}; looking at VM {host}", self.service.id),
            Err(Failure::Refused(error)) => return Err(error),
        }
        self.watch(host, wanted)
    }

    /// Asks for a change that leads to a state of the VM, and waits until the VM is in that state. A refusal and an
    /// unknown outcome are both answered by looking: the VM may be there already.
    pub fn reach(
        &self,
        host: VmId,
        state: &HostState,
        limit: Duration,
        ask: impl FnOnce() -> Outcome<Option<Task>>,
    ) -> Result<()> {
        let started = Instant::now();
        let (limit, unknown) = match self.finish(ask(), limit) {
            // The task may be over when the guest has been told.
            Ok(Ended::Complete) => (limit.saturating_sub(started.elapsed()).max(self.limits().unlisted), None),
            Ok(Ended::Unlisted) => (limit, None),
            Err(Failure::Unknown(error)) => {
                log::warn!("service {}: {error}; looking at VM {host}", self.service.id);
                (limit, Some(error))
            }
            Err(Failure::Refused(error)) => {
                let is = self.vmm.host(host).ok().flatten().map(|host| host.state);
                return if is.as_ref() == Some(state) { Ok(()) } else { Err(error) };
            }
        };
        self.wait_for_state(host, state, limit).map_err(|late| match unknown {
            Some(error) => late.and(error.message()),
            None => late,
        })
    }

    /// Waits until the VM is in `state`. A look that fails says nothing about it.
    pub fn wait_for_state(&self, host: VmId, state: &HostState, limit: Duration) -> Result<()> {
        let mut is = None;
        let reached = keep_looking(&format!("VM {host}: waiting until it is {state}"), limit, || {
            is = self.vmm.host(host)?.map(|host| host.state);
            Ok((is.as_ref() == Some(state)).then_some(()))
        })?;
        reached.ok_or_else(|| {
            let is = is.map_or_else(|| "gone".to_owned(), |is| is.to_string());
            let text = format!("VM {host} is {is}, not {state}, after {} s", limit.as_secs());
            Error::new(Kind::Vm6Timeout, format!("VM {host}"), text)
        })
    }

    /// The VM that was asked for, as soon as it is listed; nothing when it is not for as long as a lost or late creation may
    /// take to show.
    pub fn appear(&self) -> Result<Option<Host>> {
        let subject = format!("waiting until VMmanager lists the VM of service {}", self.service.id);
        settle(&subject, self.limits().appear, || self.locate())
    }
}
