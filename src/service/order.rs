//! What was ordered: the tariff, its add-ons and the order's parameters as numbers that VMmanager understands.
//!
//! Pure reading, nothing is asked. Everything impossible is refused here by name and value, before anything exists.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::{Amount, Client, Service};

/// More of anything is a slip of the pen: 1 EiB of disk, a million cores.
const MAX_SIZE: u64 = 1 << 40;
/// Speeds of the vendor's tariffs are Kbit/s unless the add-on says otherwise [protocol 5.5].
const KBIT_IN_MBIT: u64 = 1000;

/// Sizes; nothing means that the tariff leaves it to the VM configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Cores.
    pub cpu_number: Option<u64>,
    /// Memory, MiB.
    pub ram_mib: Option<u64>,
    /// Disk, MiB.
    pub hdd_mib: Option<u64>,
    /// Incoming speed limit, Mbit/s.
    pub net_in_mbitps: Option<u64>,
    /// Outgoing speed limit, Mbit/s.
    pub net_out_mbitps: Option<u64>,
}

/// The whole order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Sizes.
    pub sizes: Sizes,
    /// Number of IPv4 addresses; nothing when the tariff has no such add-on.
    pub ipv4: Option<u64>,
    /// IPv6 wanted; nothing when the tariff has no such add-on.
    pub ipv6: Option<bool>,
    /// Length of the client's IPv6 network.
    pub ipv6_prefix: Option<u64>,
    /// Host name, lower case; nothing leaves it to the cluster's template.
    pub domain: Option<String>,
    /// `<repository>__<template>`; a new VM cannot do without.
    pub os: Option<String>,
    /// `<repository>__<recipe>`.
    pub recipe: Option<String>,
    /// Name of a VM configuration, and whether it must exist.
    pub preset: Option<String>,
}

impl Order {
    /// Reads the order of a service; add-ons that nobody knows are told in the log.
    pub fn read(service: &Service) -> Result<Self> {
        warn_of_unknown(service);
        Self::of(service)
    }

    /// The same without a word.
    pub fn of(service: &Service) -> Result<Self> {
        let units = |name: &str, unit: &str| amount_in(service, name, unit);
        let disk = match units("disk", "mib")? {
            None => units("disc", "mib")?,
            found => found,
        };
        let sizes = Sizes {
            cpu_number: above_zero(count(service, "ncpu")?),
            ram_mib: above_zero(units("mem", "mib")?),
            hdd_mib: above_zero(disk),
            net_in_mbitps: above_zero(speed(service, "inbound")?),
            net_out_mbitps: above_zero(speed(service, "outbound")?),
        };
        let ipv6 = find(service, "ipv6").map(|amount| is_on(&amount.value));
        let recipe = service.param("recipe").filter(|name| *name != "null").map(str::to_owned);
        let preset = service.tariff.get("preset").filter(|name| !name.is_empty()).or(Some(&service.tariff_name));
        Ok(Order {
            sizes,
            ipv4: count(service, "ip")?,
            ipv6,
            ipv6_prefix: if ipv6 == Some(true) { prefix(service)? } else { None },
            domain: domain(service)?,
            os: service.param("ostempl").map(str::to_owned),
            recipe,
            preset: preset.filter(|name| !name.trim().is_empty()).cloned(),
        })
    }
}

/// An add-on by its name. A key may hold several names (`disk disc`, `in out`) [protocol 5.5].
fn find<'a>(service: &'a Service, name: &str) -> Option<&'a Amount> {
    let exact = service.addons.get(name);
    exact.or_else(|| {
        service.addons.iter().find(|(key, _)| key.split_whitespace().any(|word| word == name)).map(|(_, a)| a)
    })
}

fn number(name: &str, amount: &Amount) -> Result<u64> {
    match amount.value.trim() {
        "" => Ok(0),
        text => text.parse().ok().filter(|&n| n <= MAX_SIZE).ok_or_else(|| {
            let text = format!("the ordered value \"{text}\" of \"{name}\" is not a possible number");
            Error::new(Kind::BadParam, name, text)
        }),
    }
}

fn count(service: &Service, name: &str) -> Result<Option<u64>> {
    find(service, name).map(|amount| number(name, amount)).transpose()
}

/// A size in `unit`; without a unit the number is taken as it is.
fn amount_in(service: &Service, name: &str, unit: &str) -> Result<Option<u64>> {
    let Some(amount) = find(service, name) else { return Ok(None) };
    let value = number(name, amount)?;
    if amount.unit.is_empty() {
        return Ok(Some(value));
    }
    let converted = service.units.convert(name, value, &amount.unit, unit)?;
    if converted > MAX_SIZE {
        return Err(Error::new(
            Kind::BadParam,
            name,
            format!("{value} {} of \"{name}\" is impossibly large", amount.unit),
        ));
    }
    Ok(Some(converted))
}

/// A speed in Mbit/s, rounded up.
fn speed(service: &Service, name: &str) -> Result<Option<u64>> {
    let Some(amount) = find(service, name) else { return Ok(None) };
    let value = number(name, amount)?;
    let unit: String = amount.unit.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    Ok(Some(match unit.trim_end_matches('s').trim_end_matches('p') {
        "" | "kbit" | "kb" => value.div_ceil(KBIT_IN_MBIT),
        "mbit" | "mb" => value,
        "gbit" | "gb" => value.saturating_mul(KBIT_IN_MBIT),
        "bit" | "b" => value.div_ceil(KBIT_IN_MBIT * KBIT_IN_MBIT),
        _ => service.units.convert(name, value, &amount.unit, "mbit/s")?,
    }))
}

fn prefix(service: &Service) -> Result<Option<u64>> {
    let Some(length) = above_zero(count(service, "ipv6subnet_prefix")?) else { return Ok(None) };
    if length > 128 {
        let text = format!("an IPv6 network cannot have a prefix of {length} bits");
        return Err(Error::new(Kind::BadParam, "ipv6subnet_prefix", text));
    }
    Ok(Some(length))
}

fn above_zero(value: Option<u64>) -> Option<u64> {
    value.filter(|&n| n > 0)
}

fn is_on(value: &str) -> bool {
    value == "on" || value.parse::<u64>().is_ok_and(|n| n > 0)
}

/// The ordered host name, or the one made from the tariff's template [protocol 5.3].
fn domain(service: &Service) -> Result<Option<String>> {
    let template = || service.tariff.get("freedomain").filter(|t| !t.trim().is_empty()).map(|t| expand(t, service));
    let Some(name) = service.param("domain").map(str::to_owned).or_else(template) else { return Ok(None) };
    host_name(&name).map(Some).ok_or_else(|| bad_domain(&name))
}

/// The error for a host name that is none.
pub fn bad_domain(name: &str) -> Error {
    let text = format!("\"{name}\" is not a host name (letters, digits and hyphens in parts joined by dots)");
    Error::new(Kind::BadParam, "domain", text)
}

/// A size in MiB of `value` in the unit of the add-on `name`.
pub fn quantity(service: &Service, name: &str, value: u64) -> Result<u64> {
    match find(service, name).or_else(|| name.split_whitespace().find_map(|word| find(service, word))) {
        Some(amount) if !amount.unit.is_empty() => service.units.convert(name, value, &amount.unit, "mib"),
        _ => Ok(value),
    }
}

fn expand(template: &str, service: &Service) -> String {
    template
        .replace("@USERNAME@", &label(&service.client))
        .replace("@TYPE@", &service.item_type)
        .replace("@ID@", &service.id.to_string())
}

/// The client's user name up to its `@`, as one part of a host name.
fn label(client: &Client) -> String {
    let name = client.user.split('@').next().unwrap_or_default().to_lowercase();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { format!("client{}", client.id) } else { plain.chars().take(40).collect() }
}

/// A lower-case ASCII host name of several parts (international names in their ASCII form), or nothing.
pub fn host_name(text: &str) -> Option<String> {
    let trimmed = text.trim().trim_end_matches('.');
    let url::Host::Domain(name) = url::Host::parse(trimmed).ok()? else { return None };
    let part = |part: &str| {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&part.len()) && plain && !part.starts_with('-') && !part.ends_with('-')
    };
    (name.len() <= 253 && name.contains('.') && name.split('.').all(part)).then_some(name)
}

/// Add-ons that we use, and those that others use and we may pass over silently.
const KNOWN: [&str; 22] = [
    "ncpu",
    "mem",
    "disk",
    "disc",
    "ip",
    "ipv6",
    "ipv6subnet_prefix",
    "inbound",
    "outbound",
    "in",
    "out",
    "traffic",
    "bandwidth",
    "preset",
    "cluster",
    "freedomain",
    "domain",
    "ippool",
    "privateip",
    "panel",
    "ns",
    "recipe",
];

fn warn_of_unknown(service: &Service) {
    let unknown = |key: &&String| !key.split_whitespace().any(|word| KNOWN.contains(&word));
    let names: Vec<&str> = service.addons.keys().filter(unknown).map(String::as_str).collect();
    if !names.is_empty() {
        log::warn!("service {}: add-ons that this module does not know are ignored: {}", service.id, names.join(", "));
    }
}

/// A required value that is not there.
pub fn missing(name: &str, text: &str) -> Error {
    Error::new(Kind::MissingParam, name, text)
}

/// Settings of the handler, read and checked.
#[derive(Clone, Debug)]
pub struct Place {
    /// Cluster id.
    pub cluster: u64,
    /// Pools that new addresses may come from; empty leaves it to VMmanager.
    pub pools: Vec<u64>,
    /// Recipes are passed on.
    pub use_recipes: bool,
    /// VMs get the cluster's additional network interface.
    pub additional_interface: bool,
}

impl Place {
    /// Reads the handler's settings, the tariff's going over them.
    pub fn read(handler: &BTreeMap<String, String>, tariff: &BTreeMap<String, String>) -> Result<Self> {
        let chosen = tariff.get("cluster").filter(|v| !v.is_empty()).or_else(|| handler.get("cluster"));
        let text = chosen.map(String::as_str).unwrap_or_default().trim();
        if text.is_empty() {
            return Err(missing("cluster", "no VMmanager cluster is chosen in the handler's settings"));
        }
        let id = |name: &str, text: &str| {
            let bad = || Error::new(Kind::BadParam, name, format!("\"{text}\" is not the id of a VMmanager {name}"));
            text.trim().parse::<u64>().ok().filter(|&id| id > 0).ok_or_else(bad)
        };
        let pools = tariff.get("ippool").map(String::as_str).unwrap_or_default();
        let pools = pools.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| id("ippool", word));
        let is_on = |name: &str| handler.get(name).is_some_and(|value| value == "on");
        Ok(Place {
            cluster: id("cluster", text)?,
            pools: pools.collect::<Result<_>>()?,
            use_recipes: is_on("use_recipes"),
            additional_interface: is_on("additional_interface"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn host_names() {
        assert_eq!(host_name("VM1.Example.COM.").as_deref(), Some("vm1.example.com"));
        assert_eq!(host_name("пример.рф").as_deref(), Some("xn--e1afmkfd.xn--p1ai"));
        for bad in ["", "localhost", "-a.b", "a..b", "a b", "a_b.c", "1.2.3.4", "[::1]", &"a".repeat(64), "x/y"] {
            assert_eq!(host_name(bad), None, "{bad}");
        }
    }
}
