//! What can be chosen in forms: clusters, VM configurations, IP pools. Plain data; how it looks in XML is the
//! commands'.

use std::fmt::Display;

use crate::error::Result;
use crate::id::ClusterId;
use crate::text::{LONGEST, clean};
use crate::vmm::{Client, Cluster};

/// An entry of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What is stored.
    pub key: String,
    /// What is read by people, clean.
    pub text: String,
}

/// The lists of one VMmanager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub clusters: Vec<Choice>,
    /// By name: a tariff names a VM configuration that way.
    pub presets: Vec<Choice>,
    pub pools: Vec<Choice>,
}

impl Choices {
    pub(crate) fn read(vmm: &Client) -> Result<Self> {
        let clusters = clusters(vmm)?;
        let presets = vmm.presets()?.into_iter().map(|preset| {
            let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
            let [cpu, ram, disk] = [preset.cpu_number, preset.ram_mib, preset.main_disk_mib()].map(number);
            let kind = kind(&preset.virtualization_type);
            let name = clean(&preset.name, LONGEST);
            Choice { text: format!("{name}: {cpu} CPU, {ram} MiB, {disk} MiB{kind}"), key: preset.name }
        });
        let presets = presets.collect();
        let pools = vmm.pools()?.into_iter().map(|pool| {
            let of = |id: ClusterId| clusters.iter().find(|cluster| cluster.key == id.to_string());
            let at: Vec<&str> = pool.clusters.iter().filter_map(|at| Some(of(at.id)?.text.as_str())).collect();
            Choice { key: pool.id.to_string(), text: format!("{}: {}", named(&pool.name, pool.id), at.join(", ")) }
        });
        let pools = pools.collect();
        Ok(Choices { clusters, presets, pools })
    }
}

/// Clusters with the kind of their virtual machines: a handler sells one kind.
pub(crate) fn clusters(vmm: &Client) -> Result<Vec<Choice>> {
    let choice = |cluster: Cluster| Choice {
        text: format!("{}{}", named(&cluster.name, cluster.id), kind(&cluster.virtualization_type)),
        key: cluster.id.to_string(),
    };
    Ok(vmm.clusters()?.into_iter().map(choice).collect())
}

fn named(name: &str, id: impl Display) -> String {
    if name.trim().is_empty() { format!("#{id}") } else { name.to_owned() }
}

fn kind(virtualization: &str) -> String {
    if virtualization.is_empty() { String::new() } else { format!(" ({})", virtualization.to_uppercase()) }
}
