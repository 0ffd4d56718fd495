//! The table of add-ons: what can be sold and is delivered, and how. Whoever reads, delivers, compares or describes an add-on
//! goes by its row; an add-on without a row is unknown [protocol 5.5, A7].
//!
//! Not in it, although tariffs of other modules have them: what BILLmanager delivers by staff (those do not come this far),
//! and `cpu`, `numproc`, `numfile`, `panel`, `ns`, `privateip`, which VMmanager 6 has no documented field for. `cluster`,
//! `preset`, `freedomain` and `recipe` are fields of a tariff or parameters of an order, not add-ons.

use crate::vmm::Fields;

/// An add-on that the module knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Addon {
    /// Internal names, the usual one first. A key may hold several (`disk disc`).
    pub names: &'static [&'static str],
    /// What the client gets, for people.
    pub becomes: &'static str,
    /// In which unit it is sold, for people.
    pub unit: &'static str,
    /// Who delivers and compares it.
    pub group: Group,
    /// Fields of the request that makes a VM.
    pub creation: &'static [&'static str],
    /// Fields of the requests that change one; none means that only creation can set it.
    pub change: &'static [&'static str],
}

/// Add-ons that are delivered and compared in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Sizes and speeds: a VM configuration may supply them, a VM shows them.
    Size,
    /// Addresses: counted.
    Addresses,
    /// Where new addresses come from; those that a VM has stay.
    Pool,
    /// Traffic: counted by the statistics, a VM has nothing of it.
    Traffic,
    /// The OS template, unless the order's parameter names one: nothing but a reinstallation changes it.
    Os,
    /// Limits and modes: only where VMmanager was seen to know the fields.
    Tuning,
    /// The backup schedule that the VM is in.
    Schedule,
}

macro_rules! addons {
    ($($row:ident: [$($name:literal),*] $becomes:literal, $unit:literal, $group:ident,
       [$($creation:literal),*] [$($change:literal),*];)*) => {
        $(#[doc = $becomes] pub static $row: Addon = Addon {
            names: &[$($name),*],
            becomes: $becomes,
            unit: $unit,
            group: Group::$group,
            creation: &[$($creation),*],
            change: &[$($change),*],
        };)*

        /// Every row.
        pub static ADDONS: &[&Addon] = &[$(&$row),*];
    };
}

addons! {
    CORES: ["ncpu"] "cores", "pieces", Size, ["cpu_number"] ["cpu_number"];
    MEMORY: ["mem"] "memory", "any unit of BILLmanager's table that converts to MiB; without a unit MiB", Size,
        ["ram_mib"] ["ram_mib"];
    DISK: ["disk", "disc"] "main disk", "the same", Size, ["hdd_mib"] ["size_mib"];
    INBOUND: ["inbound"] "incoming speed limit", "kbit/s unless the add-on says otherwise, rounded up to Mbit/s", Size,
        ["net_in_mbitps"] ["net_in_mbitps"];
    OUTBOUND: ["outbound"] "outgoing speed limit", "the same", Size, ["net_out_mbitps"] ["net_out_mbitps"];
    IPV4: ["ip"] "IPv4 addresses; 1 when the tariff has no such add-on", "pieces", Addresses,
        ["ipv4_number"] ["ipv4_number"];
    IPV6: ["ipv6"] "IPv6 on when `on` or above 0", "–", Addresses, ["ipv6_enabled"] ["ipv6_enabled"];
    IPV6_PREFIX: ["ipv6subnet_prefix"] "length of the IPv6 network", "bits, or a choice whose internal name has the number: `64`, `prefix64`",
        Addresses, ["ipv6_prefix"] ["ipv6_prefix"];
    POOL: ["ippool"] "IP pool that new addresses come from", "a choice: id or name of the pool", Pool,
        ["ipv4_pool"] ["ipv4_pool"];
    TRAFFIC: ["in", "out", "traffic", "bandwidth"] "included traffic by direction or as one sum, see [Traffic](#traffic)",
        "any unit that converts to bytes", Traffic, [] [];
    OS: ["ostempl"] "OS template, where the order has no parameter of that name", "a choice: `<repository>__<template>`", Os,
        ["os"] [];
    CPU_MODE: ["cpu_mode"] "CPU emulation mode", "a choice: `default`, `host-model`, `host-passthrough`, `custom`", Tuning,
        ["cpu_mode"] ["cpu_mode"];
    CPU_MODEL: ["cpu_custom_model"] "CPU model of the mode `custom`", "a choice: the model's name", Tuning,
        ["cpu_custom_model"] ["cpu_custom_model"];
    CPU_WEIGHT: ["cpu_weight"] "CPU weight", "pieces", Tuning, ["cpu_weight"] ["cpu_weight"];
    IO_WEIGHT: ["io_weight"] "I/O weight", "pieces", Tuning, ["io_weight"] ["io_weight"];
    IO_LIMIT: ["iolimit"] "disk speed, reading and writing each",
        "bytes (a second) or bits a second in any unit of BILLmanager's table, rounded up to Mbit/s", Tuning,
        ["io_read_mbitps", "io_write_mbitps"] ["io_read_mbitps", "io_write_mbitps"];
    IOPS_LIMIT: ["iopslimit"] "disk operations a second, reading and writing each", "pieces, `iops` or `hio`", Tuning,
        ["io_read_iops", "io_write_iops"] ["io_read_iops", "io_write_iops"];
    ANTI_SPOOFING: ["anti_spoofing"] "protection against forged addresses, on when `on` or above 0", "–", Tuning,
        ["anti_spoofing"] ["anti_spoofing"];
    SCHEDULE: ["backup_schedule"] "backup schedule of VMmanager", "a choice: id or name of the schedule", Schedule, [] [];
}

impl Addon {
    /// The usual name.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// It is paid and becomes fine tuning of these.
    pub fn is_in(&self, tuning: &Fields) -> bool {
        let is_paid = |field: &&str| tuning.get(*field).is_some_and(|value| *value != false);
        self.group == Group::Tuning && self.creation.iter().any(is_paid)
    }

    /// The row of an add-on's key in a tariff.
    pub fn of_key(key: &str) -> Option<&'static Addon> {
        let is_it = |addon: &&&Addon| key.split_whitespace().any(|word| addon.names.contains(&word));
        ADDONS.iter().find(is_it).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_readme_has_the_table() {
        let quoted = |names: &[&str]| match names {
            [] => "–".to_owned(),
            names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        let row = |addon: &&Addon| {
            let Addon { names, becomes, unit, creation, change, .. } = addon;
            let [names, creation, change] = [names, creation, change].map(|words| quoted(words));
            format!("| {names} | {becomes} | {unit} | {creation} | {change} |")
        };
        let readme = include_str!("../../../README.md");
        let table = readme.lines().skip_while(|line| !line.starts_with("| add-on | becomes")).skip(2);
        let found: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(found, ADDONS.iter().map(row).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_has_one_row() {
        let names: Vec<&str> = ADDONS.iter().flat_map(|addon| addon.names).copied().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| !name.is_empty()));
        for (key, row) in [("disk disc", &DISK), ("disc", &DISK), ("in out", &TRAFFIC), ("mem mem_max", &MEMORY)] {
            assert_eq!(Addon::of_key(key), Some(row), "{key}");
        }
        for key in ["", " ", "panel", "cpu", "memory", "disks"] {
            assert_eq!(Addon::of_key(key), None, "{key}");
        }
    }
}
