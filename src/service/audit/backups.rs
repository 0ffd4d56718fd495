//! The backup schedules that a VM is in beside the one that is ordered, on platforms whose schedules are known.

use std::collections::HashMap;

use super::drift::{DriftKind, Finding, Remedy};
use crate::error::Result;
use crate::id::{ClusterId, PlatformId, ServiceId, VmId};
use crate::journal::{Proof, ScheduleEntry};
use crate::service::handler::HandlerJob;
use crate::service::order::Order;
use crate::service::vm::backup_schedule;
use crate::vmm::{Host, Schedule};

/// The schedules of a platform, and the entries that we have made.
#[derive(Default)]
pub(super) struct Backups {
    schedules: Vec<Schedule>,
    entries: HashMap<ServiceId, Vec<ScheduleEntry>>,
    /// Nothing is judged where it is not known how the platform's schedules work.
    is_known: bool,
}

impl Backups {
    pub(super) fn read(job: &HandlerJob, platform: PlatformId) -> Result<Self> {
        if !job.journal.has_proved(platform, Proof::BackupSchedules)? {
            return Ok(Backups::default());
        }
        let (schedules, entries) = (job.vmm.schedules()?, job.journal.all_schedule_entries(platform)?);
        Ok(Backups { schedules, entries, is_known: true })
    }

    /// What is wrong with the schedules of one service's VM: what is, what should be, and the cure.
    pub(super) fn judge(
        &self,
        item: ServiceId,
        order: &Order,
        host: &Host,
        cluster: ClusterId,
    ) -> Option<(String, String, Remedy)> {
        if !self.is_known {
            return None;
        }
        let entries = self.entries.get(&item).map_or(&[][..], Vec::as_slice);
        let is_ours =
            |schedule: &&Schedule| entries.iter().any(|entry| entry.schedule == schedule.id && entry.vm == host.id);
        let name = order.backup_schedule.as_deref();
        let wanted = match backup_schedule::ordered(&self.schedules, entries, name, cluster) {
            Ok(wanted) => wanted,
            Err(error) => {
                let advice = error.cure.clone().unwrap_or_default();
                let should = format!("backup schedule \"{}\"", name.unwrap_or_default());
                return Some((error.text, should, Remedy::ByHand(advice)));
            }
        };
        let has: Vec<&Schedule> = self.schedules.iter().filter(|schedule| schedule.has(host.id)).collect();
        let (in_wanted, others): (Vec<&Schedule>, Vec<&Schedule>) =
            has.iter().partition(|schedule| wanted.is_some_and(|wanted| wanted.id == schedule.id));
        let Some(wanted) = wanted else {
            // What is not sold is the staff's own, unless it was sold before.
            let sold: Vec<&Schedule> = others.into_iter().filter(is_ours).collect();
            return (!sold.is_empty()).then(|| (places(&sold), "no backup schedule".to_owned(), Remedy::Safe));
        };
        let should = format!("in the backup schedule \"{}\" alone", wanted.name);
        if in_wanted.is_empty() || others.iter().any(is_ours) {
            return Some((places(&has), should, Remedy::Safe));
        }
        if let Some(other) = others.first() {
            let advice =
                format!("in VMmanager take VM {} out of the schedule \"{}\", unless it is meant", host.id, other.name);
            return Some((places(&has), should, Remedy::ByHand(advice)));
        }
        self.renamed(wanted, entries, host)
    }

    fn renamed(&self, wanted: &Schedule, entries: &[ScheduleEntry], host: &Host) -> Option<(String, String, Remedy)> {
        let entry = entries.iter().find(|entry| entry.schedule == wanted.id && entry.vm == host.id)?;
        if self.schedules.iter().any(|schedule| schedule.name == entry.name) || entry.name == wanted.id.to_string() {
            return None;
        }
        let is = format!("the schedule that was ordered as \"{}\" is called \"{}\" now", entry.name, wanted.name);
        let advice =
            "give the choice of the add-on backup_schedule in BILLmanager the new name, or the schedule its old one";
        Some((is, format!("one name of the schedule: \"{}\"", entry.name), Remedy::ByHand(advice.to_owned())))
    }

    /// VMs in a schedule that do not exist: their ids may be given again.
    pub(super) fn gone<'a>(&'a self, exists: impl Fn(VmId) -> bool + 'a) -> impl Iterator<Item = Finding> + 'a {
        let entries =
            self.schedules.iter().flat_map(|schedule| schedule.hosts.iter().flatten().map(move |vm| (schedule, *vm)));
        entries.filter(move |(_, vm)| !exists(*vm)).map(|(schedule, vm)| Finding {
            kind: DriftKind::Backup,
            service: None,
            vm: Some(vm),
            is: format!("the backup schedule \"{}\" names VM {vm}, which does not exist", schedule.name),
            should: "VMs that exist: the number may be given again".to_owned(),
            remedy: Remedy::ByHand(format!("in VMmanager take VM {vm} out of the schedule \"{}\"", schedule.name)),
        })
    }
}

fn places(schedules: &[&Schedule]) -> String {
    let names: Vec<String> = schedules.iter().map(|schedule| format!("\"{}\"", schedule.name)).collect();
    if names.is_empty() {
        "in no backup schedule".to_owned()
    } else {
        format!("in the backup schedule {}", names.join(", "))
    }
}
