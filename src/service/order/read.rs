//! What was ordered: the tariff, its add-ons and the order's parameters as numbers that VMmanager understands.
//!
//! Pure reading, nothing is asked. Everything impossible is refused here by name and value, before anything exists.

use super::addons;
use super::amount::{bits, choice, count, size, some, speed, switch};
use super::host_name;
use super::tuning;
use crate::error::Result;
use crate::panel::Service;
use crate::vmm::Fields;

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
    /// Of the ordered limits and modes those that the VM's platform lets change.
    pub tuning: Fields,
}

/// The whole order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Sizes.
    pub sizes: Sizes,
    /// Limits and modes, by the field of VMmanager.
    pub tuning: Fields,
    /// Number of IPv4 addresses; nothing when the tariff has no such add-on.
    pub ipv4: Option<u64>,
    /// IPv6 wanted; nothing when the tariff has no such add-on.
    pub ipv6: Option<bool>,
    /// Length of the client's IPv6 network.
    pub ipv6_prefix: Option<u64>,
    /// Id or name of the IP pool of new addresses, unless the tariff's own field names pools.
    pub ippool: Option<String>,
    /// Host name, lower case; nothing leaves it to the cluster's template.
    pub domain: Option<String>,
    /// `<repository>__<template>`; a new VM cannot do without.
    pub os: Option<String>,
    /// `<repository>__<recipe>`.
    pub recipe: Option<String>,
    /// Name of a VM configuration, and whether it must exist.
    pub preset: Option<String>,
    /// Id or name of the backup schedule.
    pub backup_schedule: Option<String>,
}

impl Order {
    /// Reads the order of a service.
    pub fn read(service: &Service) -> Result<Self> {
        let sizes = Sizes {
            cpu_number: some(service, &addons::CORES)?,
            ram_mib: size(service, &addons::MEMORY)?,
            hdd_mib: size(service, &addons::DISK)?,
            net_in_mbitps: speed(service, &addons::INBOUND)?,
            net_out_mbitps: speed(service, &addons::OUTBOUND)?,
            tuning: Fields::new(),
        };
        let ipv6 = switch(service, &addons::IPV6)?;
        let recipe = service.param("recipe").filter(|name| *name != "null").map(str::to_owned);
        let preset = service.tariff.get("preset").filter(|name| !name.is_empty()).or(Some(&service.tariff_name));
        Ok(Order {
            sizes,
            tuning: tuning::read(service)?,
            ipv4: count(service, &addons::IPV4)?,
            ipv6,
            ipv6_prefix: if ipv6 == Some(true) { bits(service, &addons::IPV6_PREFIX)? } else { None },
            ippool: choice(service, &addons::POOL).map(str::to_owned),
            domain: host_name::ordered(service)?,
            os: service.param("ostempl").or_else(|| choice(service, &addons::OS)).map(str::to_owned),
            recipe,
            preset: preset.filter(|name| !name.trim().is_empty()).cloned(),
            backup_schedule: choice(service, &addons::SCHEDULE).map(str::to_owned),
        })
    }
}
