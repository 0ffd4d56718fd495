//! Room on nodes: where a new VM goes and whether an old one may grow.

use super::platform::Platform;

/// What the VMs of a node have been promised.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allocated {
    pub hosts: u64,
    pub cpu_number: u64,
    pub ram_mib: u64,
    pub storage_mib: u64,
}

impl Platform {
    /// What the VMs of a node have been promised.
    pub(super) fn allocated(&self, node: u64) -> Allocated {
        let mut sum = Allocated::default();
        for host in self.hosts.values().filter(|host| host.node == Some(node)) {
            sum.hosts += 1;
            sum.cpu_number += host.cpu_number;
            sum.ram_mib += host.ram_mib;
            sum.storage_mib += self.disk_space(host.id);
        }
        sum
    }

    /// The emptiest node of the cluster with this much room. Cores and memory may be promised more than once, disk not.
    pub(super) fn place(&self, cluster: u64, cpu_number: u64, ram_mib: u64, storage_mib: u64) -> Option<u64> {
        let limit = self.clusters.get(&cluster).and_then(|c| c.host_per_node_limit);
        let open = |n: &&super::model::Node| {
            n.cluster == cluster && n.state == "active" && !n.maintenance_mode && !n.host_creation_blocked
        };
        let candidates = self.nodes.values().filter(open).map(|node| (node, self.allocated(node.id)));
        candidates
            .filter(|(node, used)| {
                let most = [node.host_limit, limit].into_iter().flatten().min().unwrap_or(u64::MAX);
                used.hosts < most
                    && used.cpu_number.saturating_add(cpu_number) <= node.cpu_number * node.overselling
                    && used.ram_mib.saturating_add(ram_mib) <= node.ram_mib * node.overselling
                    && used.storage_mib.saturating_add(storage_mib) <= node.storage_mib
            })
            .min_by_key(|(node, used)| (used.ram_mib, node.id))
            .map(|(node, _)| node.id)
    }

    fn disk_space(&self, host: u64) -> u64 {
        self.disks.values().filter(|disk| disk.host == host).map(|disk| disk.size_mib).sum()
    }
}
