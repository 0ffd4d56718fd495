//! Backup schedules as the steps of a plan leave them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::vm::{Prediction, number};

/// Schedules by their ids, as they were listed and changed.
#[derive(Default)]
pub(super) struct Schedules(BTreeMap<u64, Value>);

impl Schedules {
    /// Remembers a list of VMmanager and shows in it what the plan has changed.
    pub(super) fn see(&mut self, list: &mut [Value]) {
        for element in list {
            let Some(id) = number(element, "id") else { continue };
            match self.0.get(&id) {
                Some(known) => element["hosts"] = known["hosts"].clone(),
                None => drop(self.0.insert(id, element.clone())),
            }
        }
    }

    /// Changes the VMs of a schedule; nothing when it was never listed.
    pub(super) fn change(&mut self, id: u64, body: &Value) -> Option<Prediction> {
        let schedule = self.0.get_mut(&id)?;
        let before = std::mem::replace(&mut schedule["hosts"], body["hosts"].clone());
        let missing = |from: &Value, to: &Value| {
            let elements = from.as_array().into_iter().flatten();
            let gone = elements.filter(|vm| to.as_array().is_none_or(|list| !list.contains(vm)));
            gone.map(|vm| format!("VM {vm}")).collect::<Vec<_>>().join(", ")
        };
        let (added, taken) = (missing(&schedule["hosts"], &before), missing(&before, &schedule["hosts"]));
        let changes =
            [(added, "is put into"), (taken, "is taken out of")].into_iter().filter(|(vms, _)| !vms.is_empty());
        let what: Vec<String> = changes.map(|(vms, word)| format!("{vms} {word} it")).collect();
        let name = schedule["name"].as_str().unwrap_or_default();
        Some(Prediction::Done(format!("backup schedule \"{name}\": {}", what.join(", "))))
    }
}
