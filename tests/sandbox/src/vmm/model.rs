//! The platform's objects as plain data, named as the API names them [api 4].
//!
//! Fields that the API nests or computes (owner, cluster, counters) are ids here; [`super::view`] makes the answers.

#![allow(clippy::struct_excessive_bools, reason = "the platform has that many")]

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::platform::wall_clock;
use super::work::Work;

/// A client or an administrator [api 4.1].
#[derive(Clone, Debug)]
pub struct Account {
    /// Number.
    pub id: u64,
    /// E-mail as it was given at creation.
    pub email: String,
    /// Password in the clear: this is a simulation.
    pub password: String,
    /// `active` or `suspended`.
    pub state: String,
    /// `@admin`, `@advanced_user`, `@user`, `admin.readonly`.
    pub roles: Vec<String>,
    /// Name of the person.
    pub full_name: String,
    /// Telephone.
    pub phone_number: String,
    /// Language of the panel.
    pub lang: String,
    /// Limits set through `/user_limits/account/{id}`; kept, not enforced (their meaning is unverified [api 4.1]).
    pub limits: serde_json::Map<String, Value>,
}

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
    pub(super) started: Option<Instant>,
}

impl Host {
    /// A VM of which only number and name are known yet.
    pub(super) fn blank(id: u64, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            internal_name: format!("{id}_{name}"),
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
            create_date: wall_clock(),
            starts: 0,
            installs: 0,
            net_rx_summary: Some(0),
            net_tx_summary: Some(0),
            started: None,
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

/// An address given to a VM [api 4.10].
#[derive(Clone, Debug)]
pub struct Ip {
    /// Number.
    pub id: u64,
    /// The address; an IPv6 network is shown by its first address.
    pub ip_addr: String,
    /// 4 or 6.
    pub family: u8,
    /// PTR name.
    pub domain: String,
    /// Gateway.
    pub gateway: String,
    /// Mask (IPv4) or prefix length (IPv6).
    pub mask: String,
    /// Pool it came from.
    pub ippool: u64,
    /// Network of that pool.
    pub network: u64,
    /// Owner VM.
    pub host: u64,
    /// Interface index of the cluster.
    pub interface: u64,
    /// The first address of the VM.
    pub is_main: bool,
    /// From this moment it is shown by the API.
    pub(super) shown_at: Instant,
}

/// A pool of addresses [api 4.6].
#[derive(Clone, Debug)]
pub struct Pool {
    /// Number; the smallest on a cluster is used first.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Remark.
    pub note: String,
    /// Ranges of addresses.
    pub ranges: Vec<Range>,
    /// Clusters it serves.
    pub clusters: Vec<PoolCluster>,
    /// Shortest client network that IPv6 ranges of this pool hand out.
    pub min_ipv6_prefix: Option<u64>,
}

/// A pool on an interface of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCluster {
    /// Cluster.
    pub id: u64,
    /// Interface index, 0 the main network.
    pub interface: u64,
}

/// A range of a pool.
#[derive(Clone, Debug)]
pub struct Range {
    /// Number.
    pub id: u64,
    /// First address, for IPv6 the network handed out in parts.
    pub first: std::net::IpAddr,
    /// How many addresses (IPv4) or client networks (IPv6).
    pub count: u64,
    /// Gateway of its network.
    pub gateway: std::net::IpAddr,
    /// Mask length of its network.
    pub prefix: u8,
    /// Number of its network.
    pub network: u64,
}

/// A cluster [api 4.2].
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Remark.
    pub comment: String,
    /// `kvm` or `lxd`.
    pub virtualization_type: String,
    /// `active` when usable.
    pub state: String,
    /// `common`, `hetzner`, ….
    pub datacenter_type: String,
    /// Interface indexes that exist.
    pub interfaces: Vec<u64>,
    /// Name given to a VM without a domain; `@ID@` is its number.
    pub domain_template: String,
    /// Whether new VMs get `hot_plug` and `live_resize` without asking.
    pub hot_plug: bool,
    /// Storages, the main one first.
    pub storages: Vec<u64>,
    /// Most VMs on one node, `None` for no limit.
    pub host_per_node_limit: Option<u64>,
}

/// A node [api 4.2].
#[derive(Clone, Debug)]
pub struct Node {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Address.
    pub ip: String,
    /// Its cluster.
    pub cluster: u64,
    /// `active` when it works.
    pub state: String,
    /// Cores.
    pub cpu_number: u64,
    /// Memory, MiB.
    pub ram_mib: u64,
    /// Disk space, MiB.
    pub storage_mib: u64,
    /// No new VMs.
    pub maintenance_mode: bool,
    /// No new VMs either.
    pub host_creation_blocked: bool,
    /// Most VMs, `None` for no limit.
    pub host_limit: Option<u64>,
}

/// A storage [api 4.2].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Storage {
    pub id: u64,
    pub name: String,
    pub comment: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub is_network: bool,
    pub state: String,
    pub clusters: Vec<u64>,
    pub tags: Vec<u64>,
}

/// An OS template [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Os {
    pub id: u64,
    pub name: String,
    pub os_group: String,
    #[serde(skip)]
    pub repository: u64,
    pub state: String,
    pub adminonly: bool,
    pub tags: Vec<String>,
    #[serde(skip)]
    pub clusters: Vec<u64>,
    pub nodes: Vec<Value>,
    pub is_lxd_image: bool,
    pub hdd_mib_required: u64,
    pub min_ram_mib: u64,
    pub kms_supported: bool,
    pub kms_ip: Option<String>,
    pub kms_port: Option<u64>,
    pub product_key: Option<String>,
    pub efi_boot: bool,
    pub cpu_mode: Option<String>,
    pub comment: Option<String>,
    pub updated_at: String,
}

/// A user image [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Image {
    pub id: u64,
    pub name: String,
    pub account: u64,
    pub for_all: bool,
    #[serde(rename = "type")]
    pub kind: String,
    pub comment: String,
    pub state: String,
    pub size_mib: u64,
    pub nodes: Vec<Value>,
    #[serde(skip)]
    pub clusters: Vec<u64>,
}

/// A repository of templates and recipes [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Repository {
    pub id: u64,
    pub name: String,
    pub url: String,
    pub state: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// A VM configuration [api 4.4].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Preset {
    pub id: u64,
    pub name: String,
    pub comment: String,
    pub virtualization_type: String,
    pub cpu_number: u64,
    pub ram_mib: u64,
    pub hdd_mib: u64,
    pub disks: Vec<Value>,
    #[serde(flatten)]
    pub tuning: Tuning,
    pub snapshot_limit: u64,
}

/// A recipe [api 4.5].
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Its repository, `None` for a local one.
    pub repository: Option<u64>,
    /// OS names it accepts (its `script_filter`); empty for all.
    pub only_os: Vec<String>,
    /// Parameters.
    pub params: Vec<RecipeParam>,
    /// Labels.
    pub tags: Vec<String>,
    /// Time of the last change.
    pub updated_at: String,
}

/// A parameter of a recipe [api 4.5].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct RecipeParam {
    pub name: String,
    pub description: String,
    pub required: bool,
    #[serde(rename = "type")]
    pub kind: String,
    pub select_values: Vec<Value>,
}

/// A storage tag [api 4.4].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Tag {
    pub id: u64,
    pub name: String,
    pub note: String,
    pub immortal: bool,
    pub storages: Vec<u64>,
}

/// A task of the task manager [api 3].
#[derive(Clone, Debug)]
pub struct Task {
    /// Number in the task manager.
    pub id: u64,
    /// Number in answers; several tasks may share it.
    pub consul_id: u64,
    /// E.g. `host_create` [api 3.3].
    pub name: String,
    /// `created`, `deferred`, `running`, `complete`, `failed`, `fail`, `cancelled` [api 3.4].
    pub status: String,
    /// Error text of a failed task.
    pub output: String,
    /// Why a deferred task waits.
    pub defer_reason: Option<String>,
    /// The VM it is about.
    pub host: Option<u64>,
    /// Who asked.
    pub user: u64,
    /// The request's body, passwords left out.
    pub params: Value,
    /// Wall-clock time of creation, for people.
    pub date_create: String,
    pub(super) created: Instant,
    pub(super) started: Option<Instant>,
    pub(super) finished: Option<Instant>,
    pub(super) listed_at: Instant,
    pub(super) takes: Duration,
    /// Runs before the other tasks of its VM: it waited for the stop that has just ended.
    pub(super) first: bool,
    pub(super) twist: Option<Twist>,
    pub(super) work: Work,
}

impl Task {
    /// Whether it is over, well or badly.
    pub fn is_final(&self) -> bool {
        self.finished.is_some()
    }
}

/// What a fault does to a task.
#[derive(Clone, Debug)]
pub(super) enum Twist {
    /// Ends with this word and text, without effect.
    End { word: &'static str, text: String },
    /// Is never listed.
    Vanish,
    /// Never ends.
    Forever,
}

impl Range {
    /// `203.0.113.10-203.0.113.209`, or the IPv6 network.
    pub fn name(&self) -> String {
        match self.first {
            std::net::IpAddr::V4(first) => {
                let span = u32::try_from(self.count.saturating_sub(1)).unwrap_or(u32::MAX);
                let last = std::net::Ipv4Addr::from(u32::from(first).saturating_add(span));
                format!("{first}-{last}")
            }
            std::net::IpAddr::V6(first) => format!("{first}/{}", self.prefix),
        }
    }
}
