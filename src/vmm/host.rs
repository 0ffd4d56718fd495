//! A VM as VMmanager shows it.

use serde::Deserialize;
use serde_json::Value;

use super::host_state::HostState;
use super::lenient::{comment, exact, few_or_none, number, optional_number, or_default, reference, scalar, text};
use super::model::{Cluster, MANY, Reference};
use crate::direction::PerDirection;
use crate::id::{AccountId, VmId};

/// A VM as the filtered list gives it [api 4.7.2].
#[derive(Clone, Debug, Deserialize)]
pub struct Host {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: VmId,
    /// Display name.
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// Host name.
    #[serde(default, deserialize_with = "text")]
    pub domain: String,
    /// Free text; holds our mark.
    #[serde(default, deserialize_with = "comment")]
    pub comment: String,
    /// An empty word when the answer leaves it out.
    #[serde(default, deserialize_with = "or_default")]
    pub state: HostState,
    /// Creation time, compared as text only.
    #[serde(default, deserialize_with = "text")]
    pub create_date: String,
    /// Owner.
    #[serde(default, deserialize_with = "reference")]
    pub account: Option<Owner>,
    /// Cluster.
    #[serde(default, deserialize_with = "reference")]
    pub cluster: Option<Cluster>,
    /// OS.
    #[serde(default, deserialize_with = "reference")]
    pub os: Option<Reference>,
    /// Name of the OS template.
    #[serde(default, deserialize_with = "or_default")]
    pub os_name: String,
    /// Family of the OS: `linux`, `windows`, …
    #[serde(default, deserialize_with = "or_default")]
    pub os_group: String,
    /// Main disk.
    #[serde(default, deserialize_with = "reference")]
    pub disk: Option<Disk>,
    /// IPv4 addresses.
    #[serde(default, deserialize_with = "few_or_none::<_, _, MANY>")]
    pub ip4: Vec<HostIp>,
    /// IPv6 addresses.
    #[serde(default, deserialize_with = "few_or_none::<_, _, MANY>")]
    pub ip6: Vec<HostIp>,
    /// Cores.
    #[serde(default, deserialize_with = "optional_number")]
    pub cpu_number: Option<u64>,
    /// Memory.
    #[serde(default, deserialize_with = "optional_number")]
    pub ram_mib: Option<u64>,
    /// Cores accepted but not applied before the next stop; 0 for none.
    #[serde(default, deserialize_with = "optional_number")]
    pub cpu_number_new: Option<u64>,
    /// Memory accepted but not applied before the next stop; 0 for none.
    #[serde(default, deserialize_with = "optional_number")]
    pub ram_mib_new: Option<u64>,
    /// Symmetric channel limit.
    #[serde(default, deserialize_with = "optional_number")]
    pub net_bandwidth_mbitps: Option<u64>,
    /// Incoming limit.
    #[serde(default, deserialize_with = "optional_number")]
    pub net_in_mbitps: Option<u64>,
    /// Outgoing limit.
    #[serde(default, deserialize_with = "optional_number")]
    pub net_out_mbitps: Option<u64>,
    /// Cores and memory can grow while it runs.
    #[serde(default, deserialize_with = "or_default")]
    pub hot_plug: bool,
    /// How often its memory has grown while it ran.
    #[serde(default, deserialize_with = "optional_number")]
    pub hot_plug_cell_counter: Option<u64>,
    /// The disk can grow while it runs.
    #[serde(default, deserialize_with = "or_default")]
    pub live_resize: bool,
    /// Limits and modes. Null is none; nothing means that this build does not show the field.
    #[serde(default, deserialize_with = "scalar")]
    pub(super) cpu_mode: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) cpu_custom_model: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) cpu_weight: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) io_weight: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) io_read_mbitps: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) io_write_mbitps: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) io_read_iops: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) io_write_iops: Option<Value>,
    #[serde(default, deserialize_with = "scalar")]
    pub(super) anti_spoofing: Option<Value>,
    /// Deletion protection.
    #[serde(default, deserialize_with = "or_default")]
    pub is_protected: bool,
    /// Snapshots: with any of them VMmanager changes neither sizes nor addresses [api B1].
    #[serde(default, deserialize_with = "optional_number")]
    pub snapshot_count: Option<u64>,
}

impl Host {
    /// All addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = &HostIp> {
        self.ip4.iter().chain(&self.ip6)
    }

    /// Whether the VM has this address, given as a bare literal.
    pub fn has_address(&self, ip: &str) -> bool {
        self.addresses().any(|address| address.bare() == ip)
    }

    /// Speed limits; one limit counts for both directions when a build has only that one.
    pub fn speeds(&self) -> PerDirection<Option<u64>> {
        PerDirection { incoming: self.net_in_mbitps, outgoing: self.net_out_mbitps }
            .map(|limit| limit.filter(|&limit| limit > 0).or(self.net_bandwidth_mbitps))
    }
}

/// Owner of a VM.
#[derive(Clone, Debug, Deserialize)]
pub struct Owner {
    #[serde(deserialize_with = "number")]
    pub id: AccountId,
    #[serde(default, deserialize_with = "exact")]
    pub email: String,
}

/// Main disk of a VM.
#[derive(Clone, Debug, Deserialize)]
pub struct Disk {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(default, rename = "disk_mib", deserialize_with = "optional_number")]
    pub size_mib: Option<u64>,
    /// Size accepted but not applied yet; 0 for none.
    #[serde(default, rename = "disk_mib_new", deserialize_with = "optional_number")]
    pub size_mib_new: Option<u64>,
}

/// An address in the VM list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HostIp {
    /// The literal, or a network.
    #[serde(default, deserialize_with = "text")]
    pub ip: String,
}

impl HostIp {
    /// The literal, as BILLmanager records it.
    pub fn bare(&self) -> &str {
        self.ip.split('/').next().unwrap_or_default()
    }
}

/// An address in `/host/{id}/ipv4` [api 4.10].
#[derive(Clone, Debug, Deserialize)]
pub struct Ipv4 {
    /// Disk id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// The literal.
    #[serde(default, deserialize_with = "text")]
    pub ip_addr: String,
    /// Host name.
    #[serde(default, deserialize_with = "text")]
    pub domain: String,
    /// Gateway.
    #[serde(default, deserialize_with = "text")]
    pub gateway: String,
    /// Netmask.
    #[serde(default, deserialize_with = "text")]
    pub mask: String,
    /// Index of the cluster's interface it belongs to, 0 the main one.
    #[serde(default, deserialize_with = "optional_number")]
    pub cluster_interface: Option<u64>,
}
