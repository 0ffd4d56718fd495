//! Backup schedules: the list of them, and the VMs of one [api 4.12, B15].

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

use super::client::Client;
use super::lenient::{exact, few, number};
use super::model::Accepted;
use super::outcome::Outcome;
use super::reason::whole;
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::id::{ClusterId, VmId};

/// VMs in one schedule; a platform has no more.
const MANY: usize = 100_000;

/// A backup schedule. Its lists are read in full or not at all: what is left out of one would be taken from the schedule.
#[derive(Clone, Debug, Deserialize)]
pub struct Schedule {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Name.
    #[serde(default, deserialize_with = "exact")]
    pub name: String,
    /// VMs that are in its list; nothing when this build does not show them.
    #[serde(default, deserialize_with = "ids")]
    pub hosts: Option<Vec<VmId>>,
    /// The clusters that it is for; none means all.
    #[serde(default, deserialize_with = "ids")]
    pub clusters: Option<Vec<ClusterId>>,
    /// It chooses VMs by what they were made of.
    #[serde(default, deserialize_with = "ids")]
    pub presets: Option<Vec<u64>>,
    /// It chooses VMs by where they run.
    #[serde(default, deserialize_with = "ids")]
    pub nodes: Option<Vec<u64>>,
    /// It chooses single disks.
    #[serde(default, deserialize_with = "ids")]
    pub disks: Option<Vec<u64>>,
    /// The provider's settings, which nobody changes here.
    #[serde(flatten)]
    settings: Settings,
}

/// What a schedule does when, as VMmanager shows it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Settings {
    comment: Value,
    backup_mode: Value,
    #[serde(rename = "type")]
    kind: Value,
    limit_count: Value,
    limit_size_mib: Value,
    start_time: Value,
    backup_locations: Value,
}

impl Schedule {
    /// Made for VMs that are put into it one by one, on this cluster. Others are the provider's own, and an entry could
    /// mean something else there.
    pub fn is_for_entries(&self, cluster: ClusterId) -> bool {
        let is_empty = |ids: &Option<Vec<u64>>| ids.as_ref().is_none_or(Vec::is_empty);
        let clusters = self.clusters.as_deref().unwrap_or_default();
        [&self.presets, &self.nodes, &self.disks].into_iter().all(is_empty)
            && (clusters.is_empty() || clusters.contains(&cluster))
    }

    /// Whether the other one is the same but for its VMs.
    pub fn equals_otherwise(&self, other: &Schedule) -> bool {
        let choice = |it: &Schedule| (it.clusters.clone(), it.presets.clone(), it.nodes.clone(), it.disks.clone());
        self.name == other.name && choice(self) == choice(other) && self.settings == other.settings
    }

    /// Whether a VM is in its list.
    pub fn has(&self, vm: VmId) -> bool {
        self.hosts.as_ref().is_some_and(|hosts| hosts.contains(&vm))
    }

    /// The list, without which nothing may be written.
    pub fn vms(&self) -> Result<&[VmId]> {
        self.hosts.as_deref().ok_or_else(|| {
            let text = format!("VMmanager does not show which VMs are in the backup schedule \"{}\"", self.name);
            Error::new(Kind::Vm6Api, "GET /vm/v3/schedule", text)
        })
    }
}

impl Client {
    /// All backup schedules.
    pub fn schedules(&self) -> Result<Vec<Schedule>> {
        self.all("/vm/v3/schedule")
    }

    /// Replaces the VMs of a backup schedule and nothing else of it; whether that is a task, and its name, is not documented.
    pub fn set_schedule_hosts(&self, schedule: u64, hosts: &[VmId]) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.post(&format!("/vm/v3/schedule/{schedule}"), &json!({ "hosts": hosts }))?;
        Ok(accepted.task.map(|consul| Task { consul, name: None }))
    }
}

/// Ids, or objects with an id; null reads as nothing, and so does a list that is not there.
fn ids<'de, D: Deserializer<'de>, T: From<u64>>(input: D) -> std::result::Result<Option<Vec<T>>, D::Error> {
    #[derive(Deserialize)]
    struct List(#[serde(deserialize_with = "few::<_, _, MANY>")] Vec<Value>);

    let Some(List(list)) = Option::deserialize(input)? else { return Ok(None) };
    let id = |element: Value| {
        let id = element.get("id").unwrap_or(&element);
        whole(id).and_then(|id| u64::try_from(id).ok()).map(T::from).ok_or_else(|| D::Error::custom("no id"))
    };
    list.into_iter().map(id).collect::<std::result::Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> std::result::Result<Schedule, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_list_is_read_in_full_or_not_at_all() {
        let vms = |hosts: Value| read(json!({"id": 1, "name": "daily", "hosts": hosts})).map(|schedule| schedule.hosts);
        let both = Some(vec![VmId::from(5), VmId::from(6)]);
        for hosts in [json!([5, 6]), json!(["5", 6]), json!([{"id": 5, "name": "a"}, {"id": "6"}])] {
            assert_eq!(vms(hosts).unwrap(), both);
        }
        assert_eq!((vms(json!([])).unwrap(), vms(json!(null)).unwrap()), (Some(Vec::new()), None));
        for unreadable in [json!([5, "x"]), json!([5, null]), json!([5, {}]), json!([5, -1]), json!(7), json!({})] {
            assert!(vms(unreadable.clone()).is_err(), "{unreadable}");
        }
        let unknown = read(json!({"id": 1, "name": "daily"})).unwrap();
        assert!(unknown.vms().unwrap_err().text.contains("daily") && !unknown.has(VmId::from(5)));
    }

    #[test]
    fn settings_of_a_schedule() {
        let before = json!({"id": 1, "name": "daily", "limit_count": 7, "hosts": [5], "next_run": "a"});
        let mut after = before.clone();
        (after["hosts"], after["next_run"]) = (json!([5, 6]), json!("b"));
        assert!(read(before.clone()).unwrap().equals_otherwise(&read(after.clone()).unwrap()));
        for (name, value) in [("limit_count", json!(0)), ("name", json!("")), ("presets", json!([1]))] {
            let mut changed = after.clone();
            changed[name] = value;
            assert!(!read(before.clone()).unwrap().equals_otherwise(&read(changed).unwrap()), "{name}");
        }
    }

    #[test]
    fn schedules_for_single_vms() {
        let is_for = |more: Value| {
            let mut schedule = json!({"id": 1, "hosts": [], "clusters": [], "presets": [], "nodes": null});
            schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(schedule).unwrap().is_for_entries(ClusterId::from(3))
        };
        assert!([json!({}), json!({"clusters": [1, 3]})].map(is_for).iter().all(|it| *it));
        for other in [json!({"clusters": [1]}), json!({"presets": [1]}), json!({"nodes": [1]}), json!({"disks": [1]})] {
            assert!(!is_for(other.clone()), "{other}");
        }
    }
}
