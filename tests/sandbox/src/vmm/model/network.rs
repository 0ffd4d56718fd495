//! Addresses and the pools they come from.

use std::time::Instant;

/// An address given to a VM [api 4.10].
#[derive(Clone, Debug)]
pub struct Ip {
    /// Number.
    pub id: u64,
    /// The address; an IPv6 network is shown by its first address.
    pub ip_addr: String,
    /// 4 or 6.
    pub family: u8,
    /// PTR name.
    pub domain: String,
    /// Gateway.
    pub gateway: String,
    /// Mask (IPv4) or prefix length (IPv6).
    pub mask: String,
    /// Pool it came from.
    pub ippool: u64,
    /// Network of that pool.
    pub network: u64,
    /// Owner VM.
    pub host: u64,
    /// Interface index of the cluster.
    pub interface: u64,
    /// The first address of the VM.
    pub is_main: bool,
    /// From this moment it is shown by the API.
    pub(in crate::vmm) shown_at: Instant,
}

/// A pool of addresses [api 4.6].
#[derive(Clone, Debug)]
pub struct Pool {
    /// Number; the smallest on a cluster is used first.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Remark.
    pub note: String,
    /// Ranges of addresses.
    pub ranges: Vec<Range>,
    /// Clusters it serves.
    pub clusters: Vec<PoolCluster>,
    /// Shortest client network that IPv6 ranges of this pool hand out.
    pub min_ipv6_prefix: Option<u64>,
}

/// A pool on an interface of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCluster {
    /// Cluster.
    pub id: u64,
    /// Interface index, 0 the main network.
    pub interface: u64,
}

/// A range of a pool.
#[derive(Clone, Debug)]
pub struct Range {
    /// Number.
    pub id: u64,
    /// First address, for IPv6 the network handed out in parts.
    pub first: std::net::IpAddr,
    /// How many addresses (IPv4) or client networks (IPv6).
    pub count: u64,
    /// Gateway of its network.
    pub gateway: std::net::IpAddr,
    /// Mask length of its network.
    pub prefix: u8,
    /// Number of its network.
    pub network: u64,
}

impl Range {
    /// `203.0.113.10-203.0.113.209`, or the IPv6 network.
    pub fn name(&self) -> String {
        match self.first {
            std::net::IpAddr::V4(first) => {
                let span = u32::try_from(self.count.saturating_sub(1)).unwrap_or(u32::MAX);
                let last = std::net::Ipv4Addr::from(u32::from(first).saturating_add(span));
                format!("{first}-{last}")
            }
            std::net::IpAddr::V6(first) => format!("{first}/{}", self.prefix),
        }
    }
}
