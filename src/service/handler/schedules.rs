//! Backup schedules as choices of the add-on `backup_schedule`: the items of its enumerations follow VMmanager's schedules
//! by name, because one tariff may be sold on several platforms.
//!
//! New schedules are added. An item that no schedule has any more stays, because services may have it and no source shows
//! how one is taken back; it is reported.

use crate::error::Result;
use crate::journal::Proof;
use crate::log;
use crate::service::handler::HandlerJob;
use crate::service::handler::lists::is_sayable;
use crate::service::order::is_nothing;
use crate::service::platform::catalogue;
use crate::vmm::Schedule;

/// Adds what is missing to every enumeration from which tariffs of the handler offer the add-on.
pub(crate) fn offer(job: &HandlerJob) -> Result<()> {
    let offered = job.panel.enumerations(job.handler.id, "backup_schedule")?;
    if offered.is_empty() || !job.journal.has_proved(job.platform(None)?, Proof::BackupSchedules)? {
        return Ok(());
    }
    let (all, cluster) = (job.vmm.schedules()?, job.cluster()?.id);
    let meant = |item: &String| catalogue::schedule(&all, item, cluster).ok();
    for (enumeration, items) in &offered {
        let known: Vec<u64> = items.iter().filter_map(meant).map(|schedule| schedule.id).collect();
        let is_new = |schedule: &&Schedule| schedule.is_for_entries(cluster) && !known.contains(&schedule.id);
        for schedule in all.iter().filter(is_new) {
            add(job, *enumeration, &schedule.name)?;
        }
        for gone in items.iter().filter(|item| meant(item).is_none() && !is_nothing(item)) {
            log::warn!(
                "handler {}: \"{gone}\" is offered as a backup schedule, but is none in VMmanager; take it out of the tariffs",
                job.handler.id
            );
        }
    }
    Ok(())
}

/// A panel that refuses an item is no reason to fail: staff can add it by hand.
fn add(job: &HandlerJob, enumeration: u64, name: &str) -> Result<()> {
    if !is_sayable("backup_schedule", name) {
        return Ok(());
    }
    match job.panel.add_item(enumeration, name) {
        Err(error) if !error.is_unreachable_panel() => {
            log::warn!("the backup schedule \"{name}\" is not offered, add it to the enumeration by hand: {error}");
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => {
            log::info!(
                "handler {}: the backup schedule \"{name}\" is new in VMmanager and offered now",
                job.handler.id
            );
            Ok(())
        }
    }
}
