//! How a platform differs from another one: by the numbers and names of its clusters, and by its addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::platform::Platform;

/// How the clusters differ from those of the default platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterNames {
    /// Added to the number of every cluster.
    pub offset: u64,
    /// Added to the name of every cluster, e.g. `-fra`.
    pub suffix: String,
}

impl Platform {
    /// Renumbers and renames the clusters, wherever they are mentioned.
    pub(super) fn rename_clusters(&mut self, names: &ClusterNames) {
        let offset = names.offset;
        let clusters = std::mem::take(&mut self.clusters).into_values().map(|mut cluster| {
            cluster.id += offset;
            cluster.name.push_str(&names.suffix);
            (cluster.id, cluster)
        });
        self.clusters = clusters.collect::<BTreeMap<_, _>>();
        let lists = self.storages.values_mut().map(|storage| &mut storage.clusters);
        let lists = lists.chain(self.os.values_mut().map(|os| &mut os.clusters));
        let lists = lists.chain(self.images.values_mut().map(|image| &mut image.clusters));
        let lists = lists.chain(self.schedules.values_mut().map(|schedule| &mut schedule.clusters));
        let in_lists = lists.flat_map(|list| list.iter_mut());
        let of_nodes = self.nodes.values_mut().map(|node| &mut node.cluster);
        let of_pools = self.pools.values_mut().flat_map(|pool| pool.clusters.iter_mut().map(|cluster| &mut cluster.id));
        in_lists.chain(of_nodes).chain(of_pools).for_each(|id| *id += offset);
    }

    /// Moves the ranges of all pools: no address is in two platforms of different blocks.
    pub(super) fn use_address_block(&mut self, block: u8) {
        for range in self.pools.values_mut().flat_map(|pool| &mut pool.ranges) {
            range.first = moved(range.first, range.prefix, block);
            range.gateway = moved(range.gateway, range.prefix, block);
        }
    }
}

/// The same place in the network `block` networks further.
fn moved(address: IpAddr, prefix: u8, block: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let shift = 32_u32.saturating_sub(prefix.into());
            IpAddr::from((u32::from(v4) + (u32::from(block) << shift)).to_be_bytes())
        }
        // The gateway of every IPv6 network is link-local.
        IpAddr::V6(v6) if v6.is_unicast_link_local() => address,
        IpAddr::V6(v6) => {
            let mut parts = v6.segments();
            parts[2] += u16::from(block) << 8;
            IpAddr::from(parts)
        }
    }
}
