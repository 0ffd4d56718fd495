//! Removing a service's VM, proved to be its own.
//!
//! A VM that is gone counts as closed only when VMmanager itself says so. The VM goes first and the IP slots after it:
//! a crash in between leaves slots that the next run frees, never an address given to somebody else while it is in use.

use crate::error::{Error, Kind, Result};
use crate::journal::Phase;
use crate::service::job::Job;
use crate::service::job::evidence::Recorded;
use crate::service::job::settle::settle;
use crate::service::vm::backup_schedule;
use crate::vmm::{Failure, Host, HostState, Outcome, Task};
use crate::{fault, log};

/// Ends a service: VM, slots, BILLmanager.
pub(crate) fn close(job: &Job) -> Result<()> {
    let found = locate_for_removal(job)?;
    let left = backup_schedule::leave(job, found.as_ref());
    if let Some(host) = found {
        remove(job, &host)?;
    } else {
        log::info!("service {}: VMmanager has no VM of it, nothing is to be removed", job.service.id);
    }
    left?;
    if job.journal.find(job.service.id)?.is_some() {
        job.journal.step(job.service.id, Phase::Deleted)?;
    }
    free_slots(job)?;
    fault::point("close.slots_freed");
    job.panel.post("service.postclose", job.service.id)
}

/// The VM to be removed. A creation whose outcome is unknown may still show its VM: it is waited for, or the VM would be
/// forgotten.
fn locate_for_removal(job: &Job) -> Result<Option<Host>> {
    let found = match job.locate() {
        Err(error) if error.kind == Kind::Vm6Foreign && is_left_to_another(job)? => return Ok(None),
        found => found?,
    };
    match (found, job.living_record()?) {
        (None, Some(record)) if matches!(record.phase, Phase::Requested | Phase::Accepted) => job.appear(),
        (found, _) => Ok(found),
    }
}

/// A VM that another live service names is that service's now: it stays. Not where the journal knows another VM as ours.
fn is_left_to_another(job: &Job) -> Result<bool> {
    let Some(host) = job.recorded_vm()?.map(|id| job.host(id)).transpose()?.flatten() else { return Ok(false) };
    let facts = job.facts(&host)?;
    let is_left = facts.claimed && matches!(facts.row, Recorded::Here | Recorded::None | Recorded::Earlier);
    if is_left {
        let others: Vec<String> = job.claims(&host)?.iter().map(ToString::to_string).collect();
        log::warn!("service {}: VM {} stays: service {} names it", job.service.id, host.id, others.join(", "));
    }
    Ok(is_left)
}

/// Removes a VM after proving that it is the service's.
pub(crate) fn remove(job: &Job, host: &Host) -> Result<()> {
    job.prove(host)?;
    let (item, mark) = (job.service.id, job.mark.to_string());
    let subject = job.subject(job.platform()?, &mark);
    fault::point("delete.before_intent");
    job.journal.delete(subject, host.id, None)?;
    fault::point("delete.after_intent");
    log::info!("service {item}: removing VM {} ({}, created {})", host.id, host.name, host.create_date);
    let outcome = match job.vmm.delete_host(host.id) {
        Err(Failure::Refused(error)) => remove_stopped(job, host, error),
        outcome => outcome,
    };
    fault::point("delete.after_request");
    if let Ok(Some(task)) = &outcome {
        job.journal.delete(subject, host.id, task.name.as_deref().map(|name| (task.consul, name)))?;
    }
    let finished = job.finish(outcome, job.limits().change);
    fault::point("delete.waited");
    wait_until_gone(job, host).map_err(|exists| match finished {
        Err(Failure::Refused(error)) => error,
        Err(Failure::Unknown(error)) => exists.and(error.message()),
        Ok(_) => exists,
    })
}

/// Some builds want the VM stopped first [api 6, row 35].
fn remove_stopped(job: &Job, host: &Host, refused: Error) -> Outcome<Option<Task>> {
    if host.is_protected {
        let refused = refused.and("the VM is protected from deletion in VMmanager");
        return Err(Failure::Refused(refused.cure("take the protection off")));
    }
    if host.state != HostState::Running || refused.kind != Kind::Vm6Api {
        return Err(Failure::Refused(refused));
    }
    log::warn!("service {}: {refused}; stopping the VM first", job.service.id);
    crate::service::vm::power::stop(job, host).map_err(Failure::Refused)?;
    job.vmm.delete_host(host.id)
}

fn wait_until_gone(job: &Job, host: &Host) -> Result<()> {
    let limit = job.limits().appear;
    let gone = settle(&format!("VM {}: waiting until it is gone", host.id), limit, || {
        let found = job.vmm.host(host.id)?;
        Ok(found.is_none_or(|found| found.create_date != host.create_date).then_some(()))
    })?;
    gone.ok_or_else(|| {
        let text = format!("VM {} still exists {} s after its removal", host.id, limit.as_secs());
        Error::new(Kind::Vm6Timeout, format!("VM {}", host.id), text)
    })
}

fn free_slots(job: &Job) -> Result<()> {
    job.panel.occupied_slots(job.service.id)?.into_iter().try_for_each(|slot| job.panel.free_slot(slot))
}
