//! Stopping and starting a service's VM, and holding it stopped while the service is suspended.
//!
//! Suspension is per VM: the account is never blocked, because VMmanager would stop every VM of the client
//! [api 4.1]. The state is read first: what is done already is success.

use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::journal::Restart;
use crate::panel::ServiceStatus;
use crate::service::job::Job;
use crate::service::job::settle::keep_looking;
use crate::vmm::{Ended, Failure, Host, HostState, Moment, Past, Task};
use crate::{fault, log};

/// Stops the VM; by force when a gentle stop does not end in its time.
pub(crate) fn stop(job: &Job, host: &Host) -> Result<()> {
    if host.state == HostState::Stopped {
        log::info!("service {}: VM {} is stopped already", job.service.id, host.id);
        return Ok(());
    }
    fault::point("power.before_request");
    let gentle = job.reach(host.id, &HostState::Stopped, job.limits().change / 2, || {
        let outcome = job.vmm.stop_host(host.id, false);
        fault::point("power.after_request");
        outcome
    });
    let result = match gentle {
        Err(error) if calls_for_force(&error) => stop_by_force(job, host.id, &error),
        gentle => gentle,
    };
    fault::point("power.waited");
    result
}

/// VMmanager has refused the stop, its task has failed, or the VM had all its time. That VMmanager cannot be looked at is
/// no reason to cut anybody's power.
fn calls_for_force(error: &Error) -> bool {
    error.is_refusal() || error.is_long_wait()
}

fn stop_by_force(job: &Job, host: VmId, why: &Error) -> Result<()> {
    if job.vmm.host(host)?.is_some_and(|host| host.state == HostState::Stopped) {
        return Ok(());
    }
    log::warn!("service {}: VM {host} did not stop ({why}); it is stopped by force", job.service.id);
    job.reach(host, &HostState::Stopped, job.limits().change, || job.vmm.stop_host(host, true))
}

/// Starts the VM.
pub(crate) fn start(job: &Job, host: &Host) -> Result<()> {
    if host.state == HostState::Running {
        log::info!("service {}: VM {} runs already", job.service.id, host.id);
        return Ok(());
    }
    fault::point("power.before_request");
    let result = job.reach(host.id, &HostState::Running, job.limits().change, || {
        let outcome = job.vmm.start_host(host.id);
        fault::point("power.after_request");
        outcome
    });
    fault::point("power.waited");
    result
}

/// Restarts the VM; one that is stopped is started. One operation asks for one restart: the end of the VM's history is on
/// the disk before the request, so that the next try sees whether a restart came of it.
fn restart(job: &Job, force: bool) -> Result<()> {
    let (item, limit) = (job.service.id, job.limits().change);
    let host = job.vm()?;
    if let Some(earlier) = job.journal.restart_of(item, job.operation)?
        && goes_on(job, host.id, &earlier)?
    {
        return job.wait_for_state(host.id, &HostState::Running, limit);
    }
    let host = job.vm()?;
    if host.state == HostState::Stopped {
        return start(job, &host);
    }
    let after = job.history(host.id)?.map(|history| Moment::end_of(&history, is_restart));
    if let Some(operation) = job.operation {
        let mark = job.mark.to_string();
        job.journal.restarting(job.subject(job.platform()?, &mark), operation, after.as_ref())?;
    }
    fault::point("power.before_request");
    let outcome = job.vmm.restart_host(host.id, force);
    fault::point("power.after_request");
    match &outcome {
        Ok(Some(task)) => job.journal.restart_accepted(item, task.consul)?,
        Err(Failure::Refused(_)) => job.journal.restart_failed(item)?,
        Ok(None) | Err(Failure::Unknown(_)) => {}
    }
    let is_named = matches!(outcome, Ok(Some(_)));
    match job.finish(outcome, limit) {
        Ok(Ended::Complete) => {}
        Ok(Ended::Unlisted) => {
            // Where the answer named no task, only the history shows that the restart has begun.
            if !is_named {
                taken_up(job, host.id, after.as_ref())?;
            }
            job.idle(host.id)?;
        }
        Err(Failure::Unknown(error)) => {
            log::warn!("service {item}: {error}; looking whether VM {} is restarted", host.id);
            if !taken_up(job, host.id, after.as_ref())? {
                return Err(error.and("no restart of the VM is seen; the next try looks again before it asks"));
            }
            job.idle(host.id)?;
        }
        Err(Failure::Refused(error)) => return Err(error),
    }
    fault::point("power.waited");
    job.wait_for_state(host.id, &HostState::Running, limit)
}

/// Whether the restart that an earlier try of this operation asked for is done; `false` lets this try ask.
fn goes_on(job: &Job, host: VmId, earlier: &Restart) -> Result<bool> {
    let item = job.service.id;
    let after = earlier.after.as_deref().and_then(|after| after.parse().ok());
    let failed = match earlier.task {
        Some(task) => match job.finish(Ok(Some(Task::named(task, "host_start"))), job.limits().change) {
            Err(Failure::Refused(error)) if error.kind == Kind::Vm6Task => true,
            ended => ended.map(|_| false)?,
        },
        None if taken_up(job, host, after.as_ref())? => job.idle(host)?.state == HostState::Stopped,
        None => return Ok(false),
    };
    if failed {
        log::warn!("service {item}: the restart of an earlier try failed");
        job.journal.restart_failed(item)?;
    } else {
        log::info!("service {item}: an earlier try has restarted VM {host}");
    }
    Ok(!failed)
}

/// A task of a restart has come since `after`, or comes in the time that an accepted request may take. Without a history
/// nothing can be seen.
fn taken_up(job: &Job, host: VmId, after: Option<&Moment>) -> Result<bool> {
    let Some(after) = after else { return Ok(false) };
    let seen = keep_looking(&format!("VM {host}: waiting for its restart"), job.limits().appear, || {
        let history = job.vmm.history(host)?;
        Ok(history.is_some_and(|history| after.is_passed(&history, is_restart)).then_some(()))
    })?;
    Ok(seen.is_some())
}

/// A task that a restart may consist of.
fn is_restart(past: &Past) -> bool {
    ["host_stop", "host_start", "host_restart"].contains(&past.name.as_str())
}

/// Number of the VM's newest task, if VMmanager reports it.
pub(crate) fn newest_task(job: &Job, host: VmId) -> Result<Option<u64>> {
    let newest = |past: Vec<Past>| past.iter().filter_map(|task| task.id).max().unwrap_or_default();
    Ok(job.history(host)?.map(newest))
}

/// Stops the VM of a service that is not paid for, or was abused.
pub(crate) fn suspend(job: &Job) -> Result<()> {
    stop(job, &job.vm()?)?;
    job.panel.post("service.postsuspend", job.service.id)
}

/// Starts it again.
pub(crate) fn resume(job: &Job) -> Result<()> {
    start(job, &job.vm()?)?;
    job.panel.post("service.postresume", job.service.id)
}

/// The client's or an employee's power button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    Start,
    Stop,
    /// Restart of the guest.
    Reboot,
    /// Restart by cutting the power.
    HardReboot,
}

/// Does what the button says and reports it. A suspended service cannot be started with it.
pub(crate) fn press(job: &Job, button: Button) -> Result<()> {
    if job.service.status == ServiceStatus::Suspended && button != Button::Stop {
        let error = Error::new(Kind::BadParam, "status", format!("service {} is suspended", job.service.id));
        return Err(error.cure("resume it in BILLmanager first"));
    }
    match button {
        Button::Start => start(job, &job.vm()?)?,
        Button::Stop => stop(job, &job.vm()?)?,
        Button::Reboot => restart(job, false)?,
        Button::HardReboot => restart(job, true)?,
    }
    let post = match button {
        Button::Start => "service.poststart",
        Button::Stop => "service.poststop",
        Button::Reboot => "service.postreboot",
        Button::HardReboot => "service.posthardreboot",
    };
    job.panel.post(post, job.service.id)
}
