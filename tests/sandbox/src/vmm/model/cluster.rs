//! Where VMs run: clusters, nodes, storages.

use serde::Serialize;

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
    /// How often cores and memory may be promised.
    pub overselling: u64,
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
