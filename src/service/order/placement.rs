//! Where and how the handler and the tariff want VMs.

use std::collections::BTreeMap;

use super::missing;
use crate::error::{Error, Kind, Result};

/// Settings of the handler, read and checked.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Cluster id.
    pub cluster: u64,
    /// Pools that new addresses may come from; empty leaves it to VMmanager.
    pub pools: Vec<u64>,
    /// Recipes are passed on.
    pub use_recipes: bool,
    /// VMs get the cluster's additional network interface.
    pub additional_interface: bool,
}

impl Placement {
    /// Reads the handler's settings, the tariff's going over them.
    pub fn read(handler: &BTreeMap<String, String>, tariff: &BTreeMap<String, String>) -> Result<Self> {
        let chosen = tariff.get("cluster").filter(|v| !v.is_empty()).or_else(|| handler.get("cluster"));
        let text = chosen.map(String::as_str).unwrap_or_default().trim();
        if text.is_empty() {
            return Err(missing("cluster", "no VMmanager cluster is chosen in the handler's settings"));
        }
        let id = |name: &str, text: &str| {
            let bad = || Error::new(Kind::BadParam, name, format!("\"{text}\" is not the id of a VMmanager {name}"));
            text.trim().parse::<u64>().ok().filter(|&id| id > 0).ok_or_else(bad)
        };
        let pools = tariff.get("ippool").map(String::as_str).unwrap_or_default();
        let pools = pools.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| id("ippool", word));
        let is_on = |name: &str| handler.get(name).is_some_and(|value| value == "on");
        Ok(Placement {
            cluster: id("cluster", text)?,
            pools: pools.collect::<Result<_>>()?,
            use_recipes: is_on("use_recipes"),
            additional_interface: is_on("additional_interface"),
        })
    }
}
