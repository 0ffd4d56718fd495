//! VMmanager's objects as far as we use them. Unknown fields are ignored, numbers may come as strings, most fields may
//! be absent or null [api 7]. Sizes are MiB, rates Mbit/s.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{
    exact, few, few_or_none, if_fits, number, one_or_many, optional_exact, optional_number, or_default, text,
};
use crate::id::{AccountId, ClusterId, TaskId};

/// Elements of a list inside of an object: no account has more roles, no VM more addresses.
pub(super) const MANY: usize = 1000;
/// Elements of one answer; more than are asked for, because a build may not know about pages.
const LONGEST_PAGE: usize = 20_000;

/// The envelope of every list [api 2].
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct List<T> {
    #[serde(deserialize_with = "few::<_, _, LONGEST_PAGE>")]
    pub list: Vec<T>,
    /// How many there are on all pages, where VMmanager says so.
    #[serde(default, deserialize_with = "optional_number")]
    pub size: Option<u64>,
}

/// An account of VMmanager [api 4.1].
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: AccountId,
    /// E-mail, the login.
    #[serde(default, deserialize_with = "exact")]
    pub email: String,
    /// `@user`, `@admin`, …
    #[serde(default, deserialize_with = "few_or_none::<_, _, MANY>")]
    pub roles: Vec<String>,
}

impl Account {
    /// Somebody of the platform's own people, with whatever rights: never a client [api 1.4].
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| role.contains("admin"))
    }
}

/// A public SSH key of an account [api B11].
#[derive(Clone, Debug, Deserialize)]
pub struct AccountKey {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// The key as it was given, longer than any name.
    #[serde(default, deserialize_with = "or_default")]
    pub ssh_pub_key: String,
}

/// A cluster [api 4.2].
#[derive(Clone, Debug, Deserialize)]
pub struct Cluster {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: ClusterId,
    /// Name.
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// `kvm` or `lxd`.
    #[serde(default, deserialize_with = "text")]
    pub virtualization_type: String,
}

/// An OS template [api 4.3].
#[derive(Clone, Debug, Deserialize)]
pub struct Os {
    /// Id; differs per installation and may change.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Template, for example `Debian 12`.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
    /// Repository, for example `ISPsystem`.
    #[serde(default, deserialize_with = "exact")]
    pub repository: String,
    /// `active` when usable.
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    /// Hidden from clients.
    #[serde(default, deserialize_with = "or_default")]
    pub adminonly: bool,
    /// For LXD clusters.
    #[serde(default, deserialize_with = "or_default")]
    pub is_lxd_image: bool,
    /// Smallest disk.
    #[serde(default, deserialize_with = "optional_number")]
    pub hdd_mib_required: Option<u64>,
    /// Smallest memory.
    #[serde(default, deserialize_with = "optional_number")]
    pub min_ram_mib: Option<u64>,
    /// Clusters that have the template.
    #[serde(default, deserialize_with = "one_or_many")]
    pub clusters: Vec<Reference>,
}

impl Os {
    /// Attached to the cluster, whether it can be used or not.
    pub fn is_on(&self, cluster: ClusterId) -> bool {
        self.clusters.iter().any(|at| at.id == cluster.get())
    }

    /// Clients' VMs can be made of it on the cluster.
    pub fn is_usable_on(&self, cluster: ClusterId) -> bool {
        self.state == "active" && !self.adminonly && self.is_on(cluster)
    }
}

/// An object named by its id.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reference {
    #[serde(deserialize_with = "number")]
    pub id: u64,
}

/// A VM configuration [api 4.4]; nothing means VMmanager's default.
#[derive(Clone, Debug, Deserialize)]
pub struct Preset {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Name; the tariff's internal name repeats it.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
    /// `kvm` or `lxd`.
    #[serde(default, deserialize_with = "text")]
    pub virtualization_type: String,
    /// Cores.
    #[serde(default, deserialize_with = "optional_number")]
    pub cpu_number: Option<u64>,
    /// Memory.
    #[serde(default, deserialize_with = "optional_number")]
    pub ram_mib: Option<u64>,
    /// Disk.
    #[serde(default, deserialize_with = "optional_number")]
    pub hdd_mib: Option<u64>,
    /// Disks, when the configuration lists them.
    #[serde(default, deserialize_with = "few_or_none::<_, _, MANY>")]
    pub disks: Vec<PresetDisk>,
    /// Fine tuning that is handed to a new VM unchanged.
    #[serde(flatten)]
    pub tuning: Tuning,
}

impl Preset {
    /// Disk space of a VM that is made of the configuration alone.
    pub fn disks_mib(&self) -> Option<u64> {
        let all: Option<u64> = self.disks.iter().map(|disk| disk.size_mib).sum();
        all.filter(|&size| size > 0).or(self.hdd_mib)
    }

    /// Size of the main disk.
    pub fn main_disk_mib(&self) -> Option<u64> {
        let main = || self.disks.iter().find(|disk| disk.boot_order == Some(1)).or(self.disks.first());
        self.hdd_mib.filter(|&size| size > 0).or_else(|| main()?.size_mib)
    }
}

/// A disk of a VM configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct PresetDisk {
    #[serde(default, deserialize_with = "optional_number")]
    pub size_mib: Option<u64>,
    /// 1 is the main disk.
    #[serde(default, deserialize_with = "optional_number")]
    pub boot_order: Option<u64>,
}

/// Values of a VM configuration that a tariff does not name [api 4.4]; `body` leaves unset ones out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Tuning {
    #[serde(deserialize_with = "optional_exact")]
    pub cpu_mode: Option<String>,
    #[serde(deserialize_with = "optional_exact")]
    pub cpu_custom_model: Option<String>,
    pub nesting: Option<bool>,
    pub cpu_weight: Option<u64>,
    pub io_weight: Option<u64>,
    pub io_read_mbitps: Option<u64>,
    pub io_write_mbitps: Option<u64>,
    pub io_read_iops: Option<u64>,
    pub io_write_iops: Option<u64>,
    pub net_in_mbitps: Option<u64>,
    pub net_out_mbitps: Option<u64>,
    pub net_weight: Option<u64>,
    pub anti_spoofing: Option<bool>,
    pub tcp_connections_in: Option<u64>,
    pub tcp_connections_out: Option<u64>,
    pub process_number: Option<u64>,
}

/// A recipe [api 4.5].
#[derive(Clone, Debug, Deserialize)]
pub struct Recipe {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Name.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
    /// Repository.
    #[serde(default, deserialize_with = "exact")]
    pub repository: String,
    /// How many parameters it asks for; nothing when the platform does not report it.
    #[serde(default, deserialize_with = "optional_number")]
    pub params_count: Option<u64>,
}

/// A parameter of a recipe [api 4.5, B12].
#[derive(Clone, Debug, Deserialize)]
pub struct RecipeParam {
    /// Name.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
    /// What it is, for people.
    #[serde(default, deserialize_with = "text")]
    pub description: String,
    /// The recipe does not run without it. A build that does not say so refuses by itself.
    #[serde(default, deserialize_with = "if_fits")]
    pub required: bool,
    /// `text`, `password`, `select`, …
    #[serde(default, rename = "type", deserialize_with = "text")]
    pub kind: String,
    /// What can be chosen; empty for a free value.
    #[serde(default, deserialize_with = "if_fits")]
    pub select_values: Vec<RecipeChoice>,
}

/// A value of a recipe's parameter.
#[derive(Clone, Debug, Deserialize)]
pub struct RecipeChoice {
    /// The value itself.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
}

/// An element of the task list [api 3.2].
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TaskRow {
    /// Task-manager id, used for the details.
    #[serde(default, deserialize_with = "optional_number")]
    pub id: Option<u64>,
    /// See [api 3.4].
    #[serde(default, deserialize_with = "text")]
    pub status: String,
    /// Details of a failure, where the list has them.
    #[serde(default, deserialize_with = "or_default")]
    pub output: Value,
    /// The same under another name.
    #[serde(default, deserialize_with = "or_default")]
    pub error: Value,
    /// Why it waits.
    #[serde(default, deserialize_with = "or_default")]
    pub defer_reason: Value,
}

/// A line of a VM's history: one of its tasks [api 3.1].
#[derive(Clone, Debug, Deserialize)]
pub struct Past {
    /// Grows from task to task.
    #[serde(default, deserialize_with = "optional_number")]
    pub id: Option<u64>,
    /// `host_start`, …
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// As `status` of a task [api 3.4].
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    /// Its id in the task list, used for the details.
    #[serde(default, deserialize_with = "optional_number")]
    pub task: Option<u64>,
    /// When it was accepted, by VMmanager's clock.
    #[serde(default, deserialize_with = "text")]
    pub date_create: String,
}

impl Past {
    /// Accepted and not ended, as far as the word is known for that; what waits for a stop of the VM is not.
    pub fn is_under_way(&self) -> bool {
        ["created", "running", "pending"].contains(&self.state.to_lowercase().as_str())
    }
}

/// Answer to a request that starts a task [api 3.1].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Accepted {
    /// Id of the object.
    #[serde(default, deserialize_with = "optional_number")]
    pub id: Option<u64>,
    /// Consul id of the task; nothing when the change was made at once.
    #[serde(default, deserialize_with = "optional_number")]
    pub task: Option<TaskId>,
    /// A restart names the task of its start here [api 6, row 8].
    #[serde(default, deserialize_with = "optional_number")]
    pub start_task: Option<TaskId>,
}

/// IPv6 settings of a VM [api 4.10].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ipv6 {
    /// Length of the client's network.
    #[serde(default, deserialize_with = "optional_number")]
    pub ipv6_prefix: Option<u64>,
}

/// An IP pool [api 4.6].
#[derive(Clone, Debug, Deserialize)]
pub struct Pool {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Name.
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// Clusters that use it.
    #[serde(default, deserialize_with = "one_or_many")]
    pub clusters: Vec<PoolCluster>,
    /// Counters of newer builds.
    #[serde(default)]
    pub ipv4: Option<Usage>,
    /// Counters of older builds.
    #[serde(default, deserialize_with = "optional_number")]
    pub total_ip: Option<u64>,
    /// Counters of older builds.
    #[serde(default, deserialize_with = "optional_number")]
    pub using_ip: Option<u64>,
}

/// A cluster that uses a pool.
#[derive(Clone, Debug, Deserialize)]
pub struct PoolCluster {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: ClusterId,
    /// Index of the interface it serves there, 0 the main one; nothing when the build does not report it.
    #[serde(default, deserialize_with = "optional_number")]
    pub interface: Option<u64>,
}

/// How full a pool is.
#[derive(Clone, Debug, Deserialize)]
pub struct Usage {
    /// Addresses there are.
    #[serde(default, deserialize_with = "optional_number")]
    pub total: Option<u64>,
    /// Addresses given out.
    #[serde(default, deserialize_with = "optional_number")]
    pub used: Option<u64>,
}

impl Pool {
    /// IPv4 addresses left; nothing when the platform does not report it.
    pub fn free_ipv4(&self) -> Option<u64> {
        let (total, used) = match &self.ipv4 {
            Some(usage) => (usage.total?, usage.used?),
            None => (self.total_ip?, self.using_ip?),
        };
        Some(total.saturating_sub(used))
    }
}
