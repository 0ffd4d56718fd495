//! A change of tariff that fails: is it taken back, or finished by the next try?
//!
//! Invariant: BILLmanager does not go back to the old tariff while the VM has, or may still get, anything of the new one. The
//! change is taken back after a definite refusal, if the VM is as it was when the change first touched it; the journal has
//! that from before the first request. Everything else is finished by the next try. When the operation goes to staff
//! there is no next try: then the same condition counts whatever the error is.

use crate::error::{Error, Origin, Result};
use crate::log;
use crate::service::job::Job;
use crate::vmm::{Host, Past, TUNING};

/// Notes what the VM is like, before a change of tariff asks for anything.
pub(crate) fn begin(job: &Job, host: &Host) -> Result<()> {
    let Some(tariffs) = tariffs(job) else { return Ok(()) };
    let mark = job.mark.to_string();
    job.journal.changing(job.subject(job.platform()?, &mark), &tariffs, &shape(host))
}

/// Ends a change: one that has failed is taken back in the name of `user`, where that is right.
pub(crate) fn end(job: &Job, user: Option<u64>, done: Result<()>) -> Result<()> {
    let Some(tariffs) = tariffs(job) else { return done };
    let item = job.service.id;
    let Err(error) = done else {
        forget(job, &tariffs);
        return Ok(());
    };
    match take_back(job, &tariffs, user, &error) {
        Ok(None) => Err(error),
        Ok(Some(true)) => {
            log::warn!("service {item}: the tariff change was taken back");
            forget(job, &tariffs);
            // The next try has nothing to do any more.
            Err(error.origin(Origin::Module))
        }
        Ok(Some(false)) => {
            Err(error
                .and("the VM has, or waits for, a part of the new tariff: the change of tariff was not taken back"))
        }
        Err(failed) => {
            log::error!("service {item}: the tariff change could not be taken back: {failed}");
            Err(error)
        }
    }
}

/// Whether the change was taken back; nothing when the next try may succeed.
fn take_back(job: &Job, tariffs: &str, user: Option<u64>, error: &Error) -> Result<Option<bool>> {
    if error.is_unreachable_panel() || !(error.is_refusal() || goes_to_staff(job, error)?) {
        return Ok(None);
    }
    if !is_as_before(job, tariffs)? {
        return Ok(Some(false));
    }
    job.panel.roll_tariff_back(job.service.id, user).map(|done| done.then_some(true))
}

fn goes_to_staff(job: &Job, error: &Error) -> Result<bool> {
    job.operation.map_or(Ok(false), |operation| job.panel.is_for_staff(error, operation))
}

/// The VM was never asked to change, or it is as it was and nothing waits for it.
fn is_as_before(job: &Job, tariffs: &str) -> Result<bool> {
    let Some(before) = job.journal.before_change(job.service.id, tariffs)? else { return Ok(true) };
    let host = job.vm()?.id;
    // The tasks first: what ends between the two requests is seen in the VM.
    let waits = job.vmm.history(host)?.iter().flatten().any(|past: &Past| past.ended().is_none());
    Ok(!waits && shape(&job.vm()?) == before)
}

/// The operation is over: a journal that cannot be written does not make it fail.
fn forget(job: &Job, tariffs: &str) {
    let item = job.service.id;
    let known = job.journal.before_change(item, tariffs);
    if let Err(error) = known.and_then(|known| known.map_or(Ok(()), |_| job.journal.changed(item))) {
        log::error!("service {item}: the journal still has its change of tariff: {error}");
    }
}

/// Which change of tariff is under way.
fn tariffs(job: &Job) -> Option<String> {
    Some(format!("{} to {}", job.service.last_tariff?, job.service.tariff_id))
}

/// Everything that a tariff gives a VM.
fn shape(host: &Host) -> String {
    let Host { cpu_number, cpu_number_new, ram_mib, ram_mib_new, .. } = host;
    let disk = host.disk.as_ref().map(|disk| (disk.size_mib, disk.size_mib_new));
    let mut addresses: Vec<&str> = host.addresses().map(|address| address.ip.as_str()).collect();
    addresses.sort_unstable();
    let speeds = host.speeds();
    let tuning: Vec<_> = TUNING.iter().filter_map(|field| Some((field, host.tuned(field)?))).collect();
    format!(
        "{cpu_number:?} {cpu_number_new:?} {ram_mib:?} {ram_mib_new:?} {disk:?} {speeds:?} {addresses:?} {tuning:?}"
    )
}
