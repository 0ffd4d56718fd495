//! Giving out addresses [api 4.6]: the pool with the smallest number first, the next when it is exhausted.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use super::model::{Ip, Pool, Range};
use super::platform::Platform;

/// IPv4 addresses to be found for one interface of a VM.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Interface index of the cluster.
    pub interface: u64,
    /// Allowed pools, empty for any that serves the interface.
    pub pools: Vec<u64>,
    /// How many.
    pub count: u64,
    /// This very address.
    pub fixed: Option<Ipv4Addr>,
}

/// An address found, not yet given.
struct Found {
    address: IpAddr,
    gateway: IpAddr,
    mask: String,
    pool: u64,
    network: u64,
    interface: u64,
}

impl Platform {
    /// Pools that serve an interface of a cluster, in the order of use.
    pub(super) fn pools_of(&self, cluster: u64, interface: u64) -> Vec<&Pool> {
        let serves = |pool: &&Pool| pool.clusters.iter().any(|c| c.id == cluster && c.interface == interface);
        self.pools.values().filter(serves).collect()
    }

    /// Addresses in a pool and how many of them are taken.
    pub(super) fn pool_usage(&self, pool: u64, family: u8) -> (u64, u64) {
        let ranges = self.pools.get(&pool).map(|p| p.ranges.as_slice()).unwrap_or_default();
        let total = ranges.iter().filter(|range| range.family() == family).map(|range| range.count).sum();
        let used = self.ips.values().filter(|ip| ip.ippool == pool && ip.family == family).count();
        (total, used as u64)
    }

    /// Gives the VM all the wanted addresses, or none and says why.
    pub(super) fn allocate_v4(&mut self, host: u64, wanted: &[Wanted], shown_at: Instant) -> Result<(), String> {
        let cluster = self.hosts.get(&host).ok_or(format!("VM {host} not found"))?.cluster;
        let mut taken: HashSet<String> = self.ips.values().map(|ip| ip.ip_addr.clone()).collect();
        let mut found = Vec::new();
        for want in wanted {
            for _ in 0..want.count {
                let one = self.find_v4(cluster, want, &taken)?;
                taken.insert(one.address.to_string());
                found.push(one);
            }
        }
        for one in found {
            self.give(host, one, shown_at);
        }
        Ok(())
    }

    /// Gives the VM an IPv6 network of this prefix length (the pool's shortest, else 64) unless it has one.
    pub(super) fn allocate_v6(&mut self, host: u64, prefix: Option<u64>, shown_at: Instant) -> Result<(), String> {
        let cluster = self.hosts.get(&host).ok_or(format!("VM {host} not found"))?.cluster;
        let taken: HashSet<String> = self.ips.values().map(|ip| ip.ip_addr.clone()).collect();
        for pool in self.pools_of(cluster, 0) {
            let slot = pool.min_ipv6_prefix.unwrap_or(64);
            let length = prefix.unwrap_or(slot);
            for range in pool.ranges.iter().filter(|range| range.family() == 6) {
                let free =
                    (0..range.count).map(|n| range.network_at(n, slot)).find(|a| !taken.contains(&a.to_string()));
                if let Some(address) = free {
                    let (gateway, mask) = (range.gateway, length.to_string());
                    let one = Found { address, gateway, mask, pool: pool.id, network: range.network, interface: 0 };
                    self.give(host, one, shown_at);
                    if let Some(host) = self.hosts.get_mut(&host) {
                        host.ipv6_enabled = true;
                        host.ipv6_prefix = Some(length);
                    }
                    return Ok(());
                }
            }
        }
        Err(format!("no free IPv6 network for cluster {cluster}"))
    }

    fn find_v4(&self, cluster: u64, want: &Wanted, taken: &HashSet<String>) -> Result<Found, String> {
        let pools = self.pools_of(cluster, want.interface);
        let mut tried = Vec::new();
        for pool in pools.into_iter().filter(|pool| want.pools.is_empty() || want.pools.contains(&pool.id)) {
            tried.push(pool.id.to_string());
            for range in pool.ranges.iter().filter(|range| range.family() == 4) {
                let fits = |a: &IpAddr| want.fixed.is_none_or(|fixed| *a == fixed) && !taken.contains(&a.to_string());
                if let Some(address) = range.addresses().find(fits) {
                    let (gateway, mask) = (range.gateway, range.mask());
                    let (pool, network, interface) = (pool.id, range.network, want.interface);
                    return Ok(Found { address, gateway, mask, pool, network, interface });
                }
            }
        }
        match want.fixed {
            Some(fixed) => Err(format!("IP address {fixed} is not free")),
            None => Err(format!("no free IP address in pool {}", tried.join(", "))),
        }
    }

    /// An IPv4 address that somebody gives a VM by hand, on the interface with this index; its number.
    pub fn add_address(&mut self, host: u64, address: std::net::Ipv4Addr, interface: u64) -> u64 {
        let (gateway, mask) = (std::net::IpAddr::from([198, 51, 100, 1]), "255.255.255.0".to_owned());
        let one = Found { address: address.into(), gateway, mask, pool: 0, network: 0, interface };
        self.give(host, one, Instant::now());
        self.next.ip - 1
    }

    fn give(&mut self, host: u64, found: Found, shown_at: Instant) {
        let id = self.next.ip;
        self.next.ip += 1;
        self.moments.insert(shown_at);
        let family = if found.address.is_ipv4() { 4 } else { 6 };
        let is_main = !self.ips.values().any(|ip| ip.host == host && ip.family == family);
        let domain = self.hosts.get(&host).map(|h| h.domain.clone()).unwrap_or_default();
        self.ips.insert(
            id,
            Ip {
                id,
                ip_addr: found.address.to_string(),
                family,
                domain,
                gateway: found.gateway.to_string(),
                mask: found.mask,
                ippool: found.pool,
                network: found.network,
                host,
                interface: found.interface,
                is_main,
                shown_at,
            },
        );
    }
}

impl Range {
    /// 4 or 6.
    pub fn family(&self) -> u8 {
        if self.first.is_ipv4() { 4 } else { 6 }
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let first = match self.first {
            IpAddr::V4(first) => u32::from(first),
            IpAddr::V6(_) => 0,
        };
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        (0..count).filter_map(move |n| first.checked_add(n)).map(|n| IpAddr::V4(Ipv4Addr::from(n)))
    }

    /// The first address of the n-th client network of `2^(128 - slot)` addresses.
    fn network_at(&self, n: u64, slot: u64) -> IpAddr {
        let first = match self.first {
            IpAddr::V6(first) => u128::from(first),
            IpAddr::V4(_) => 0,
        };
        let step = 1_u128 << (128_u64.saturating_sub(slot)).min(127);
        IpAddr::V6(Ipv6Addr::from(first + u128::from(n) * step + 1))
    }

    fn mask(&self) -> String {
        let bits = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
        Ipv4Addr::from(bits).to_string()
    }
}
