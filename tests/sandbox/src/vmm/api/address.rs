//! Addresses, PTR names and interfaces of VMs [api 4.10].

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::{Host, Ip};
use super::super::pool::Wanted;
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::work::{V6, Work};
use super::create::check_domain;
use super::{Answer, Call, Properties};

const CHANGE: &[Field] = &[
    may("ipv4_number", Kind::Int(0)),
    may("ipv4_pool", Kind::Ids),
    may("ipv6_enabled", Kind::Bool),
    may("ipv6_prefix", Kind::Int(1)),
    may("ip_addr", Kind::Object(GIVEN)),
    may("interfaces", Kind::Objects(INTERFACE)),
];
/// An address somebody has chosen.
pub(super) const GIVEN: &[Field] = &[
    must("name", Kind::Text),
    may("ip_pool", Kind::Int(1)),
    may("ip_network", Kind::Int(1)),
    may("without_allocation", Kind::Bool),
];
/// An interface by the cluster's index, with the pools to take its address from.
pub(super) const INTERFACE: &[Field] = &[must("interface", Kind::Int(0)), must("ippool", Kind::Ids)];
const EDIT: &[Field] = &[must("values", Kind::Object(VALUES))];
const VALUES: &[Field] =
    &[may("domain", Kind::Text), may("gateway", Kind::Text), may("ip_addr", Kind::Text), may("netmask", Kind::Text)];
const PTR: &[Field] = &[must("domain", Kind::Text)];
const NAMED_PTR: &[Field] = &[must("name", Kind::Text), must("domain", Kind::Text)];
const IFACE: &[Field] = &[
    may("name", Kind::Text),
    may("mac", Kind::Text),
    must("bridge", Kind::Text),
    may("is_main_network", Kind::Bool),
    must("ippool", Kind::Int(1)),
    may("ip_count", Kind::Int(1)),
];

pub(super) fn v4_of(call: &mut Call<'_>) -> Answer {
    let host = call.host()?.id;
    let shown = call.platform.listed_addresses(host, 4).into_iter();
    let elements = shown.map(|ip| call.platform.ip_view(ip)).collect();
    call.sized_list(elements, &["id"])
}

/// Flags, not addresses [api 6, row 14].
pub(super) fn v6_of(call: &mut Call<'_>) -> Answer {
    let host = call.host()?;
    Ok(json!({
        "ipv6_enabled": host.ipv6_enabled, "ipv6_ptr_enabled": host.ipv6_enabled, "ipv6_prefix": host.ipv6_prefix,
    }))
}

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let owner = |ip: &Ip| call.platform.hosts.get(&ip.host).map(|host| host.account);
    let shown = call.platform.ips.values().filter(|ip| ip.family == 4 && ip.shown_at <= call.now);
    let seen = shown.filter(|ip| owner(ip).is_some_and(|account| call.sees(account)));
    let elements = seen.map(|ip| call.platform.ip_view(ip)).collect();
    call.sized_list(elements, &["id"])
}

/// Adds addresses, or switches IPv6; `ipv4_number` is how many more, never less than none [api 6, row 12].
pub(super) fn change(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[CHANGE])?;
    let host = call.ready_host()?;
    call.check_snapshots(host.id)?;
    let v4 = wanted(call, &body, host.cluster)?;
    let v6 = v6(&body);
    check_prefix(call, &body, host.cluster)?;
    if v4.iter().all(|wanted| wanted.count == 0) && v6.is_none() {
        return Err(ApiError::refused("Nothing to change"));
    }
    let order = Order::new("ip_change", host.id, call.who.account, Work::Addresses { v4, v6 });
    Ok(call.accept(order))
}

/// What a body asks for in IPv4: `ipv4_number` from `ipv4_pool`, or `interfaces`, or `ip_addr`; never two of them.
pub(super) fn wanted(call: &Call<'_>, body: &Map<String, Value>, cluster: u64) -> Result<Vec<Wanted>, ApiError> {
    let ways = ["ipv4_number", "interfaces", "ip_addr", "custom_interfaces"];
    if ways.iter().filter(|way| body.contains_key(**way)).count() > 1 {
        return Err(ApiError::invalid(
            "ipv4_number",
            "only one of ipv4_number, interfaces, custom_interfaces and ip_addr",
        ));
    }
    if body.contains_key("ipv4_pool") && !body.contains_key("ipv4_number") {
        return Err(ApiError::invalid("ipv4_pool", "only with ipv4_number"));
    }
    if let Some(count) = body.number("ipv4_number") {
        let pools = body.ids("ipv4_pool");
        check_pools(call, &pools, cluster, 0)?;
        return Ok(vec![Wanted { interface: 0, pools, count, fixed: None }]);
    }
    if let Some(given) = body.get("ip_addr").and_then(Value::as_object) {
        let name = given.text("name").unwrap_or_default();
        let fixed: Ipv4Addr = name.parse().map_err(|_| ApiError::invalid("ip_addr.name", "not an IPv4 address"))?;
        let pools: Vec<u64> = given.number("ip_pool").into_iter().collect();
        check_pools(call, &pools, cluster, 0)?;
        return Ok(vec![Wanted { interface: 0, pools, count: 1, fixed: Some(fixed) }]);
    }
    let mut list: Vec<Wanted> = Vec::new();
    for item in body.objects("interfaces") {
        let (interface, pools) = (item.number("interface").unwrap_or(0), item.ids("ippool"));
        let known = call.platform.clusters.get(&cluster).is_some_and(|c| c.interfaces.contains(&interface));
        if !known || list.iter().any(|wanted| wanted.interface == interface) || pools.is_empty() {
            let reason =
                format!("cluster {cluster} has no interface {interface}, or it is named twice or without pools");
            return Err(ApiError::invalid("interfaces", reason));
        }
        check_pools(call, &pools, cluster, interface)?;
        list.push(Wanted { interface, pools, count: 1, fixed: None });
    }
    Ok(list)
}

/// What a body asks for in IPv6, if anything.
pub(super) fn v6(body: &Map<String, Value>) -> Option<V6> {
    let prefix = body.number("ipv6_prefix");
    body.flag("ipv6_enabled").map(|on| if on { V6::On { prefix } } else { V6::Off })
}

/// `ipv6_prefix` only with `ipv6_enabled: true` and not below the minimum of the cluster's pools.
pub(super) fn check_prefix(call: &Call<'_>, body: &Map<String, Value>, cluster: u64) -> Result<(), ApiError> {
    let Some(prefix) = body.number("ipv6_prefix") else { return Ok(()) };
    if body.flag("ipv6_enabled") != Some(true) {
        return Err(ApiError::invalid("ipv6_prefix", "only with ipv6_enabled"));
    }
    let least = call.platform.pools_of(cluster, 0).iter().filter_map(|pool| pool.min_ipv6_prefix).min();
    match least {
        Some(least) if (least..=128).contains(&prefix) => Ok(()),
        Some(least) => Err(ApiError::invalid("ipv6_prefix", format!("{least} to 128 expected"))),
        None => Err(ApiError::refused(format!("Cluster {cluster} has no IPv6 pool"))),
    }
}

/// Pools must exist and serve that interface of the cluster.
pub(super) fn check_pools(call: &Call<'_>, pools: &[u64], cluster: u64, interface: u64) -> Result<(), ApiError> {
    for id in pools {
        let pool = call.platform.pools.get(id).ok_or_else(|| ApiError::not_found("ippool", id))?;
        if !pool.clusters.iter().any(|pc| pc.id == cluster && pc.interface == interface) {
            let reason = format!("pool {id} does not serve interface {interface} of cluster {cluster}");
            return Err(ApiError::invalid("ippool", reason));
        }
    }
    Ok(())
}

/// Takes one address away; the main one stays.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let ip = found(call)?;
    if ip.is_main || ip.family != 4 {
        return Err(ApiError::refused(format!("{} is the main address of VM {}", ip.ip_addr, ip.host)));
    }
    let (id, host) = (ip.id, ip.host);
    call.check_snapshots(host)?;
    let answer = call.accept(Order::new("ip_delete", host, call.who.account, Work::DropAddress(id)));
    Ok(json!({"id": id, "task": answer["task"]}))
}

pub(super) fn edit(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[EDIT])?;
    let id = found(call)?.id;
    let empty = Map::new();
    let values = body.get("values").and_then(Value::as_object).unwrap_or(&empty);
    values.text("domain").map_or(Ok(()), check_domain)?;
    if let Some(address) = values.text("ip_addr") {
        let taken = call.platform.ips.values().any(|ip| ip.id != id && ip.ip_addr == address);
        if taken || address.parse::<Ipv4Addr>().is_err() {
            return Err(ApiError::invalid("values.ip_addr", format!("{address} is taken or not an address")));
        }
    }
    if let Some(ip) = call.platform.ips.get_mut(&id) {
        let text = |name: &str, old: &str| values.text(name).unwrap_or(old).to_owned();
        ip.domain = text("domain", &ip.domain);
        ip.gateway = text("gateway", &ip.gateway);
        ip.ip_addr = text("ip_addr", &ip.ip_addr);
        ip.mask = text("netmask", &ip.mask);
    }
    Ok(json!({ "id": id }))
}

pub(super) fn ptr_list(call: &mut Call<'_>) -> Answer {
    let host = call.host()?.id;
    let shown = call.platform.ips.values().filter(|ip| ip.host == host && ip.shown_at <= call.now);
    let mut networks: BTreeMap<(u64, u8), Vec<&Ip>> = BTreeMap::new();
    shown.for_each(|ip| networks.entry((ip.network, ip.family)).or_default().push(ip));
    let line = |ip: &&Ip| json!({"id": ip.id, "name": ip.ip_addr, "domain": ip.domain, "status": "active"});
    let elements = networks.into_iter().map(|((network, family), ips)| {
        let (gateway, prefix) = ips.first().map_or(("", ""), |ip| (&ip.gateway, &ip.mask));
        json!({
            "family": family, "network": network, "gateway": gateway, "prefix": prefix, "ip_count": ips.len(),
            "ip": ips.iter().map(line).collect::<Vec<_>>(),
        })
    });
    Ok(json!({ "list": elements.collect::<Vec<_>>() }))
}

pub(super) fn set_ptr(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[PTR])?;
    let ip = found(call)?.id;
    name_address(call, ip, &body)
}

/// PTR of an address given by itself, which is how IPv6 is named.
pub(super) fn set_ptr_by_name(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[NAMED_PTR])?;
    let (host, name) = (call.host()?.id, body.text("name").unwrap_or_default());
    let ip = call.platform.ips.values().find(|ip| ip.host == host && ip.ip_addr == name);
    let ip = ip.ok_or_else(|| ApiError::not_found("ip", name))?.id;
    name_address(call, ip, &body)
}

pub(super) fn interfaces(call: &mut Call<'_>) -> Answer {
    let host = call.host()?;
    let of = |i: &super::super::model::Interface| -> Value {
        let shown = call.platform.addresses(host.id, 4).into_iter().filter(|ip| ip.interface == i.interface);
        let ips: Vec<&str> = shown.map(|ip| ip.ip_addr.as_str()).collect();
        json!({"id": i.id, "name": i.name, "bridge": i.bridge, "ip": ips, "mac": i.mac, "model": i.model, "vxlan": null})
    };
    call.list(host.interfaces.iter().map(of).collect(), &["id"])
}

pub(super) fn add_interface(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[IFACE])?;
    let host = call.ready_host()?;
    call.check_snapshots(host.id)?;
    let pool = body.number("ippool").unwrap_or(0);
    let interface = interface_of(call, host, pool)?;
    let wanted = Wanted { interface, pools: vec![pool], count: body.number("ip_count").unwrap_or(1), fixed: None };
    let bridge = body.text("bridge").unwrap_or_default().to_owned();
    let work = Work::AddInterface { bridge, v4: vec![wanted] };
    let order = Order::new("iface_create", host.id, call.who.account, work);
    Ok(call.accept(order))
}

pub(super) fn drop_interface(call: &mut Call<'_>) -> Answer {
    let (host, iface) = (call.ready_host()?, call.id(1)?);
    match host.interfaces.iter().position(|i| i.id == iface) {
        None => Err(ApiError::not_found("iface", iface)),
        Some(0) => Err(ApiError::refused("The main interface cannot be deleted")),
        Some(_) => {
            let order = Order::new("iface_delete", host.id, call.who.account, Work::DropInterface(iface));
            Ok(call.accept(order))
        }
    }
}

fn name_address(call: &mut Call<'_>, ip: u64, body: &Map<String, Value>) -> Answer {
    let domain = body.text("domain").unwrap_or_default().to_owned();
    check_domain(&domain)?;
    let host = call.platform.ips.get(&ip).map_or(0, |ip| ip.host);
    let answer = call.accept(Order::new("ptr_change", host, call.who.account, Work::Ptr { ip, domain }));
    Ok(json!({"id": ip, "task": answer["task"]}))
}

/// The interface of the VM's cluster that a pool serves.
fn interface_of(call: &Call<'_>, host: &Host, pool: u64) -> Result<u64, ApiError> {
    let found = call.platform.pools.get(&pool).ok_or_else(|| ApiError::not_found("ippool", pool))?;
    let served = found.clusters.iter().find(|pc| pc.id == host.cluster);
    let unserved = || ApiError::invalid("ippool", format!("pool {pool} does not serve cluster {}", host.cluster));
    Ok(served.ok_or_else(unserved)?.interface)
}

fn found<'a>(call: &'a Call<'_>) -> Result<&'a Ip, ApiError> {
    let id = call.id(0)?;
    let owner = |ip: &Ip| call.platform.hosts.get(&ip.host).map(|host| host.account);
    let ip = call.platform.ips.get(&id).filter(|ip| owner(ip).is_some_and(|account| call.sees(account)));
    ip.ok_or_else(|| ApiError::not_found("ip", id))
}
