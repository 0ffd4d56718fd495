//! Pools, ranges and networks [api 4.6].

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::{Pool, PoolCluster};
use super::super::schema::{Field, Kind, must};
use super::{Answer, Call, Properties};

const ATTACH_TO_CLUSTER: &[Field] = &[must("interfaces", Kind::Objects(INTERFACE))];
const INTERFACE: &[Field] = &[must("interface", Kind::Int(0)), must("ippool", Kind::Ids)];
const ATTACH_POOL: &[Field] = &[must("clusters", Kind::Objects(CLUSTER))];
const CLUSTER: &[Field] = &[must("id", Kind::Int(1)), must("interface", Kind::Int(0))];

pub(super) fn pools(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.pools.values().map(|pool| call.platform.pool_view(pool)).collect();
    call.list(elements, &["id", "name"])
}

pub(super) fn clusters_of(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    let pool = call.platform.pools.get(&id).ok_or_else(|| ApiError::not_found("ippool", id))?;
    call.list(call.platform.pool_clusters_view(pool, true), &["id"])
}

/// Says which pools serve which interface of a cluster.
pub(super) fn attach_to_cluster(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[ATTACH_TO_CLUSTER])?;
    let cluster = call.id(0)?;
    check_cluster(call, cluster)?;
    for item in body.objects("interfaces") {
        for pool in item.ids("ippool") {
            let interface = item.number("interface").unwrap_or(0);
            let pool = found(call, pool)?;
            pool.clusters.retain(|pc| pc.id != cluster || pc.interface == interface);
            attach(pool, PoolCluster { id: cluster, interface });
        }
    }
    Ok(json!({ "id": cluster }))
}

/// Says which clusters a pool serves, and where.
pub(super) fn attach_pool(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[ATTACH_POOL])?;
    let id = call.id(0)?;
    let clusters: Vec<PoolCluster> = body.objects("clusters").into_iter().map(pool_cluster).collect();
    clusters.iter().try_for_each(|pc| check_cluster(call, pc.id))?;
    let pool = found(call, id)?;
    for pc in clusters {
        attach(pool, pc);
    }
    Ok(json!({ "id": id }))
}

pub(super) fn ranges(call: &mut Call<'_>) -> Answer {
    let of = |pool: &Pool| {
        let id = pool.id;
        let ranges = pool.ranges.iter();
        ranges.map(move |range| json!({"id": range.id, "name": range.name(), "ippool": id})).collect::<Vec<_>>()
    };
    let elements = call.platform.pools.values().flat_map(of).collect();
    call.list(elements, &["id", "ippool"])
}

/// Addresses in use, as `IPmanager` lists them.
pub(super) fn used_addresses(call: &mut Call<'_>) -> Answer {
    let used = call.platform.ips.values();
    let elements = used
        .map(|ip| {
            let (name, network) = (&ip.ip_addr, ip.network);
            json!({"id": ip.id, "name": name, "family": ip.family, "ipnet": network, "ippool": ip.ippool})
        })
        .collect();
    call.sized_list(elements, &["id", "name"])
}

pub(super) fn networks(call: &mut Call<'_>) -> Answer {
    let ranges = call.platform.pools.values().flat_map(|pool| &pool.ranges);
    let elements = ranges.map(|range| call.platform.network_view(range)).collect();
    call.list(elements, &["id", "name"])
}

fn pool_cluster(item: &Map<String, Value>) -> PoolCluster {
    PoolCluster { id: item.number("id").unwrap_or(0), interface: item.number("interface").unwrap_or(0) }
}

fn attach(pool: &mut Pool, to: PoolCluster) {
    if !pool.clusters.contains(&to) {
        pool.clusters.push(to);
    }
}

fn check_cluster(call: &Call<'_>, id: u64) -> Result<(), ApiError> {
    if call.platform.clusters.contains_key(&id) { Ok(()) } else { Err(ApiError::not_found("cluster", id)) }
}

fn found<'a>(call: &'a mut Call<'_>, id: u64) -> Result<&'a mut Pool, ApiError> {
    call.platform.pools.get_mut(&id).ok_or_else(|| ApiError::not_found("ippool", id))
}
