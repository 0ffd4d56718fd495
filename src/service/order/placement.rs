//! Where and how the handler and the tariff want VMs.

use std::collections::BTreeMap;

use super::missing::missing;
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::settings::HandlerSettings;

/// What the handler's settings and the tariff say of a VM's place.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Cluster id.
    pub cluster: ClusterId,
    /// Pools that new addresses may come from; empty leaves it to VMmanager.
    pub pools: Vec<u64>,
    /// Recipes are passed on.
    pub use_recipes: bool,
    /// VMs get the cluster's additional network interface.
    pub additional_interface: bool,
}

impl Placement {
    /// Reads the handler's settings, the tariff's going over them.
    pub fn read(settings: &HandlerSettings, tariff: &BTreeMap<String, String>) -> Result<Self> {
        let id = |name: &str, text: &str| {
            let bad = || Error::new(Kind::BadParam, name, format!("\"{text}\" is not the id of a VMmanager {name}"));
            text.trim().parse::<u64>().ok().filter(|&id| id > 0).ok_or_else(bad)
        };
        let pools = tariff.get("ippool").map(String::as_str).unwrap_or_default();
        let pools = pools.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| id("ippool", word));
        let cluster = match tariff.get("cluster").map(|text| text.trim()).filter(|text| !text.is_empty()) {
            Some(text) => Some(id("cluster", text)?.into()),
            None => settings.cluster.clone()?,
        };
        Ok(Placement {
            cluster: cluster
                .ok_or_else(|| missing("cluster", "no VMmanager cluster is chosen in the handler's settings"))?,
            pools: pools.collect::<Result<_>>()?,
            use_recipes: settings.use_recipes,
            additional_interface: settings.additional_interface,
        })
    }
}
