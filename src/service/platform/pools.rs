//! From the IP pools that a tariff or an order names to ids, all of them seen to serve the cluster.

use super::catalogue::forgiving;
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::service::order::addons::POOL;
use crate::service::order::{Order, Placement};
use crate::vmm::{Client, Pool};

/// Pools that new addresses come from: the tariff's own field goes before the add-on. Empty leaves it to VMmanager.
pub(crate) fn chosen(vmm: &Client, place: &Placement, order: &Order) -> Result<Vec<u64>> {
    let of_tariff = place.pools.iter().map(u64::to_string);
    let ordered = order.ippool.iter().filter(|_| place.pools.is_empty()).cloned();
    let names: Vec<String> = of_tariff.chain(ordered).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let pools = vmm.pools()?;
    names.iter().map(|name| among(&pools, place.cluster, name).map(|pool| pool.id)).collect()
}

fn among<'a>(pools: &'a [Pool], cluster: ClusterId, name: &str) -> Result<&'a Pool> {
    let serving = || pools.iter().filter(|pool| pool.clusters.iter().any(|at| at.id == cluster));
    let by_id = pools.iter().find(|pool| name.parse() == Ok(pool.id));
    let found = by_id.or_else(|| pools.iter().find(|pool| pool.name == name)).or_else(|| {
        let mut close = pools.iter().filter(|pool| forgiving(&pool.name) == forgiving(name));
        close.next().filter(|_| close.next().is_none())
    });
    let reason = match found {
        Some(pool) if serving().any(|it| it.id == pool.id) => return Ok(pool),
        Some(_) => format!("does not serve cluster {cluster}"),
        None => "is no pool of VMmanager".to_owned(),
    };
    let possible: Vec<String> = serving().map(|pool| format!("{} ({})", pool.id, pool.name)).collect();
    let possible = if possible.is_empty() { "none serves the cluster".to_owned() } else { possible.join(", ") };
    let text = format!("the IP pool \"{name}\" {reason}");
    let cure = format!("possible: {possible}; correct the tariff, or attach the pool to the cluster in VMmanager");
    Err(Error::new(Kind::BadParam, POOL.name(), text).cure(cure))
}
