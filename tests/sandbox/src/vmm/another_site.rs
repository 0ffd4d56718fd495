//! A platform whose clusters differ from those of another one: by number, by name, or both.

use std::collections::BTreeMap;

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
        let in_lists = lists.flat_map(|list| list.iter_mut());
        let of_nodes = self.nodes.values_mut().map(|node| &mut node.cluster);
        let of_pools = self.pools.values_mut().flat_map(|pool| pool.clusters.iter_mut().map(|cluster| &mut cluster.id));
        in_lists.chain(of_nodes).chain(of_pools).for_each(|id| *id += offset);
    }
}
