//! What a cluster has left for more VMs.

use crate::error::Result;
use crate::id::ClusterId;
use crate::vmm::{Client, Node, Pool};

/// Whether a cluster can take another VM: a node that takes VMs and, where VMmanager reports it, a free address.
pub(crate) fn has_room(vmm: &Client, cluster: ClusterId) -> Result<bool> {
    let is_of_cluster = |node: &Node| node.cluster.as_ref().is_some_and(|at| at.id == cluster.get());
    let open = vmm.nodes()?.iter().any(|node| is_of_cluster(node) && node.takes_vms());
    Ok(open && free_ipv4(&pools(vmm, cluster, &[])?) != Some(0))
}

/// The IP pools that serve a cluster; of `chosen` alone unless that is empty.
pub(crate) fn pools(vmm: &Client, cluster: ClusterId, chosen: &[u64]) -> Result<Vec<Pool>> {
    let usable = |pool: &Pool| chosen.is_empty() || chosen.contains(&pool.id);
    let serves = |pool: &Pool| pool.clusters.iter().any(|at| at.id == cluster);
    Ok(vmm.pools()?.into_iter().filter(|pool| usable(pool) && serves(pool)).collect())
}

/// IPv4 addresses left in pools; nothing when one of them does not report it.
pub(crate) fn free_ipv4(pools: &[Pool]) -> Option<u64> {
    pools.iter().map(Pool::free_ipv4).sum()
}
