//! How many more VMs a cluster takes, as far as VMmanager tells.
//!
//! The answer is a number, none, or unknown. None is certain: an outage is an error, what VMmanager does not tell is
//! unknown, and lists that somebody without rights is shown empty are not believed. VMs that are being made count when
//! VMmanager counts them.

use std::cell::OnceCell;

use super::{catalogue, connection, interfaces};
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::panel::Service;
use crate::service::order::{Order, Placement, missing};
use crate::settings::HandlerSettings;
use crate::vmm::{Client, Cluster, Left, Node, Pool, Preset};

/// Where there is no limit.
const ENDLESS: Left = Left::at_least(u64::MAX);
/// Fewer VMs than this are soon sold.
const FEW: u64 = 5;

/// What the clusters of one VMmanager have, read once.
pub(crate) struct Stock<'a> {
    vmm: &'a Client,
    clusters: Vec<Cluster>,
    nodes: Vec<Node>,
    pools: Vec<Pool>,
    presets: OnceCell<Vec<Preset>>,
}

/// How many VMs of one kind still fit.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub left: Left,
    /// What there is least of.
    pub by: String,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// At least so many, and at least one.
    Number(u64),
    None,
    Unknown,
}

/// What a VM takes.
struct Need {
    cores: u64,
    memory_mib: u64,
    disk_mib: u64,
    ipv4: u64,
}

impl Fit {
    pub(crate) fn answer(&self) -> Answer {
        match self.left {
            Left { at_most: Some(0), .. } => Answer::None,
            Left { at_least: Some(number @ 1..), .. } => Answer::Number(number),
            Left { .. } => Answer::Unknown,
        }
    }

    /// Few are left, or as far as VMmanager tells few may be.
    pub(crate) fn is_few(&self) -> bool {
        [self.left.at_least, self.left.at_most].into_iter().flatten().any(|number| number < FEW)
    }

    /// The answer for people.
    pub(crate) fn text(&self) -> String {
        match (self.answer(), self.left.at_most) {
            (Answer::None, _) => "none".to_owned(),
            (Answer::Number(number), Some(most)) if number == most => number.to_string(),
            (Answer::Number(number), Some(most)) => format!("{number} to {most}"),
            (Answer::Number(number), None) => format!("{number} or more"),
            (Answer::Unknown, Some(most)) => format!("unknown, at most {most}"),
            (Answer::Unknown, None) => "unknown".to_owned(),
        }
    }
}

impl<'a> Stock<'a> {
    pub(crate) fn read(vmm: &'a Client) -> Result<Self> {
        let (clusters, nodes, pools) = (vmm.clusters()?, vmm.nodes()?, vmm.pools()?);
        Ok(Stock { vmm, clusters, nodes, pools, presets: OnceCell::new() })
    }

    /// How many more services like this one the cluster of its handler and tariff takes. An error says why it takes none
    /// of them, or why nobody can count them.
    pub(crate) fn fit(&self, service: &Service, settings: &HandlerSettings) -> Result<Fit> {
        let (order, place) = (Order::read(service)?, Placement::read(settings, &service.tariff)?);
        let Some(cluster) = self.clusters.iter().find(|cluster| cluster.id == place.cluster) else {
            self.require_administrator()?;
            return Err(connection::no_cluster(place.cluster));
        };
        let need = self.need(&order, cluster)?;
        let (mut left, mut limits) = self.on_nodes(cluster.id, &need);
        for (name, addresses) in self.addresses(&place, &need)? {
            left = left.and(addresses);
            limits.push((name, addresses));
        }
        // None before unknown before few.
        limits.sort_by_key(|(_, limit)| (limit.at_most != Some(0), limit.at_least));
        let by = limits.into_iter().next().map(|(name, limit)| reason(name, left, limit));
        let fit = Fit { left, by: by.unwrap_or_default() };
        if fit.answer() == Answer::None {
            self.require_administrator()?;
        }
        Ok(fit)
    }

    fn need(&self, order: &Order, cluster: &Cluster) -> Result<Need> {
        let is_lxd = cluster.virtualization_type == "lxd";
        let preset = catalogue::needed_preset(|| self.presets(), order, is_lxd)?;
        let (preset, sizes) = (preset.as_ref(), &order.sizes);
        let ordered = [sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib];
        let disk = if ordered == [None; 3] { preset.and_then(Preset::disks_mib) } else { None };
        let needed = |name: &str, value: Option<u64>| {
            let text = format!("neither the tariff nor a VM configuration gives \"{name}\"");
            value.filter(|&size| size > 0).ok_or_else(|| missing(name, &text))
        };
        Ok(Need {
            cores: needed("ncpu", sizes.cpu_number.or_else(|| preset?.cpu_number))?,
            memory_mib: needed("mem", sizes.ram_mib.or_else(|| preset?.ram_mib))?,
            disk_mib: needed("disk", sizes.hdd_mib.or(disk).or_else(|| preset?.main_disk_mib()))?,
            ipv4: order.ipv4.unwrap_or(1),
        })
    }

    /// Read when the first tariff leaves a size to a VM configuration.
    fn presets(&self) -> Result<&[Preset]> {
        if let Some(presets) = self.presets.get() {
            return Ok(presets);
        }
        let read = self.vmm.presets()?;
        Ok(self.presets.get_or_init(|| read))
    }

    /// VMs that the nodes take, and what each thing alone would allow. A VM is on one node: what is left on two does not add
    /// up to one.
    fn on_nodes(&self, cluster: ClusterId, need: &Need) -> (Left, Vec<(String, Left)>) {
        let nodes = self.nodes.iter().filter(|node| node.cluster.as_ref().is_none_or(|at| at.id == cluster.get()));
        let open: Vec<&Node> = nodes.filter(|node| node.takes_vms()).collect();
        if open.is_empty() {
            return (Left::exactly(0), vec![("nodes that take VMs".to_owned(), Left::exactly(0))]);
        }
        if open.iter().any(|node| node.cluster.is_none()) {
            return (Left::UNKNOWN, vec![("the cluster's nodes".to_owned(), Left::UNKNOWN)]);
        }
        let limits_of = |node: &Node| {
            [
                node.memory().parts(need.memory_mib),
                node.disk().parts(need.disk_mib),
                node.cores().parts(need.cores),
                node.vms().unwrap_or(ENDLESS),
            ]
        };
        let on_node = |node: &&Node| {
            let left = limits_of(node).into_iter().fold(ENDLESS, Left::and);
            if node.is_active() { left } else { left.unsure() }
        };
        let names = ["memory", "disk space", "cores", "the nodes' limits of VMs"];
        let sum = |at: usize| open.iter().map(|node| limits_of(node)[at]).reduce(Left::plus).unwrap_or_default();
        let mut limits: Vec<_> = names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), sum(at))).collect();
        if !open.iter().any(|node| node.is_active()) {
            limits.insert(0, ("active nodes".to_owned(), Left::UNKNOWN));
        }
        (open.iter().map(on_node).reduce(Left::plus).unwrap_or_default(), limits)
    }

    /// VMs for which there are IPv4 addresses, by what gives them out.
    fn addresses(&self, place: &Placement, need: &Need) -> Result<Vec<(String, Left)>> {
        if need.ipv4 == 0 {
            return Ok(Vec::new());
        }
        if !place.additional_interface {
            let pools = serving(&self.pools, place.cluster, &place.pools);
            if pools.is_empty() {
                let is_told = self.pools.is_empty() || self.pools.iter().any(|pool| !pool.clusters.is_empty());
                let left = if is_told { Left::exactly(0) } else { Left::UNKNOWN };
                return Ok(vec![("IP pools of the cluster".to_owned(), left)]);
            }
            return Ok(vec![limit(&pools, need.ipv4)]);
        }
        // One on each interface; what is ordered beyond that is of the main one.
        let both = interfaces::of_new_vm(self.vmm, place.cluster, &place.pools)?;
        let counts = [need.ipv4.saturating_sub(1).max(1), 1];
        let of = |ids: &[u64]| self.pools.iter().filter(|pool| ids.contains(&pool.id)).collect::<Vec<_>>();
        Ok(both.iter().zip(counts).map(|(interface, count)| limit(&of(&interface.ippool), count)).collect())
    }

    /// Who may not see nodes and pools sees none.
    fn require_administrator(&self) -> Result<()> {
        if self.vmm.is_administrator()? {
            return Ok(());
        }
        let user = self.vmm.username();
        let text = format!("{user} is no longer an administrator of VMmanager: what it is shown is not all");
        let error = Error::new(Kind::Vm6Permission, user, text);
        Err(error.cure("give the account the role Administrator (@admin) in VMmanager"))
    }
}

/// What there is least of, and why the number is what it is.
fn reason(name: String, left: Left, limit: Left) -> String {
    match (left.at_least, limit.at_least) {
        (None, None) => format!("VMmanager does not tell how much of {name} is left"),
        (None, Some(_)) => "VMmanager does not tell enough of the nodes".to_owned(),
        (Some(0), Some(0)) if left.at_most != Some(0) => {
            format!("{name}: used up, unless VMmanager sells more than there is, which it does not tell")
        }
        (Some(0), Some(1..)) => "no node has enough of everything".to_owned(),
        _ => name,
    }
}

fn limit(pools: &[&Pool], count: u64) -> (String, Left) {
    let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
    let left = |pool: &&Pool| pool.free_ipv4().map_or(Left::UNKNOWN, Left::exactly);
    let sum = pools.iter().map(left).reduce(Left::plus).unwrap_or_default();
    (format!("addresses of {}", names.join(", ")), sum.parts(count))
}

/// The IP pools that serve a cluster; of `chosen` alone unless that is empty.
pub(crate) fn pools(vmm: &Client, cluster: ClusterId, chosen: &[u64]) -> Result<Vec<Pool>> {
    let all = vmm.pools()?;
    Ok(serving(&all, cluster, chosen).into_iter().cloned().collect())
}

fn serving<'a>(all: &'a [Pool], cluster: ClusterId, chosen: &[u64]) -> Vec<&'a Pool> {
    let usable = |pool: &&Pool| chosen.is_empty() || chosen.contains(&pool.id);
    let serves = |pool: &&Pool| pool.clusters.iter().any(|at| at.id == cluster);
    all.iter().filter(usable).filter(serves).collect()
}

/// IPv4 addresses left in pools; nothing when one of them does not report it.
pub(crate) fn free_ipv4(pools: &[Pool]) -> Option<u64> {
    pools.iter().map(Pool::free_ipv4).sum()
}
