//! What was ordered: the tariff, its add-ons and the order's parameters as numbers that VMmanager understands.
//!
//! Pure reading, nothing is asked. Everything impossible is refused here by name and value, before anything exists.

use super::host_name;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::{Amount, Service};

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
    /// Reads the order of a service; add-ons that nobody knows are named in the log.
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
            domain: host_name::ordered(service)?,
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

/// A size in MiB of `value` in the unit of the add-on `name`.
pub fn quantity(service: &Service, name: &str, value: u64) -> Result<u64> {
    match find(service, name).or_else(|| name.split_whitespace().find_map(|word| find(service, word))) {
        Some(amount) if !amount.unit.is_empty() => service.units.convert(name, value, &amount.unit, "mib"),
        _ => Ok(value),
    }
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
