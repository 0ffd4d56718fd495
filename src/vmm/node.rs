//! A node and how full it is. Builds differ in the words for that, and a field that does not fit tells nothing [api 4.2].

use serde::Deserialize;

use super::left::Left;
use super::lenient::{if_fits, number, optional_number, or_default, reference, text};
use super::model::Reference;

/// A node [api 4.2].
#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Its cluster.
    #[serde(default, deserialize_with = "reference")]
    pub cluster: Option<Reference>,
    /// `active` while it works.
    #[serde(default, deserialize_with = "text")]
    pub state: String,
    /// Taken out of service.
    #[serde(default, deserialize_with = "or_default")]
    pub maintenance_mode: bool,
    /// Takes no new VMs.
    #[serde(default, deserialize_with = "or_default")]
    pub host_creation_blocked: bool,
    /// How often cores and memory are sold: a factor, or per cent.
    #[serde(default, deserialize_with = "if_fits")]
    overselling: Option<f64>,
    #[serde(default, deserialize_with = "if_fits")]
    cpu: Figures,
    #[serde(default, deserialize_with = "if_fits")]
    ram_mib: Figures,
    #[serde(default, deserialize_with = "if_fits")]
    storage: Figures,
    /// Of older builds.
    #[serde(default, deserialize_with = "if_fits")]
    storage_mib: Figures,
    #[serde(default, deserialize_with = "if_fits")]
    host_count: Option<u64>,
    #[serde(default, deserialize_with = "if_fits")]
    host_limit: Option<u64>,
}

/// How full something is, in the words of all builds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Figures {
    #[serde(alias = "number", alias = "size_mib", deserialize_with = "optional_number")]
    total: Option<u64>,
    #[serde(deserialize_with = "optional_number")]
    used: Option<u64>,
    /// What the VMs were promised, which goes before what they use.
    #[serde(alias = "allocated_mib", deserialize_with = "optional_number")]
    allocated: Option<u64>,
    #[serde(deserialize_with = "optional_number")]
    available_mib: Option<u64>,
}

impl Figures {
    fn left(&self, is_all: bool) -> Left {
        Left::of(self.total, self.allocated.or(self.used), is_all)
    }
}

impl Node {
    /// Whether a new VM may be placed here.
    pub fn takes_vms(&self) -> bool {
        !self.maintenance_mode && !self.host_creation_blocked
    }

    /// Whether it works; builds that do not tell are taken to.
    pub fn is_active(&self) -> bool {
        ["", "active"].contains(&self.state.as_str())
    }

    /// Whether it is known that nothing is sold more than once: the factor is 1, or 100 per cent.
    fn sells_once(&self) -> bool {
        self.overselling.is_some_and(|rate| [1.0, 100.0].contains(&rate))
    }

    /// Cores left.
    pub fn cores(&self) -> Left {
        self.cpu.left(self.sells_once())
    }

    /// Memory left, MiB.
    pub fn memory(&self) -> Left {
        self.ram_mib.left(self.sells_once())
    }

    /// Disk space left, MiB. Storages have an overselling of their own; what VMmanager calls available has it in it.
    pub fn disk(&self) -> Left {
        match self.storage.available_mib {
            Some(available) => Left::exactly(available),
            None => [&self.storage, &self.storage_mib]
                .into_iter()
                .map(|figures| figures.left(false))
                .find(|left| *left != Left::UNKNOWN)
                .unwrap_or(Left::UNKNOWN),
        }
    }

    /// VMs that it may still have; nothing where it has no limit.
    pub fn vms(&self) -> Option<Left> {
        let limit = self.host_limit.filter(|&limit| limit > 0)?;
        Some(Left::of(Some(limit), self.host_count, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_builds() {
        let read = |json: serde_json::Value| serde_json::from_value::<Node>(json).unwrap();
        let new = read(serde_json::json!({
            "id": 1, "overselling": 1, "cpu": {"number": 64, "used": 60}, "ram_mib": {"total": 1000, "allocated": 400},
            "storage": {"size_mib": 900, "used_mib": 10, "allocated_mib": 500, "available_mib": 350},
            "host_count": 7, "host_limit": 10,
        }));
        let exactly = Left::exactly;
        assert_eq!([new.cores(), new.memory(), new.disk()], [exactly(4), exactly(600), exactly(350)]);
        assert_eq!(new.vms(), Some(exactly(3)));
        let old = read(serde_json::json!({
            "id": 1, "cpu_number": 64, "ram_mib": {"total": 1000, "used": "400"},
            "storage_mib": {"total": 900, "used": 500}, "host_limit": 0,
        }));
        assert_eq!([old.cores(), old.memory(), old.disk()], [Left::UNKNOWN, Left::at_least(600), Left::at_least(400)]);
        assert_eq!(old.vms(), None);
        let odd = read(serde_json::json!({"id": 1, "cpu": 7, "ram_mib": [], "storage": null, "overselling": "1.5"}));
        assert_eq!([odd.cores(), odd.memory(), odd.disk()], [Left::UNKNOWN; 3]);
    }
}
