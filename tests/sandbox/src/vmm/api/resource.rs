//! Cores, memory, limits and disks of an existing VM [api 4.8].
//!
//! On a running VM a change is either hot (cores and memory where `hot_plug`, disks where `live_resize`, and only
//! growing) or put off until a stop with `defer`. A deferred change waits for a stop even if the VM is stopped when
//! it is asked for: leave `defer` out then.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::{Disk, Host};
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::variant::Known;
use super::super::view::plain;
use super::super::work::Work;
use super::{Answer, Call, Properties};

/// Limits and modes, in create as well as here.
pub(super) const TUNING: &[Field] = &[
    may("net_bandwidth_mbitps", Kind::Int(0)),
    may("net_in_mbitps", Kind::Int(0)),
    may("net_out_mbitps", Kind::Int(0)),
    may("net_weight", Kind::Int(0)),
    may("cpu_mode", Kind::Text),
    may("cpu_custom_model", Kind::Text),
    may("nesting", Kind::Bool),
    may("cpu_weight", Kind::Int(0)),
    may("io_weight", Kind::Int(0)),
    may("io_read_mbitps", Kind::Int(0)),
    may("io_write_mbitps", Kind::Int(0)),
    may("io_read_iops", Kind::Int(0)),
    may("io_write_iops", Kind::Int(0)),
    may("anti_spoofing", Kind::Bool),
    may("tcp_connections_in", Kind::Int(0)),
    may("tcp_connections_out", Kind::Int(0)),
    may("process_number", Kind::Int(0)),
    may("firewall_rules", Kind::Objects(RULE)),
];
const RULE: &[Field] = &[
    must("action", Kind::Text),
    must("direction", Kind::Text),
    may("protocols", Kind::Texts),
    may("portstart", Kind::Int(0)),
    may("portend", Kind::Int(0)),
];
pub(super) const SIZES: &[Field] =
    &[may("cpu_number", Kind::Int(1)), may("ram_mib", Kind::Int(1)), may("defer", Kind::Object(DEFER))];
const DISK: &[Field] = &[
    may("size_mib", Kind::Int(1)),
    may("name", Kind::Text),
    may("expand_part", Kind::Text),
    may("defer", Kind::Object(DEFER)),
];
const DEFER: &[Field] = &[must("action", Kind::Text)];

/// Most cores of a VM: no source says, so it is more than can be had while a VM runs.
pub(super) const MAX_CPU: u64 = 1024;
/// Most cores that a running VM can get [api B2].
const HOT_CPU: u64 = 240;
/// The same under Windows.
const HOT_CPU_WINDOWS: u64 = 128;
/// Memory grows hot in steps of this.
const RAM_STEP: u64 = 1024;
/// And this often.
const RAM_STEPS: u64 = 16;

pub(super) fn change(call: &mut Call<'_>) -> Answer {
    let mut values = call.body(&[SIZES, TUNING])?;
    check_known(&values, call.platform.variant.tuning_at_change)?;
    let deferred = deferred(&mut values)?;
    if values.is_empty() {
        return Err(ApiError::refused("Nothing to change"));
    }
    let host = call.ready_host()?;
    let lxd = call.platform.clusters.get(&host.cluster).is_some_and(|c| c.virtualization_type == "lxd");
    check_values(&values, lxd)?;
    if values.contains_key("cpu_number") || values.contains_key("ram_mib") {
        call.check_snapshots(host.id)?;
    }
    let possible = if host.state == "active" && !deferred { check_hot(call, host, &values) } else { Ok(()) };
    let (id, user) = (host.id, call.who.account);
    if let Some(work) = call.in_task(possible)? {
        return Ok(call.accept(Order::new("host_change_params", id, user, work)));
    }
    if let (true, Some(host)) = (deferred, call.platform.hosts.get_mut(&id)) {
        for (name, value) in &values {
            host.announce(name, value.as_u64().unwrap_or(1).max(1));
        }
    }
    Ok(call.accept(Order { deferred, ..Order::new("host_change_params", id, user, Work::Change(values)) }))
}

impl Call<'_> {
    /// A refusal of a hot change as the work of a task, where this build only sees it there.
    fn in_task(&self, possible: Result<(), ApiError>) -> Result<Option<Work>, ApiError> {
        match possible {
            Err(refusal) if self.platform.variant.hot_limits_in_task => Ok(Some(Work::Impossible(refusal.text()))),
            other => other.map(|()| None),
        }
    }
}

/// Refuses limits and modes that this build's request does not have.
pub(super) fn check_known(values: &Map<String, Value>, known: Known) -> Result<(), ApiError> {
    let is_tuning = |name: &&String| TUNING.iter().any(|field| field.name() == name.as_str());
    match values.keys().filter(is_tuning).find(|name| !known.has(name)) {
        Some(name) => Err(ApiError::unexpected(name)),
        None => Ok(()),
    }
}

/// What create and change refuse in the same way.
pub(super) fn check_values(values: &Map<String, Value>, lxd: bool) -> Result<(), ApiError> {
    if values.number("cpu_number").is_some_and(|cpu| cpu > MAX_CPU) {
        return Err(ApiError::invalid("cpu_number", format!("at most {MAX_CPU}")));
    }
    let mode = values.text("cpu_mode");
    if lxd && (mode.is_some() || values.contains_key("cpu_custom_model")) {
        return Err(ApiError::invalid("cpu_mode", "LXD has no CPU modes"));
    }
    if mode.is_some_and(|mode| !["default", "host-model", "host-passthrough", "custom"].contains(&mode)) {
        return Err(ApiError::invalid("cpu_mode", "default, host-model, host-passthrough or custom expected"));
    }
    if values.contains_key("cpu_custom_model") != (mode == Some("custom")) {
        return Err(ApiError::invalid("cpu_custom_model", "needed with cpu_mode custom, and only then"));
    }
    Ok(())
}

/// Reads and takes out `defer`.
fn deferred(values: &mut Map<String, Value>) -> Result<bool, ApiError> {
    match values.remove("defer") {
        None => Ok(false),
        Some(defer) if defer["action"] == "host_stop" => Ok(true),
        Some(_) => Err(ApiError::invalid("defer.action", "host_stop expected")),
    }
}

fn check_hot(call: &Call<'_>, host: &Host, values: &Map<String, Value>) -> Result<(), ApiError> {
    let windows = host.os.and_then(|os| call.platform.os.get(&os)).is_some_and(|os| os.os_group == "windows");
    let most = if windows { HOT_CPU_WINDOWS } else { HOT_CPU };
    let refused = |what: &str| Err(ApiError::refused(format!("{what} of running VM {} needs a stop", host.id)));
    let tuning = plain(&host.tuning);
    for (name, value) in values {
        let number = value.as_u64().unwrap_or(0);
        match name.as_str() {
            "cpu_number" if number == host.cpu_number => {}
            "cpu_number" if host.hot_plug && number > host.cpu_number && number <= most => {}
            "ram_mib" if number == host.ram_mib => {}
            "ram_mib" if host.hot_plug && number > host.ram_mib => {
                if !(number - host.ram_mib).is_multiple_of(RAM_STEP) || host.hot_plug_cell_counter >= RAM_STEPS {
                    return refused("This growth of memory");
                }
            }
            "net_bandwidth_mbitps" if number == host.net_bandwidth_mbitps => {}
            "firewall_rules" => {}
            "net_in_mbitps" | "net_out_mbitps" if host.hot_speeds => {}
            other if tuning.get(other) == Some(value) => {}
            other => return refused(&format!("Change of {other}")),
        }
    }
    Ok(())
}

pub(super) fn disks(call: &mut Call<'_>) -> Answer {
    let elements = seen_disks(call).map(|disk| call.platform.disk_view(disk)).collect();
    call.list(elements, &["id"])
}

pub(super) fn disks_of(call: &mut Call<'_>) -> Answer {
    let host = call.host()?.id;
    let elements =
        seen_disks(call).filter(|disk| disk.host == host).map(|disk| call.platform.disk_view(disk)).collect();
    call.list(elements, &["id"])
}

pub(super) fn disk(call: &mut Call<'_>) -> Answer {
    Ok(call.platform.disk_view(found(call)?))
}

/// Grows a disk; a name or a partition is set at once.
pub(super) fn edit_disk(call: &mut Call<'_>) -> Answer {
    let mut body = call.body(&[DISK])?;
    let deferred = deferred(&mut body)?;
    if body.is_empty() {
        return Err(ApiError::refused("Nothing to change"));
    }
    let disk = found(call)?;
    let (id, host) = (disk.id, disk.host);
    let size = body.number("size_mib");
    if let Some(size) = size {
        call.check_snapshots(host)?;
        check_growth(call, disk, size)?;
        let possible = if deferred { Ok(()) } else { check_live(call, disk) };
        if let Some(work) = call.in_task(possible)? {
            let answer = call.accept(Order::new("disk_resize", host, call.who.account, work));
            return Ok(json!({"id": id, "task": answer["task"]}));
        }
    }
    if let Some(disk) = call.platform.disks.get_mut(&id) {
        let text = |name: &str, old: &str| body.text(name).unwrap_or(old).to_owned();
        disk.name = text("name", &disk.name);
        disk.expand_part = text("expand_part", &disk.expand_part);
        disk.size_mib_new = size.filter(|_| deferred).unwrap_or(disk.size_mib_new);
    }
    let Some(size_mib) = size else { return Ok(json!({ "id": id })) };
    let work = Work::Resize { disk: id, size_mib };
    let answer = call.accept(Order { deferred, ..Order::new("disk_resize", host, call.who.account, work) });
    Ok(json!({"id": id, "task": answer["task"]}))
}

fn check_growth(call: &Call<'_>, disk: &Disk, size: u64) -> Result<(), ApiError> {
    if size <= disk.size_mib {
        let now = disk.size_mib;
        return Err(ApiError::invalid("size_mib", format!("a disk only grows, and disk {} has {now} MiB", disk.id)));
    }
    let host = call.platform.hosts.get(&disk.host).ok_or_else(|| ApiError::host_unknown(disk.host))?;
    match host.state.as_str() {
        "creating" => Err(ApiError::refused(format!("VM {} is being created", host.id))),
        _ => Ok(()),
    }
}

fn check_live(call: &Call<'_>, disk: &Disk) -> Result<(), ApiError> {
    let host = call.platform.hosts.get(&disk.host).filter(|host| host.state == "active" && !host.live_resize);
    match host {
        Some(host) => Err(ApiError::refused(format!("Disk {} of running VM {} needs a stop", disk.id, host.id))),
        None => Ok(()),
    }
}

fn seen_disks<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Disk> {
    let owner = |disk: &Disk| call.platform.hosts.get(&disk.host).map(|host| host.account);
    call.platform.disks.values().filter(move |disk| owner(disk).is_some_and(|account| call.sees(account)))
}

fn found<'a>(call: &'a Call<'_>) -> Result<&'a Disk, ApiError> {
    let id = call.id(0)?;
    seen_disks(call).find(|disk| disk.id == id).ok_or_else(|| ApiError::not_found("disk", id))
}
