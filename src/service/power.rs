//! Stopping and starting a service's VM, and holding it stopped while the service is suspended.
//!
//! Suspension is per VM: the account is never blocked, because VMmanager would stop every VM of the client
//! [api 4.1, behaviour]. The state is read first: what is done already is success.

use super::Job;
use crate::error::Result;
use crate::vmm::Host;
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
