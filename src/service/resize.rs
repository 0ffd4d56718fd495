//! Bringing a VM's sizes to what is ordered now: only differences are sent.
//!
//! A running VM is changed hot where it can be, else the change is deferred to its next stop and one restart applies
//! everything. A stopped VM is changed at once and stays stopped. A disk never shrinks: that is found before anything
//! is asked. After each step the VM is read again, so a lost answer or a crash leads to the same comparison.

use super::order::{Order, Sizes};
use super::{Job, catalogue, overage};
use crate::error::{Error, Kind, Result};
use crate::vmm::{Failure, Host, Outcome, Resources, Task};
use crate::{fault, log};

/// Memory grows in these steps while a VM runs [api 4.8].
const HOT_RAM_STEP_MIB: u64 = 1024;
/// Rounds of "compare, change, read again" before we give up.
const ROUNDS: usize = 3;

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New size of the main disk, MiB.
    pub disk_mib: Option<u64>,
    /// New cores, memory, speeds.
    pub resources: Resources,
    /// Some of it was accepted before and waits for a stop.
    pub pending: bool,
}

impl Change {
    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.disk_mib.is_none() && self.resources == Resources::default() && !self.pending
    }
}

/// Brings the VM's sizes in line with the order; returns the VM as it is then.
pub fn apply(job: &Job, order: &Order, host: Host) -> Result<Host> {
    let wanted = overage::leave_capped(job, &host, sizes(job, order, &host)?)?;
    let mut host = host;
    for round in 0..ROUNDS {
        let change = compare(&wanted, &host)?;
        if change.is_empty() {
            return Ok(host);
        }
        log::info!("service {}: VM {} is changed: {change:?}", job.service.id, host.id);
        match carry_out(job, &host, &change) {
            Err(Failure::Unknown(error)) if round + 1 < ROUNDS => {
                log::warn!("service {}: {error}; looking at the VM", job.service.id);
            }
            outcome => outcome?,
        }
        fault::point("resize.waited");
        host = job.vm()?;
    }
    let left = compare(&wanted, &host)?;
    if left.is_empty() {
        return Ok(host);
    }
    let text = format!("VMmanager reported success, but VM {} still differs from the order: {left:?}", host.id);
    Err(Error::new(Kind::Vm6Task, format!("VM {}", host.id), text))
}

/// Ordered sizes, completed by the tariff's VM configuration.
pub fn sizes(job: &Job, order: &Order, host: &Host) -> Result<Sizes> {
    let sizes = order.sizes.clone();
    if ![sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib].contains(&None) {
        return Ok(sizes);
    }
    let lxd = host.cluster.as_ref().is_some_and(|cluster| cluster.virtualization_type == "lxd");
    let Some(preset) = catalogue::needed_preset(&job.vmm, order, lxd)? else { return Ok(sizes) };
    Ok(Sizes {
        cpu_number: sizes.cpu_number.or(preset.cpu_number),
        ram_mib: sizes.ram_mib.or(preset.ram_mib),
        hdd_mib: sizes.hdd_mib.or_else(|| preset.main_disk_mib()),
        net_in_mbitps: sizes.net_in_mbitps.or(preset.tuning.net_in_mbitps),
        net_out_mbitps: sizes.net_out_mbitps.or(preset.tuning.net_out_mbitps),
    })
}

/// What has to change; `disk_shrink` when the order asks for less disk than the VM has.
pub fn compare(wanted: &Sizes, host: &Host) -> Result<Change> {
    let disk = host.disk.as_ref();
    let has = disk.and_then(|disk| disk.size_mib);
    if let (Some(wanted), Some(has)) = (wanted.hdd_mib, has)
        && wanted < has
    {
        let text = format!(
            "the order asks for {wanted} MiB of disk, VM {} has {has} MiB; a disk cannot shrink, nothing was changed",
            host.id
        );
        return Err(Error::new(Kind::DiskShrink, "disk", text));
    }
    let mut pending = false;
    let mut difference = |wanted: Option<u64>, is: Option<u64>, waiting: Option<u64>| {
        let wanted = wanted.filter(|_| wanted != is)?;
        if waiting == Some(wanted) {
            pending = true;
            return None;
        }
        Some(wanted)
    };
    // One limit for both directions stands for the two when a build has only that one.
    let speed = |limit: Option<u64>| limit.filter(|&n| n > 0).or(host.net_bandwidth_mbitps);
    let disk_mib = difference(wanted.hdd_mib, has, disk.and_then(|disk| disk.size_mib_new));
    let resources = Resources {
        cpu_number: difference(wanted.cpu_number, host.cpu_number, host.cpu_number_new),
        ram_mib: difference(wanted.ram_mib, host.ram_mib, host.ram_mib_new),
        net_in_mbitps: difference(wanted.net_in_mbitps, speed(host.net_in_mbitps), None),
        net_out_mbitps: difference(wanted.net_out_mbitps, speed(host.net_out_mbitps), None),
    };
    Ok(Change { disk_mib, resources, pending })
}

fn carry_out(job: &Job, host: &Host, change: &Change) -> Outcome<()> {
    fault::point("resize.before_request");
    match host.state.as_str() {
        "stopped" => {
            change_resources(job, host, change, false)?;
            change_disk(job, host, change, false)?;
            Ok(())
        }
        "active" => change_running(job, host, change),
        other => {
            let text = format!("VM {} is {other}: VMmanager works on it; the next try changes it", host.id);
            Err(Failure::Refused(Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text)))
        }
    }
}

fn change_running(job: &Job, host: &Host, change: &Change) -> Outcome<()> {
    let mut restart = change.pending;
    if is_hot(host, &change.resources) {
        restart |= hot(change_resources(job, host, change, false), || change_resources(job, host, change, true))?;
    } else {
        restart |= change_resources(job, host, change, true)?;
    }
    if host.live_resize {
        restart |= hot(change_disk(job, host, change, false), || change_disk(job, host, change, true))?;
    } else {
        restart |= change_disk(job, host, change, true)?;
    }
    if restart { restart_once(job, host) } else { Ok(()) }
}

/// A refusal of the hot way is followed by the deferred way; `true` when a restart is needed.
fn hot(tried: Outcome<bool>, deferred: impl FnOnce() -> Outcome<bool>) -> Outcome<bool> {
    match tried {
        Err(Failure::Refused(error)) if error.kind == Kind::Vm6Api => {
            log::info!("not possible while the VM runs ({error}); a restart will apply it");
            deferred()
        }
        Err(failure) => Err(failure),
        Ok(_) => Ok(false),
    }
}

/// Cores and memory of a capable VM may grow while it runs; speeds are always worth a try without a restart.
fn is_hot(host: &Host, resources: &Resources) -> bool {
    let grows = |wanted: Option<u64>, is: Option<u64>| wanted.is_none_or(|wanted| is.is_some_and(|is| wanted > is));
    let step = |wanted: u64| wanted.abs_diff(host.ram_mib.unwrap_or_default()).is_multiple_of(HOT_RAM_STEP_MIB);
    let only_speeds = resources.cpu_number.is_none() && resources.ram_mib.is_none();
    let all_grow = grows(resources.cpu_number, host.cpu_number) && grows(resources.ram_mib, host.ram_mib);
    only_speeds || (host.hot_plug && all_grow && resources.ram_mib.is_none_or(step))
}

/// Sends the resources; `true` when they wait for a restart.
fn change_resources(job: &Job, host: &Host, change: &Change, deferred: bool) -> Outcome<bool> {
    if change.resources == Resources::default() {
        return Ok(false);
    }
    let task = job.vmm.change_resources(host.id, &change.resources, deferred)?;
    fault::point("resize.after_request");
    settle(job, task, deferred, job.limits().change)
}

/// Sends the disk size; `true` when it waits for a restart.
fn change_disk(job: &Job, host: &Host, change: &Change, deferred: bool) -> Outcome<bool> {
    let (Some(size), Some(disk)) = (change.disk_mib, &host.disk) else { return Ok(false) };
    let task = job.vmm.grow_disk(disk.id, size, deferred)?;
    fault::point("resize.after_request");
    settle(job, task, deferred, job.limits().disk)
}

/// A deferred task runs at the restart, which is waited for; reading the VM again proves that it worked.
fn settle(job: &Job, task: Option<Task>, deferred: bool, limit: std::time::Duration) -> Outcome<bool> {
    if let Some(task) = task.filter(|_| !deferred) {
        job.vmm.wait(&task, limit).map_err(Failure::Refused)?;
    }
    Ok(deferred)
}

fn restart_once(job: &Job, host: &Host) -> Outcome<()> {
    log::info!("service {}: VM {} is restarted once, to apply what waits for its stop", job.service.id, host.id);
    fault::point("resize.before_restart");
    let outcome = job.vmm.restart_host(host.id, false);
    fault::point("resize.after_restart");
    let limit = job.limits().disk + job.limits().change;
    match outcome {
        Ok(Some(task)) => job.vmm.wait(&task, limit).map(drop).map_err(Failure::Refused),
        Ok(None) | Err(Failure::Unknown(_)) => job.wait_for_state(host.id, "active", limit).map_err(Failure::Refused),
        Err(refused) => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(json: serde_json::Value) -> Host {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_differences_are_wanted() {
        let host = host(serde_json::json!({
            "id": 1, "state": "active", "cpu_number": 2, "ram_mib": 2048, "ram_mib_new": 4096, "net_bandwidth_mbitps": 100,
            "net_in_mbitps": 0, "disk": {"id": 9, "disk_mib": 20480, "disk_mib_new": 0}
        }));
        let wanted = Sizes {
            cpu_number: Some(2),
            ram_mib: Some(4096),
            hdd_mib: Some(30720),
            net_in_mbitps: Some(100),
            net_out_mbitps: Some(50),
        };
        let change = compare(&wanted, &host).unwrap();
        let resources = Resources { net_out_mbitps: Some(50), ..Resources::default() };
        assert_eq!(change, Change { disk_mib: Some(30720), resources, pending: true });
        assert_eq!(compare(&Sizes { hdd_mib: Some(1), ..Sizes::default() }, &host).unwrap_err().kind, Kind::DiskShrink);
        assert!(compare(&Sizes::default(), &host).unwrap().is_empty());
    }
}
