//! Making a VM [api 4.7.1].
//!
//! Everything that can be seen to be wrong is refused at once; what only the work shows (no room on a node, no free
//! address) ends the task badly, and the VM stays `creating`.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::{Cluster, Host, Preset};
use super::super::platform::Platform;
use super::super::pool::Wanted;
use super::super::schema::{Field, Kind, may, must, or_null};
use super::super::task::Order;
use super::super::work::{V6, Work};
use super::account::check_password;
use super::address::{GIVEN, INTERFACE, check_pools, check_prefix, v6, wanted};
use super::host::check_name;
use super::resource::{TUNING, check_known, check_values};
use super::software::{SOFTWARE, Software, Target};
use super::{Answer, Call, Properties, ssh_key};

pub(super) const CREATE: &[Field] = &[
    must("name", Kind::Text),
    must("cluster", Kind::Int(1)),
    must("account", Kind::Int(1)),
    must("password", Kind::Text),
    may("node", Kind::Int(1)),
    may("storage", Kind::Int(1)),
    may("domain", Kind::Text),
    may("comment", Kind::Text),
    may("preset", Kind::Int(1)),
    may("cpu_number", Kind::Int(1)),
    may("ram_mib", Kind::Int(1)),
    may("hdd_mib", Kind::Int(1)),
    may("disks", Kind::Objects(DISK)),
    may("expand_part", Kind::Text),
    may("ipv4_number", Kind::Int(1)),
    may("ipv4_pool", Kind::Ids),
    may("ip_addr", Kind::Object(GIVEN)),
    may("ipv6_enabled", Kind::Bool),
    may("ipv6_prefix", Kind::Int(1)),
    may("interfaces", Kind::Objects(INTERFACE)),
    may("custom_interfaces", Kind::Objects(CUSTOM)),
    may("send_email_mode", Kind::Text),
    may("hot_plug", Kind::Bool),
    may("live_resize", Kind::Bool),
    may("snapshots_allowed", Kind::Bool),
    may("snapshot_ram", Kind::Bool),
];
const DISK: &[Field] = &[
    may("name", Kind::Text),
    must("size_mib", Kind::Int(1)),
    may("boot_order", Kind::Int(1)),
    may("expand_part", Kind::Text),
    may("storage", Kind::Int(1)),
    may("tags", Kind::Ids),
];
const CUSTOM: &[Field] = &[
    may("model", Kind::Text),
    may("is_main_network", Kind::Bool),
    or_null("bridge", Kind::Text),
    may("bridge_id", Kind::Int(1)),
    may("dpg_id", Kind::Int(1)),
    or_null("mac", Kind::Text),
    may("ip_count", Kind::Int(1)),
    may("ippool", Kind::Int(1)),
    may("ip_name", Kind::Text),
    may("no_ip", Kind::Bool),
];

/// Sizes of the new VM.
struct Sizes {
    cpu_number: u64,
    ram_mib: u64,
    /// The main disk first.
    disks: Vec<u64>,
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[CREATE, SOFTWARE, TUNING])?;
    if !call.platform.variant.interfaces && body.contains_key("interfaces") {
        return Err(ApiError::unexpected("interfaces"));
    }
    check_known(&body, call.platform.variant.tuning_at_creation)?;
    ssh_key::refuse_unknown(call, &body, ssh_key::CREATION)?;
    check_name(body.text("name").unwrap_or_default())?;
    check_password(body.text("password").unwrap_or_default())?;
    body.text("domain").map_or(Ok(()), check_domain)?;
    let cluster = usable_cluster(call, &body)?;
    let account = usable_account(call, &body)?;
    let preset = preset(call, &body, cluster)?;
    check_values(&body, cluster.virtualization_type == "lxd")?;
    let sizes = Sizes::read(&body, preset)?;
    let disk_mib = sizes.disks.first().copied().unwrap_or(0);
    let target = Target { cluster: cluster.id, ram_mib: sizes.ram_mib, disk_mib };
    let software = Software::read(call, &body, &target)?;
    let comment = call.platform.variant.comments.at_creation(body.text("comment").unwrap_or_default())?;
    check_prefix(call, &body, cluster.id)?;
    let mut v4 = wanted(call, &body, cluster.id)?;
    v4.extend(custom(call, &body, cluster.id)?);
    let node = node(call.platform, &body, cluster.id, &sizes)?;
    let host = Host {
        account,
        node,
        os: software.os,
        image: software.image,
        cpu_number: sizes.cpu_number,
        ram_mib: sizes.ram_mib,
        comment,
        ssh_keys: ssh_key::chosen(call, &body, account)?,
        ..described(call.platform, &body, cluster, preset)
    };
    let id = install(call.platform, host, &sizes, &v4, &body);
    let v6 = v6(&body).unwrap_or(V6::Off);
    Ok(begin(call, id, &software, v4, v6))
}

/// Puts the VM into the platform, still `creating` and without addresses.
fn install(platform: &mut Platform, host: Host, sizes: &Sizes, v4: &[Wanted], body: &Map<String, Value>) -> u64 {
    let id = host.id;
    platform.next.host += 1;
    platform.hosts.insert(id, host);
    let now = Instant::now();
    platform.show_late(id, now + platform.timing.vm_listed_after, now + platform.timing.vm_found_after);
    for (n, size) in sizes.disks.iter().enumerate() {
        let letter = u8::try_from(n).map_or('z', |n| char::from(b'a' + n.min(25)));
        platform.add_disk(id, &format!("vd{letter}"), *size, n == 0);
    }
    let bridges: Vec<&str> = body.objects("custom_interfaces").iter().filter_map(|item| item.text("bridge")).collect();
    let indexes = v4.iter().map(|wanted| wanted.interface);
    let indexes: Vec<u64> = if v4.is_empty() { vec![0] } else { indexes.collect() };
    for (n, index) in indexes.into_iter().enumerate() {
        let usual = format!("vmbr{index}");
        platform.add_interface(id, index, bridges.get(n).copied().unwrap_or(&usual));
    }
    id
}

/// Accepts the tasks: a companion for the addresses, the creation, a companion for each recipe.
fn begin(call: &mut Call<'_>, id: u64, software: &Software, v4: Vec<Wanted>, v6: V6) -> Value {
    let user = call.who.account;
    let consul_id = call.platform.submit(Order::new("ip_allocate", id, user, Work::Companion), call.now);
    let work = Work::Create { v4, v6, recipes: software.recipes.clone() };
    let order = Order::new("host_create", id, user, work);
    let extra = software.extra(call.platform);
    call.accept(Order { consul_id: Some(consul_id), extra, ..order });
    let list = software.announce(call, id, consul_id);
    json!({
        "id": id, "task": consul_id, "recipe_task": list.first().copied().unwrap_or(0), "recipe_task_list": list,
        "spice_task": 0,
    })
}

fn described(platform: &Platform, body: &Map<String, Value>, cluster: &Cluster, preset: Option<&Preset>) -> Host {
    let id = platform.next.host;
    let text = |name: &str| body.text(name).unwrap_or_default().to_owned();
    let blank = Host::blank(id, body.text("name").unwrap_or_default(), platform.clock_ahead);
    let tuning = preset.map_or_else(|| blank.tuning.clone(), |preset| preset.tuning.clone());
    let template = || cluster.domain_template.replace("@ID@", &id.to_string());
    Host {
        cluster: cluster.id,
        preset: preset.map(|preset| preset.id),
        password: text("password"),
        domain: body.text("domain").map_or_else(template, str::to_owned),
        tuning: tuning.with(body),
        net_bandwidth_mbitps: body.number("net_bandwidth_mbitps").unwrap_or(0),
        expand_part: body.text("expand_part").unwrap_or(&blank.expand_part).to_owned(),
        hot_plug: body.flag("hot_plug").unwrap_or(cluster.hot_plug),
        live_resize: body.flag("live_resize").unwrap_or(cluster.hot_plug),
        ..blank
    }
}

fn usable_cluster<'a>(call: &'a Call<'_>, body: &Map<String, Value>) -> Result<&'a Cluster, ApiError> {
    let id = body.number("cluster").unwrap_or(0);
    let cluster = call.platform.clusters.get(&id).ok_or_else(|| ApiError::not_found("cluster", id))?;
    if cluster.state != "active" {
        return Err(ApiError::refused(format!("Cluster {id} is {}", cluster.state)));
    }
    Ok(cluster)
}

fn usable_account(call: &Call<'_>, body: &Map<String, Value>) -> Result<u64, ApiError> {
    let id = body.number("account").unwrap_or(0);
    let account = call.platform.accounts.get(&id).filter(|account| call.sees(account.id));
    let account = account.ok_or_else(|| ApiError::not_found("account", id))?;
    if account.state != "active" {
        return Err(ApiError::refused(format!("Account {id} is {}", account.state)));
    }
    Ok(id)
}

/// A preset brings the sizes, so they may not be given beside it [api 6, row 33].
fn preset<'a>(
    call: &'a Call<'_>,
    body: &Map<String, Value>,
    cluster: &Cluster,
) -> Result<Option<&'a Preset>, ApiError> {
    let Some(id) = body.number("preset") else { return Ok(None) };
    let preset = call.platform.presets.get(&id).ok_or_else(|| ApiError::not_found("preset", id))?;
    if preset.virtualization_type != cluster.virtualization_type {
        return Err(ApiError::refused(format!("Preset {} is for {}", preset.name, preset.virtualization_type)));
    }
    let own = ["cpu_number", "ram_mib", "hdd_mib", "cpu_mode", "cpu_custom_model"];
    match own.iter().find(|name| body.contains_key(**name)) {
        Some(name) => Err(ApiError::invalid(name, "not together with preset")),
        None => Ok(Some(preset)),
    }
}

impl Sizes {
    fn read(body: &Map<String, Value>, preset: Option<&Preset>) -> Result<Self, ApiError> {
        let size = |name: &str, of: fn(&Preset) -> u64| {
            body.number(name).or_else(|| preset.map(of)).ok_or_else(|| ApiError::invalid(name, "is required"))
        };
        let (cpu_number, ram_mib) = (size("cpu_number", |p| p.cpu_number)?, size("ram_mib", |p| p.ram_mib)?);
        if !body.contains_key("disks") {
            return Ok(Self { cpu_number, ram_mib, disks: vec![size("hdd_mib", |p| p.hdd_mib)?] });
        }
        if body.contains_key("hdd_mib") {
            return Err(ApiError::invalid("disks", "not together with hdd_mib"));
        }
        let mut disks = body.objects("disks");
        disks.sort_by_key(|disk| disk.number("boot_order").unwrap_or(u64::MAX));
        let disks: Vec<u64> = disks.into_iter().filter_map(|disk| disk.number("size_mib")).collect();
        if disks.is_empty() {
            return Err(ApiError::invalid("disks", "at least one expected"));
        }
        Ok(Self { cpu_number, ram_mib, disks })
    }
}

/// The node asked for, else the emptiest; none when there is no room.
fn node(platform: &Platform, body: &Map<String, Value>, cluster: u64, sizes: &Sizes) -> Result<Option<u64>, ApiError> {
    if let Some(storage) = body.number("storage") {
        let known = platform.storages.get(&storage).is_some_and(|s| s.clusters.contains(&cluster));
        known.then_some(()).ok_or_else(|| ApiError::not_found("storage", storage))?;
    }
    match body.number("node") {
        Some(id) => {
            let known = platform.nodes.get(&id).is_some_and(|node| node.cluster == cluster);
            known.then_some(Some(id)).ok_or_else(|| ApiError::not_found("node", id))
        }
        None => Ok(platform.place(cluster, sizes.cpu_number, sizes.ram_mib, sizes.disks.iter().sum())),
    }
}

/// `custom_interfaces` in the same terms as the other ways [api 4.7.4].
fn custom(call: &Call<'_>, body: &Map<String, Value>, cluster: u64) -> Result<Vec<Wanted>, ApiError> {
    let mut list = Vec::new();
    for item in body.objects("custom_interfaces") {
        let ways = ["ippool", "ip_name", "no_ip"].iter().filter(|way| item.contains_key(**way)).count();
        if ways != 1 {
            return Err(ApiError::invalid("custom_interfaces", "exactly one of ippool, ip_name and no_ip expected"));
        }
        if item.flag("no_ip").is_some() {
            list.push(Wanted { interface: list.len() as u64, pools: Vec::new(), count: 0, fixed: None });
            continue;
        }
        let pools: Vec<u64> = item.number("ippool").into_iter().collect();
        let served =
            pools.first().and_then(|id| call.platform.pools.get(id)?.clusters.iter().find(|pc| pc.id == cluster));
        let interface = served.map_or(list.len() as u64, |pc| pc.interface);
        check_pools(call, &pools, cluster, interface)?;
        let bad = |_| ApiError::invalid("custom_interfaces.ip_name", "not an IPv4 address");
        let fixed = item.text("ip_name").map(str::parse).transpose().map_err(bad)?;
        list.push(Wanted { interface, pools, count: item.number("ip_count").unwrap_or(1), fixed });
    }
    Ok(list)
}

/// A host name of several labels, in lower case.
pub(super) fn check_domain(domain: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label =
        |l: &str| (1..=63).contains(&l.len()) && l.chars().all(plain) && !l.starts_with('-') && !l.ends_with('-');
    if domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label) {
        return Ok(());
    }
    Err(ApiError::invalid("domain", format!("'{domain}' is not a lower-case host name")))
}
