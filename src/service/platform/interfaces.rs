//! The additional network interface of a VM: the one place that knows its form in the API.
//!
//! Which interfaces a cluster has is seen in its pools: each serves one interface, 0 is the main one [api 4.2, 4.6].
//! How a VM gets both is open [api B10]: clients that run send `custom_interfaces`, one pool for each interface; `interfaces`
//! with all pools of each is better and is sent where the description of VMmanager's API was seen to have it. Without
//! `ipv4_number`, which nobody sends together with either. Further addresses follow once the VM exists.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::service::order::Placement;
use crate::vmm::{Client, CustomInterface, Host, InterfacePools, Ipv4};

/// Index of the main interface.
const MAIN: u64 = 0;

/// Both interfaces of a new VM with the pools that serve them; `pools` narrows the choice for the main one.
/// `no_second_interface` when the cluster has only one.
pub(crate) fn of_new_vm(vmm: &Client, cluster: ClusterId, pools: &[u64]) -> Result<Vec<InterfacePools>> {
    let mut serving = serving(vmm, cluster)?;
    let main = serving.remove(&MAIN).unwrap_or_default();
    let Some((second, second_pools)) = serving.pop_first() else {
        let text = format!("no IP pool of VMmanager serves an additional interface of cluster {cluster}");
        let cure =
            "attach a pool to that interface of the cluster, or switch the handler's additional network interface off";
        return Err(Error::new(Kind::NoSecondInterface, "additional_interface", text).cure(cure));
    };
    if main.is_empty() {
        let text = format!("no IP pool of VMmanager serves the main interface of cluster {cluster}");
        return Err(Error::new(Kind::BadParam, "cluster", text));
    }
    let main = if pools.is_empty() { main } else { pools.to_vec() };
    Ok(vec![
        InterfacePools { interface: MAIN, ippool: main },
        InterfacePools { interface: second, ippool: second_pools },
    ])
}

/// The same for a VMmanager that is not proved to know `interfaces`: the pool that comes first serves each.
pub(crate) fn one_pool_each(interfaces: &[InterfacePools]) -> Vec<CustomInterface> {
    let custom = |at: &InterfacePools| {
        let ippool = at.ippool.first().copied()?;
        Some(CustomInterface { model: "virtio", is_main_network: at.interface == MAIN, ippool, ip_count: 1 })
    };
    interfaces.iter().filter_map(custom).collect()
}

/// Pools of a cluster by the interface they serve, in the order in which VMmanager uses them.
fn serving(vmm: &Client, cluster: ClusterId) -> Result<BTreeMap<u64, Vec<u64>>> {
    let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for pool in vmm.pools()? {
        let mut at = pool.clusters.into_iter().filter(|at| at.id == cluster).collect::<Vec<_>>();
        if at.iter().any(|at| at.interface.is_none()) {
            at = vmm.pool_clusters(pool.id)?.into_iter().filter(|at| at.id == cluster).collect();
        }
        for at in at {
            found.entry(at.interface.unwrap_or(MAIN)).or_default().push(pool.id);
        }
    }
    Ok(found)
}

/// The VM with the addresses of its main interface alone, which are those that are sold. Nothing is asked and nothing
/// left out unless the handler gives VMs an additional interface.
pub(crate) fn main_only(vmm: &Client, place: impl FnOnce() -> Result<Placement>, mut host: Host) -> Result<Host> {
    if host.ip4.len() < 2 || !place()?.additional_interface {
        return Ok(host);
    }
    let known = vmm.ipv4(host.id)?;
    let apart: Vec<String> = apart(&host, &known).into_iter().map(str::to_owned).collect();
    host.ip4.retain(|address| !apart.contains(&address.ip));
    Ok(host)
}

/// IPv4 addresses of the VM that are known to belong to another interface than the main one. A build that numbers
/// interfaces otherwise must not leave the VM without any address.
pub(crate) fn apart<'a>(host: &'a Host, known: &[Ipv4]) -> Vec<&'a str> {
    let elsewhere =
        |ip: &&str| known.iter().any(|k| k.ip_addr == *ip && k.cluster_interface.is_some_and(|i| i != MAIN));
    let apart: Vec<&str> = host.ip4.iter().map(|address| address.ip.as_str()).filter(elsewhere).collect();
    if apart.len() == host.ip4.len() { Vec::new() } else { apart }
}
