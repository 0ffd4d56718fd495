//! The sizes a service's VM should have, and what differs from those it has.

use crate::error::{Error, Kind, Result};
use crate::journal::Proof;
use crate::service::job::Job;
use crate::service::order::{Order, Sizes};
use crate::service::platform::catalogue;
use crate::vmm::{Fields, Host, HostState, Preset, Resources};

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New size of the main disk, MiB.
    pub disk_mib: Option<u64>,
    /// New cores, memory, speeds, limits and modes.
    pub resources: Resources,
    /// Some of it was accepted before and waits for a stop.
    pub pending: bool,
}

impl Change {
    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.disk_mib.is_none() && self.resources == Resources::default() && !self.pending
    }

    /// More than speeds, limits and modes is to be changed.
    fn is_of_sizes(&self) -> bool {
        let Resources { cpu_number, ram_mib, .. } = self.resources;
        self.pending || self.disk_mib.or(cpu_number).or(ram_mib).is_some()
    }
}

/// Ordered sizes, completed by the tariff's VM configuration.
pub fn sizes(job: &Job, order: &Order, host: &Host) -> Result<Sizes> {
    let can_tune = !order.tuning.is_empty() && job.journal.has_proved(job.platform()?, Proof::TuningAtChange)?;
    sizes_of(order, host, can_tune, || job.vmm.presets())
}

/// The same with VMmanager's VM configurations, which are asked for when they are needed; with limits and modes if
/// the platform `can_tune` a VM.
pub fn sizes_of<P: AsRef<[Preset]>>(
    order: &Order,
    host: &Host,
    can_tune: bool,
    presets: impl FnOnce() -> Result<P>,
) -> Result<Sizes> {
    let lxd = host.cluster.as_ref().is_some_and(|cluster| cluster.virtualization_type == "lxd");
    let tuning = if can_tune { order.tuning.clone() } else { Fields::new() };
    refuse_cpu_mode(&tuning, lxd)?;
    let sizes = Sizes { tuning, ..order.sizes.clone() };
    if ![sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib].contains(&None) {
        return Ok(sizes);
    }
    let Some(preset) = catalogue::needed_preset(presets, order, lxd)? else { return Ok(sizes) };
    Ok(Sizes {
        cpu_number: sizes.cpu_number.or(preset.cpu_number),
        ram_mib: sizes.ram_mib.or(preset.ram_mib),
        hdd_mib: sizes.hdd_mib.or_else(|| preset.main_disk_mib()),
        net_in_mbitps: sizes.net_in_mbitps.or(preset.tuning.net_in_mbitps),
        net_out_mbitps: sizes.net_out_mbitps.or(preset.tuning.net_out_mbitps),
        tuning: sizes.tuning,
    })
}

/// Refuses a CPU mode for a container.
pub fn refuse_cpu_mode(tuning: &Fields, lxd: bool) -> Result<()> {
    let Some(mode) = tuning.get("cpu_mode").filter(|_| lxd) else { return Ok(()) };
    let text = format!("the order asks for the CPU mode {mode}, but a container (LXD) has none");
    let cure = "take the add-ons cpu_mode and cpu_custom_model out of tariffs that are sold in LXD clusters";
    Err(Error::new(Kind::BadParam, "cpu_mode", text).cure(cure))
}

/// Refuses to change a VM with snapshots before VMmanager is asked [api B1].
pub fn refuse_snapshots(host: &Host, what: &str) -> Result<()> {
    let Some(count @ 1..) = host.snapshot_count else { return Ok(()) };
    let text = format!("VM {} has {count} snapshots, so VMmanager does not give it {what}", host.id);
    let error = Error::new(Kind::VmHasSnapshots, format!("VM {}", host.id), text);
    Err(error.cure("remove the snapshots in VMmanager, then run the operation again"))
}

/// What has to change; `disk_shrink` when the order asks for less disk than the VM has, `vm_has_snapshots` when sizes
/// differ and the VM has some.
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
        let waiting = waiting.filter(|&size| size > 0 && host.state != HostState::Stopped);
        let right = wanted == is;
        pending |= !right && wanted.is_some() && wanted == waiting;
        wanted.filter(|_| waiting.map_or(!right, |_| wanted != waiting))
    };
    let speed = host.speeds();
    let disk_mib =
        difference(wanted.hdd_mib, has, disk.and_then(|disk| disk.size_mib_new)).filter(|_| wanted.hdd_mib != has);
    let resources = Resources {
        cpu_number: difference(wanted.cpu_number, host.cpu_number, host.cpu_number_new),
        ram_mib: difference(wanted.ram_mib, host.ram_mib, host.ram_mib_new),
        net_in_mbitps: difference(wanted.net_in_mbitps, speed.incoming, None),
        net_out_mbitps: difference(wanted.net_out_mbitps, speed.outgoing, None),
        tuning: host.untuned(&wanted.tuning),
    };
    let change = Change { disk_mib, resources, pending };
    if change.is_of_sizes() {
        refuse_snapshots(host, "the ordered size")?;
    }
    Ok(change)
}

/// Whether a change of the VM as it is now means a restart; VMmanager may still refuse to do it without one.
pub fn restarts(host: &Host, change: &Change) -> bool {
    let hot_resources = host.obstacle(&change.resources).is_none();
    let hot_disk = change.disk_mib.is_none() || host.live_resize;
    host.state != HostState::Stopped && (change.pending || !hot_resources || !hot_disk)
}

/// The VM has other values now than wanted; it has not where a deferred change is only overridden.
pub fn differs(host: &Host, change: &Change) -> bool {
    let Resources { cpu_number, ram_mib, net_in_mbitps, net_out_mbitps, ref tuning } = change.resources;
    let other = |wanted: Option<u64>, is: Option<u64>| wanted.is_some() && wanted != is;
    let speeds = net_in_mbitps.or(net_out_mbitps).is_some();
    speeds
        || !tuning.is_empty()
        || change.disk_mib.is_some()
        || other(cpu_number, host.cpu_number)
        || other(ram_mib, host.ram_mib)
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
            tuning: Fields::new(),
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
