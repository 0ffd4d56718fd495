//! Bringing a VM's sizes to what is ordered now: only differences are sent.
//!
//! A running VM is changed hot where it can be, else the change is deferred to its next stop and one restart applies
//! everything. A stopped VM is changed at once and stays stopped. A disk never shrinks: that is found before anything
//! is asked. A lost answer, or a crash at any line, is answered by the same comparison after VMmanager has become
//! quiet: what was asked for is not asked for again, and there is no second restart. What was deferred and is ordered
//! no longer is overridden; a disk cannot be.

use std::time::Duration;

use super::speed_cap;
use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::order::{Order, Sizes};
use crate::service::platform::catalogue;
use crate::vmm::{Failure, Host, Outcome, Preset, Resources, Task};
use crate::{fault, log};

/// Memory grows in these steps while a VM runs [api 4.8].
const HOT_RAM_STEP_MIB: u64 = 1024;
/// How often a request is sent of which nobody knows whether it arrived.
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
    bring(job, order, host, true)
}

/// The same where it can be done without a restart; refused as a whole where it cannot.
pub fn apply_without_restart(job: &Job, order: &Order, host: Host) -> Result<Host> {
    bring(job, order, host, false)
}

/// Whether a change of the VM as it is now means a restart; VMmanager may still refuse to do it without one.
pub fn restarts(host: &Host, change: &Change) -> bool {
    let hot_resources = change.resources == Resources::default() || is_hot(host, &change.resources);
    let hot_disk = change.disk_mib.is_none() || host.live_resize;
    host.state != Host::STOPPED && (change.pending || !hot_resources || !hot_disk)
}

fn bring(job: &Job, order: &Order, host: Host, may_restart: bool) -> Result<Host> {
    let wanted = speed_cap::leave_capped(job.journal.cap(job.service.id)?, &host, sizes(job, order, &host)?);
    if compare(&wanted, &host)?.is_empty() {
        return Ok(host);
    }
    let fits = |host: &Host| compare(&wanted, host).is_ok_and(|left| left.is_empty());
    let mut host = job.before_asking(host.id, fits)?;
    for round in 1..=ROUNDS {
        let change = compare(&wanted, &host)?;
        if change.is_empty() {
            return Ok(host);
        }
        log::info!("service {}: VM {} is changed: {change:?}", job.service.id, host.id);
        if !may_restart && restarts(&host, &change) {
            return Err(needs_restart(job, &host));
        }
        match carry_out(job, &wanted, &host, &change, may_restart) {
            Err(Failure::Unknown(error)) if round < ROUNDS => {
                log::warn!("service {}: {error}; looking at the VM", job.service.id);
                host = job.watch(host.id, |host| compare(&wanted, host).is_ok_and(|left| left != change))?;
            }
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

/// Ordered sizes, completed by the tariff's VM configuration.
pub fn sizes(job: &Job, order: &Order, host: &Host) -> Result<Sizes> {
    sizes_of(order, host, || job.vmm.presets())
}

/// The same with VMmanager's VM configurations, which are asked for when they are needed.
pub fn sizes_of<P: AsRef<[Preset]>>(order: &Order, host: &Host, presets: impl FnOnce() -> Result<P>) -> Result<Sizes> {
    let sizes = order.sizes.clone();
    if ![sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib].contains(&None) {
        return Ok(sizes);
    }
    let lxd = host.cluster.as_ref().is_some_and(|cluster| cluster.virtualization_type == "lxd");
    let Some(preset) = catalogue::needed_preset(presets, order, lxd)? else { return Ok(sizes) };
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
        // A stopped VM has no next stop that something could wait for.
        let waiting = waiting.filter(|&size| size > 0 && host.state != Host::STOPPED);
        let right = wanted == is;
        pending |= !right && wanted.is_some() && wanted == waiting;
        wanted.filter(|_| waiting.map_or(!right, |_| wanted != waiting))
    };
    let [speed_in, speed_out] = host.speeds();
    let disk_mib =
        difference(wanted.hdd_mib, has, disk.and_then(|disk| disk.size_mib_new)).filter(|_| wanted.hdd_mib != has);
    let resources = Resources {
        cpu_number: difference(wanted.cpu_number, host.cpu_number, host.cpu_number_new),
        ram_mib: difference(wanted.ram_mib, host.ram_mib, host.ram_mib_new),
        net_in_mbitps: difference(wanted.net_in_mbitps, speed_in, None),
        net_out_mbitps: difference(wanted.net_out_mbitps, speed_out, None),
    };
    Ok(Change { disk_mib, resources, pending })
}

fn needs_restart(job: &Job, host: &Host) -> Error {
    let item = job.service.id;
    let text = format!(
        "VM {} cannot get the ordered size while it runs; --command setparam --item {item} restarts it",
        host.id
    );
    Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text)
}

fn carry_out(job: &Job, wanted: &Sizes, host: &Host, change: &Change, may_restart: bool) -> Outcome<()> {
    fault::point("resize.before_request");
    let parts = Parts { job, wanted, host, change, may_restart };
    match host.state.as_str() {
        Host::STOPPED => parts.change_stopped(),
        Host::RUNNING => parts.change_running(),
        other => {
            let text = format!("VM {} is {other}: VMmanager works on it; the next try changes it", host.id);
            Err(Failure::Refused(Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text)))
        }
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

/// The change in its two requests.
struct Parts<'a> {
    job: &'a Job<'a>,
    wanted: &'a Sizes,
    host: &'a Host,
    change: &'a Change,
    may_restart: bool,
}

/// What was accepted for the VM's next stop.
#[derive(Default)]
struct Later {
    restart: bool,
    tasks: Vec<Task>,
}

impl Parts<'_> {
    fn change_stopped(&self) -> Outcome<()> {
        self.at_once(self.job.limits().change, self.resources(false))?;
        self.at_once(self.job.limits().disk, self.disk(false))
    }

    fn change_running(&self) -> Outcome<()> {
        let limits = self.job.limits();
        let mut later = Later { restart: self.change.pending, tasks: Vec::new() };
        if self.change.resources != Resources::default() {
            let hot = is_hot(self.host, &self.change.resources);
            self.hot_or_later(hot, limits.change, &mut later, |deferred| self.resources(deferred))?;
        }
        if self.change.disk_mib.is_some() {
            self.hot_or_later(self.host.live_resize, limits.disk, &mut later, |deferred| self.disk(deferred))?;
        }
        if later.restart { self.restart_once(&later) } else { Ok(()) }
    }

    /// A refusal of the hot way is followed by the deferred way.
    fn hot_or_later(
        &self,
        hot: bool,
        limit: Duration,
        later: &mut Later,
        ask: impl Fn(bool) -> Outcome<Option<Task>>,
    ) -> Outcome<()> {
        if hot {
            match self.at_once(limit, ask(false)) {
                Err(Failure::Refused(error)) if error.kind == Kind::Vm6Api && self.may_restart => {
                    log::info!("not possible while the VM runs ({error}); a restart will apply it");
                }
                outcome => return outcome,
            }
        }
        later.tasks.extend(ask(true)?);
        later.restart |= differs(self.host, self.change);
        Ok(())
    }

    fn at_once(&self, limit: Duration, asked: Outcome<Option<Task>>) -> Outcome<()> {
        match asked? {
            Some(task) => self.job.vmm.wait(&task, limit).map(drop).map_err(Failure::Refused),
            None => Ok(()),
        }
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
        let outcome = self.job.vmm.grow_disk(disk.id, size, deferred);
        fault::point("resize.after_request");
        outcome
    }

    /// The VM runs again before the deferred tasks are judged: they ran while it was stopped [api 4.8].
    fn restart_once(&self, later: &Later) -> Outcome<()> {
        let (job, host) = (self.job, self.host);
        log::info!("service {}: VM {} is restarted once, to apply what waits for its stop", job.service.id, host.id);
        fault::point("resize.before_restart");
        let outcome = job.vmm.restart_host(host.id, false);
        fault::point("resize.after_restart");
        let start = match outcome {
            Ok(Some(start)) => start,
            Ok(None) => return self.see_restart(Error::new(Kind::Vm6Api, "restart", "VMmanager named no task")),
            Err(Failure::Unknown(error)) => return self.see_restart(error),
            Err(refused) => return Err(refused),
        };
        let limit = job.limits().disk + job.limits().change;
        for task in std::iter::once(&start).chain(&later.tasks) {
            job.vmm.wait(task, limit).map_err(Failure::Refused)?;
        }
        Ok(())
    }

    /// Nobody knows whether VMmanager restarts the VM: it does when the VM gets its new values.
    fn see_restart(&self, unknown: Error) -> Outcome<()> {
        let fits = |host: &Host| compare(self.wanted, host).is_ok_and(|left| left.is_empty());
        log::warn!("service {}: {unknown}; looking whether VM {} is restarted", self.job.service.id, self.host.id);
        let host = self.job.watch(self.host.id, fits).map_err(Failure::Refused)?;
        if fits(&host) { Ok(()) } else { Err(Failure::Unknown(unknown)) }
    }
}

/// The VM has other values now than wanted; it has not where a deferred change is only overridden.
fn differs(host: &Host, change: &Change) -> bool {
    let Resources { cpu_number, ram_mib, net_in_mbitps, net_out_mbitps } = change.resources;
    let other = |wanted: Option<u64>, is: Option<u64>| wanted.is_some() && wanted != is;
    let speeds = net_in_mbitps.or(net_out_mbitps).is_some();
    speeds || change.disk_mib.is_some() || other(cpu_number, host.cpu_number) || other(ram_mib, host.ram_mib)
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

    #[test]
    fn what_waits_and_is_no_longer_ordered_is_overridden_without_a_restart() {
        let host = host(serde_json::json!({
            "id": 1, "state": "active", "cpu_number": 2, "cpu_number_new": 8, "ram_mib": 2048, "ram_mib_new": 2048
        }));
        let wanted = Sizes { cpu_number: Some(2), ram_mib: Some(2048), ..Sizes::default() };
        let change = compare(&wanted, &host).unwrap();
        let resources = Resources { cpu_number: Some(2), ..Resources::default() };
        assert_eq!(change, Change { disk_mib: None, resources, pending: false });
        assert!(!differs(&host, &change));
    }
}
