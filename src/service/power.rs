//! Stopping and starting a service's VM, and holding it stopped while the service is suspended.
//!
//! Suspension is per VM: the account is never blocked, because VMmanager would stop every VM of the client
//! [api 4.1, behaviour]. The state is read first: what is done already is success.

use super::{Job, SUSPENDED};
use crate::error::{Error, Kind, Result};
use crate::vmm::{Failure, Host, Task};
use crate::{fault, log};

const RUNNING: &str = "active";
const STOPPED: &str = "stopped";

/// Stops the VM; by force when a gentle stop does not end in its time.
pub fn stop(job: &Job, host: &Host) -> Result<()> {
    if host.state == STOPPED {
        log::info!("service {}: VM {} is stopped already", job.service.id, host.id);
        return Ok(());
    }
    fault::point("power.before_request");
    let gentle = job.reach(host.id, STOPPED, job.limits().change / 2, || {
        let outcome = job.vmm.stop_host(host.id, false);
        fault::point("power.after_request");
        outcome
    });
    let result = gentle.or_else(|error| {
        log::warn!("service {}: VM {} did not stop ({error}); it is stopped by force", job.service.id, host.id);
        job.reach(host.id, STOPPED, job.limits().change, || job.vmm.stop_host(host.id, true))
    });
    fault::point("power.waited");
    result
}

/// Starts the VM.
pub fn start(job: &Job, host: &Host) -> Result<()> {
    if host.state == RUNNING {
        log::info!("service {}: VM {} runs already", job.service.id, host.id);
        return Ok(());
    }
    fault::point("power.before_request");
    let result = job.reach(host.id, RUNNING, job.limits().change, || {
        let outcome = job.vmm.start_host(host.id);
        fault::point("power.after_request");
        outcome
    });
    fault::point("power.waited");
    result
}

/// Restarts the VM; one that is stopped is started. A run that was interrupted after VMmanager's answer waits for that
/// restart instead of asking for another.
fn restart(job: &Job, force: bool) -> Result<()> {
    let host = job.vm()?;
    let limit = job.limits().change;
    if let Some(task) = job.journal.restart_of(job.service.id, job.operation)? {
        log::info!("service {}: going on with the restart that an earlier run asked for", job.service.id);
        job.vmm.wait(&Task::named(task, "host_start"), limit)?;
        return job.wait_for_state(host.id, RUNNING, limit);
    }
    if host.state == STOPPED {
        return start(job, &host);
    }
    fault::point("power.before_request");
    let outcome = job.vmm.restart_host(host.id, force);
    fault::point("power.after_request");
    let task = match outcome {
        Ok(task) => task,
        Err(Failure::Unknown(error)) => {
            log::warn!("service {}: {error}; waiting for VM {} to run", job.service.id, host.id);
            None
        }
        Err(Failure::Refused(error)) => return Err(error),
    };
    if let Some(task) = &task {
        job.journal.restarted(
            job.service.id,
            job.service.client.id,
            &job.mark.to_string(),
            job.operation,
            task.consul,
        )?;
        job.vmm.wait(task, limit)?;
    }
    fault::point("power.waited");
    job.wait_for_state(host.id, RUNNING, limit)
}

/// Stops the VM of a service that is not paid for, or was abused.
pub fn suspend(job: &Job) -> Result<()> {
    stop(job, &job.vm()?)?;
    job.panel.post("service.postsuspend", job.service.id)
}

/// Starts it again.
pub fn resume(job: &Job) -> Result<()> {
    start(job, &job.vm()?)?;
    job.panel.post("service.postresume", job.service.id)
}

/// The client's or an employee's power button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Restart of the guest.
    Reboot,
    /// Restart by cutting the power.
    HardReboot,
}

/// Does what the button says and reports it. A suspended service cannot be started with it.
pub fn press(job: &Job, button: Button) -> Result<()> {
    if job.service.status == SUSPENDED && button != Button::Stop {
        let text = format!("service {} is suspended; resume it in BILLmanager first", job.service.id);
        return Err(Error::new(Kind::BadParam, "status", text));
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
