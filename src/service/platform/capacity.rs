//! What a cluster has left for more VMs.

use crate::error::Result;
use crate::id::ClusterId;
use crate::vmm::{Client, Pool};

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
