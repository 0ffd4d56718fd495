//! Where a handler cannot make a service's VM, BILLmanager's next handler is asked for, as the vendor's modules do
//! [protocol 3.5, A12].
//!
//! Only after the VM was looked for and not found, and while the journal says that none can exist: nothing was asked for,
//! or VMmanager has refused it, or its remains were removed. What is not known stays where it may be. Deliberately
//! absent: moving because VMmanager cannot be reached, or because the order itself is wrong.

use crate::error::{Error, Kind, Origin, Result};
use crate::id::HandlerId;
use crate::journal::Phase;
use crate::log;
use crate::service::job::Job;
use crate::service::platform::capacity::{Answer, Stock};

/// The error of a failed creation, with the service at another handler if there is one that may do better.
pub(super) fn instead(job: &Job, failed: Error) -> Error {
    match find(job, &failed) {
        Ok(Some(next)) => {
            failed.and(format!("BILLmanager's next handler for the service is {next}")).origin(Origin::Moved)
        }
        Ok(None) => failed,
        Err(error) => {
            log::warn!("service {}: no other handler was asked for: {error}", job.service.id);
            failed
        }
    }
}

fn find(job: &Job, failed: &Error) -> Result<Option<HandlerId>> {
    let (item, here) = (job.service.id, job.handler.id);
    if job.panel.is_dry_run() || !is_final(job, failed)? || job.living_record()?.is_some() {
        return Ok(None);
    }
    let others = job.panel.candidates(job.service.tariff_id)?;
    if others.iter().all(|candidate| candidate.id == here) {
        return Ok(None);
    }
    // On another platform the same id is another VM.
    if job.panel.params(item)?.get("panelid").is_some_and(|id| !matches!(id.as_str(), "" | "0")) {
        job.panel.save(item, "panelid", "0")?;
    }
    let next = job.panel.next_handler(item, here)?;
    if next.is_some() {
        job.panel.report_move(item, (here, &job.handler.name), failed)?;
    }
    Ok(next)
}

/// Another try at this handler would end in the same way: what the handler needs is gone, or VMmanager cannot make the
/// VM, because there is no room for it or for the second time.
fn is_final(job: &Job, failed: &Error) -> Result<bool> {
    match failed.kind {
        Kind::ClusterNotFound | Kind::OsNotOnCluster => Ok(true),
        Kind::Vm6Api | Kind::Vm6Task if is_refused(job)? => {
            let tried = job.operation.map_or(Ok(0), |operation| job.panel.tries(operation).map(|(tries, _)| tries))?;
            Ok(tried > 0 || Stock::read(&job.vmm)?.fit(&job.service, &job.settings)?.answer() == Answer::None)
        }
        _ => Ok(false),
    }
}

/// VMmanager was asked for the VM, and has said that there is none.
fn is_refused(job: &Job) -> Result<bool> {
    Ok(job.journal.find(job.service.id)?.is_some_and(|record| record.phase == Phase::Refused))
}
