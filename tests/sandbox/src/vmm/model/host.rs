//! VMs with their interfaces and disks.

#![allow(clippy::struct_excessive_bools, reason = "the platform has that many")]

use std::time::Instant;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::vmm::platform::wall_clock;

/// Limits and modes shared by presets and VMs [api 4.4, 4.7.1].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Tuning {
    pub cpu_mode: Option<String>,
    pub cpu_custom_model: Option<String>,
    pub nesting: bool,
    pub cpu_weight: Option<u64>,
    pub io_weight: Option<u64>,
    pub io_read_mbitps: Option<u64>,
    pub io_write_mbitps: Option<u64>,
    pub io_read_iops: Option<u64>,
    pub io_write_iops: Option<u64>,
    pub net_in_mbitps: Option<u64>,
    pub net_out_mbitps: Option<u64>,
    pub net_weight: Option<u64>,
    pub anti_spoofing: bool,
    pub tcp_connections_in: Option<u64>,
    pub tcp_connections_out: Option<u64>,
    pub process_number: Option<u64>,
    pub firewall_rules: Vec<Value>,
}

/// A virtual machine [api 4.7.2].
#[derive(Clone, Debug)]
pub struct Host {
    /// Number (`panelid` of a service).
    pub id: u64,
    /// Display name.
    pub name: String,
    /// libvirt's name.
    pub internal_name: String,
    /// Lower-case host name.
    pub domain: String,
    /// Free text; the mark of a service lives here.
    pub comment: String,
    /// `creating`, `active`, `stopped`; a VM whose creation failed stays `creating` (no word is documented).
    pub state: String,
    /// Owner.
    pub account: u64,
    /// Cluster.
    pub cluster: u64,
    /// Node, `None` when no node could take it.
    pub node: Option<u64>,
    /// OS template.
    pub os: Option<u64>,
    /// User image, instead of `os`.
    pub image: Option<u64>,
    /// VM configuration it was made with.
    pub preset: Option<u64>,
    /// Password of root, in the clear.
    pub password: String,
    /// Cores.
    pub cpu_number: u64,
    /// Cores accepted for the next stop, else 0.
    pub cpu_number_new: u64,
    /// Memory, MiB.
    pub ram_mib: u64,
    /// Memory accepted for the next stop, else 0.
    pub ram_mib_new: u64,
    /// Symmetric channel limit, Mbit/s; 0 is none.
    pub net_bandwidth_mbitps: u64,
    /// Whether another channel limit waits for a stop.
    pub net_bandwidth_mbitps_changed: bool,
    /// The other limits and modes.
    pub tuning: Tuning,
    /// Partition that grows with the disk.
    pub expand_part: String,
    /// Whether IPv6 is on.
    pub ipv6_enabled: bool,
    /// Prefix length of the IPv6 network.
    pub ipv6_prefix: Option<u64>,
    /// Network interfaces, the main one first.
    pub interfaces: Vec<Interface>,
    /// Recipes run so far.
    pub recipes: Vec<u64>,
    /// `disabled`: read-only, meaning unknown [api 6, row 11].
    pub disabled: bool,
    /// Deletion is refused.
    pub is_protected: bool,
    /// Cores and memory may grow while it runs.
    pub hot_plug: bool,
    /// Memory growths so far; 16 is the most.
    pub hot_plug_cell_counter: u64,
    /// Disks may grow while it runs.
    pub live_resize: bool,
    /// Speeds may change while it runs: no source says whether they may, so by default they may not.
    pub hot_speeds: bool,
    /// Balancer mode.
    pub balancer_mode: String,
    /// Restored after a node's failure.
    pub ha_restore_on_fail: bool,
    /// Order of that restoration.
    pub ha_restore_priority: u64,
    /// Free labels.
    pub tags: Vec<String>,
    /// `2025-06-01 12:00:00`.
    pub create_date: String,
    /// How often it was started, the first time included: shows needless reboots.
    pub starts: u64,
    /// How often an OS was installed, the first time included.
    pub installs: u64,
    /// Bytes received this month; `None` makes the metric unavailable.
    pub net_rx_summary: Option<u64>,
    /// Bytes sent this month; `None` makes the metric unavailable.
    pub net_tx_summary: Option<u64>,
    /// Public SSH keys in its OS.
    pub ssh_keys: Vec<String>,
    /// Snapshots; a VM that has some cannot be resized [api B1].
    pub snapshot_count: u64,
    /// Fields that a newer platform shows in a form of its own.
    pub unforeseen: Map<String, Value>,
    pub(in crate::vmm) started: Option<Instant>,
    /// From this moment lists show it.
    pub(in crate::vmm) listed_at: Instant,
    /// From this moment its own paths know it.
    pub(in crate::vmm) found_at: Instant,
}

impl Host {
    /// A VM of which only number and name are known yet.
    pub(in crate::vmm) fn blank(id: u64, name: &str, clock_ahead: SignedDuration) -> Self {
        Self {
            id,
            name: name.into(),
            internal_name: format!("{id}_{name}"),
            unforeseen: Map::new(),
            domain: String::new(),
            comment: String::new(),
            state: "creating".into(),
            account: 1,
            cluster: 1,
            node: None,
            os: None,
            image: None,
            preset: None,
            password: String::new(),
            cpu_number: 1,
            cpu_number_new: 0,
            ram_mib: 1024,
            ram_mib_new: 0,
            net_bandwidth_mbitps: 0,
            net_bandwidth_mbitps_changed: false,
            tuning: Tuning::default(),
            expand_part: "vda1".into(),
            ipv6_enabled: false,
            ipv6_prefix: None,
            interfaces: Vec::new(),
            recipes: Vec::new(),
            disabled: false,
            is_protected: false,
            hot_plug: false,
            hot_plug_cell_counter: 0,
            live_resize: false,
            hot_speeds: false,
            balancer_mode: "default".into(),
            ha_restore_on_fail: false,
            ha_restore_priority: 0,
            tags: Vec::new(),
            create_date: wall_clock(clock_ahead),
            starts: 0,
            installs: 0,
            net_rx_summary: Some(0),
            net_tx_summary: Some(0),
            ssh_keys: Vec::new(),
            snapshot_count: 0,
            started: None,
            listed_at: Instant::now(),
            found_at: Instant::now(),
        }
    }
}

/// A network interface of a VM.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Number, unique on the platform.
    pub id: u64,
    /// `eth0`, `eth1`.
    pub name: String,
    /// MAC address.
    pub mac: String,
    /// Bridge on the node.
    pub bridge: String,
    /// Interface index of the cluster, 0 the main network [api 4.2].
    pub interface: u64,
    /// Device model.
    pub model: String,
}

/// A virtual disk [api 4.8].
#[derive(Clone, Debug)]
pub struct Disk {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Owner VM.
    pub host: u64,
    /// Size, MiB.
    pub size_mib: u64,
    /// Size accepted for the next stop, else 0.
    pub size_mib_new: u64,
    /// 1 is the first.
    pub boot_order: u64,
    /// Whether it is the main disk.
    pub is_main: bool,
    /// Bus.
    pub bus: String,
    /// Storage.
    pub storage: u64,
    /// Storage tags.
    pub tags: Vec<u64>,
    /// Partition that grows with it.
    pub expand_part: String,
}
