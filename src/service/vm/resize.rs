//! Bringing a VM's sizes to what is ordered now: only differences are sent.
//!
//! A running VM is changed hot where it can be, else the change is deferred to its next stop and one restart applies
//! everything; a hot change that VMmanager refuses, or that fails in its task, is deferred too. A stopped VM is changed
//! at once and stays stopped. A disk never shrinks, and a VM with snapshots keeps its sizes: that is found before anything
//! is asked. A lost answer, or a crash at any line, is answered by the same comparison after VMmanager has become
//! quiet: what was asked for is not asked for again, and there is no second restart. What was deferred and is ordered
//! no longer is overridden; a disk cannot be.

use std::cell::Cell;
use std::time::Duration;

use super::sizes::{Change, compare, differs, restarts, sizes};
use super::{power, speed_cap, tariff_change};
use crate::error::{Error, Kind, Origin, Result};
use crate::panel::ServiceStatus;
use crate::service::job::Job;
use crate::service::order::{Order, Sizes};
use crate::vmm::{Ended, Failure, Host, HostState, Outcome, Resources, Task};
use crate::{fault, log};

/// How often a request is sent again of which nobody knows whether it arrived.
const REPETITIONS: usize = 2;

/// Brings the VM's sizes in line with the order; returns the VM as it is then.
pub(crate) fn apply(job: &Job, order: &Order, host: Host) -> Result<Host> {
    bring(job, order, host, true)
}

/// The same where it can be done without a restart; refused as a whole where it cannot.
pub(crate) fn apply_without_restart(job: &Job, order: &Order, host: Host) -> Result<Host> {
    bring(job, order, host, false)
}

fn bring(job: &Job, order: &Order, host: Host, may_restart: bool) -> Result<Host> {
    let wanted = speed_cap::leave_capped(job.journal.cap(job.service.id)?, &host, sizes(job, order, &host)?);
    let host = running_again(job, host)?;
    if compare(&wanted, &host)?.is_empty() {
        return Ok(host);
    }
    let fits = |host: &Host| compare(&wanted, host).is_ok_and(|left| left.is_empty());
    let mut host = job.before_asking(host.id, fits)?;
    let (mut repetitions, live) = (0, Live { resources: Cell::new(true), disk: Cell::new(true) });
    loop {
        let change = compare(&wanted, &host)?;
        if change.is_empty() {
            return Ok(host);
        }
        log::info!("service {}: VM {} is changed: {change:?}", job.service.id, host.id);
        if !may_restart && restarts(&host, &change) {
            return Err(needs_restart(job, &host));
        }
        tariff_change::begin(job, &host)?;
        match carry_out(&Parts { job, wanted: &wanted, host: &host, change: &change, may_restart, live: &live }) {
            Err(Failure::Unknown(error)) if repetitions < REPETITIONS => {
                log::warn!("service {}: {error}; looking at the VM", job.service.id);
                repetitions += 1;
                host = job.watch(host.id, |host| compare(&wanted, host).is_ok_and(|left| left != change))?;
            }
            Ok(Round::NotHot) => host = job.idle(host.id)?,
            outcome => {
                outcome?;
                fault::point("resize.waited");
                host = job.watch(host.id, fits)?;
                break;
            }
        }
    }
    let left = compare(&wanted, &host)?;
    if left.is_empty() {
        return Ok(host);
    }
    let text = format!("VMmanager reported success, but VM {} still differs from the order: {left:?}", host.id);
    Err(Error::new(Kind::Vm6Task, format!("VM {}", host.id), text))
}

/// A VM that a killed or failed try of this operation has stopped for its restart is started.
fn running_again(job: &Job, host: Host) -> Result<Host> {
    let item = job.service.id;
    let stopped = host.state == HostState::Stopped && job.service.status != ServiceStatus::Suspended;
    if !stopped || job.journal.restart_of(item, job.operation)?.is_none() {
        return Ok(host);
    }
    let host = job.idle(host.id)?;
    power::start(job, &host)?;
    job.journal.restart_failed(item)?;
    job.vm()
}

fn needs_restart(job: &Job, host: &Host) -> Error {
    let item = job.service.id;
    let text = format!("VM {} cannot get the ordered size while it runs", host.id);
    Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text)
        .cure(format!("--command setparam --item {item} restarts it"))
}

/// How a round of requests ended.
enum Round {
    Done,
    /// Not possible while the VM runs, or it has failed there.
    NotHot,
}

fn carry_out(parts: &Parts) -> Outcome<Round> {
    fault::point("resize.before_request");
    let host = parts.host;
    match &host.state {
        HostState::Stopped => parts.change_stopped(),
        HostState::Running => parts.change_running(),
        other => {
            let text = format!("VM {} is {other}: VMmanager works on it; the next try changes it", host.id);
            Err(Failure::Refused(Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text)))
        }
    }
}

/// The change in its two requests.
struct Parts<'a> {
    job: &'a Job<'a>,
    wanted: &'a Sizes,
    host: &'a Host,
    change: &'a Change,
    may_restart: bool,
    live: &'a Live,
}

/// What is still worth a try while the VM runs.
struct Live {
    resources: Cell<bool>,
    disk: Cell<bool>,
}

/// What was accepted for the VM's next stop.
#[derive(Default)]
struct Later {
    restart: bool,
    tasks: Vec<Task>,
}

impl Parts<'_> {
    fn change_stopped(&self) -> Outcome<Round> {
        self.job.finish(self.resources(false), self.job.limits().change)?;
        self.job.finish(self.disk(false), self.job.limits().disk).map(|_| Round::Done)
    }

    fn change_running(&self) -> Outcome<Round> {
        let limits = self.job.limits();
        let mut later = Later { restart: self.change.pending, tasks: Vec::new() };
        if self.change.resources != Resources::default() {
            let hot = self.host.obstacle(&self.change.resources).is_none().then_some(&self.live.resources);
            let asked = self.hot_or_later(hot, limits.change, &mut later, |deferred| self.resources(deferred))?;
            if let Round::NotHot = asked {
                return Ok(asked);
            }
        }
        if self.change.disk_mib.is_some() {
            let hot = self.host.live_resize.then_some(&self.live.disk);
            let asked = self.hot_or_later(hot, limits.disk, &mut later, |deferred| self.disk(deferred))?;
            if let Round::NotHot = asked {
                return Ok(asked);
            }
        }
        if later.restart {
            self.restart_once(&later)?;
        }
        Ok(Round::Done)
    }

    fn hot_or_later(
        &self,
        hot: Option<&Cell<bool>>,
        limit: Duration,
        later: &mut Later,
        ask: impl Fn(bool) -> Outcome<Option<Task>>,
    ) -> Outcome<Round> {
        if let Some(hot) = hot.filter(|hot| hot.get()) {
            return match self.job.finish(ask(false), limit) {
                Err(Failure::Refused(error))
                    if matches!(error.kind, Kind::Vm6Api | Kind::Vm6Task) && self.may_restart =>
                {
                    log::info!("not possible while the VM runs ({error}); a restart will apply it");
                    hot.set(false);
                    Ok(Round::NotHot)
                }
                outcome => outcome.map(|_| Round::Done),
            };
        }
        later.tasks.extend(ask(true)?);
        later.restart |= differs(self.host, self.change);
        Ok(Round::Done)
    }

    fn resources(&self, deferred: bool) -> Outcome<Option<Task>> {
        if self.change.resources == Resources::default() {
            return Ok(None);
        }
        let outcome = self.job.vmm.change_resources(self.host.id, &self.change.resources, deferred);
        fault::point("resize.after_request");
        outcome
    }

    fn disk(&self, deferred: bool) -> Outcome<Option<Task>> {
        let (Some(size), Some(disk)) = (self.change.disk_mib, &self.host.disk) else { return Ok(None) };
        let outcome = self.job.vmm.grow_disk(disk, size, deferred);
        fault::point("resize.after_request");
        outcome
    }

    /// The VM runs again before the deferred tasks are judged: they ran while it was stopped [api 4.8].
    fn restart_once(&self, later: &Later) -> Outcome<()> {
        let (job, host) = (self.job, self.host);
        log::info!("service {}: VM {} is restarted once, to apply what waits for its stop", job.service.id, host.id);
        self.note_restart().map_err(Failure::Refused)?;
        fault::point("resize.before_restart");
        let outcome = job.vmm.restart_host(host.id, false);
        fault::point("resize.after_restart");
        let limit = job.limits().disk + job.limits().change;
        match job.finish(outcome, limit) {
            Ok(Ended::Complete) => {}
            Ok(Ended::Unlisted) => {
                return self.see_restart(Error::new(Kind::Vm6Api, "restart", "VMmanager lists no task of the restart"));
            }
            Err(Failure::Unknown(error)) => return self.see_restart(error),
            Err(Failure::Refused(error)) => self.start_again(error).map_err(Failure::Refused)?,
        }
        job.journal.restart_failed(job.service.id).map_err(Failure::Refused)?;
        let in_vain = |failure| match failure {
            Failure::Refused(error) if error.kind == Kind::Vm6Task => {
                Failure::Refused(error.origin(Origin::RestartedInVain))
            }
            other => other,
        };
        later.tasks.iter().try_for_each(|task| job.finish(Ok(Some(task.clone())), limit).map(drop).map_err(in_vain))
    }

    /// The next try sees who has stopped the VM.
    fn note_restart(&self) -> Result<()> {
        let (job, mark) = (self.job, self.job.mark.to_string());
        let Some(operation) = job.operation else { return Ok(()) };
        job.journal.restarting(job.subject(job.platform()?, &mark), operation, None::<&String>)
    }

    /// A restart that has failed may leave the VM stopped.
    fn start_again(&self, failed: Error) -> Result<()> {
        let (job, item) = (self.job, self.job.service.id);
        let host = job.vm()?;
        if failed.kind == Kind::Vm6Task && host.state == HostState::Stopped {
            log::warn!("service {item}: {failed}; VM {} is started", host.id);
            return power::start(job, &host);
        }
        if failed.kind != Kind::Vm6Timeout {
            job.journal.restart_failed(item)?;
        }
        Err(failed)
    }

    /// Nobody knows whether VMmanager restarts the VM: it does when the VM gets its new values.
    fn see_restart(&self, unknown: Error) -> Outcome<()> {
        let fits = |host: &Host| compare(self.wanted, host).is_ok_and(|left| left.is_empty());
        log::warn!("service {}: {unknown}; looking whether VM {} is restarted", self.job.service.id, self.host.id);
        let host = self.job.watch(self.host.id, fits).map_err(Failure::Refused)?;
        if fits(&host) { Ok(()) } else { Err(Failure::Unknown(unknown)) }
    }
}
