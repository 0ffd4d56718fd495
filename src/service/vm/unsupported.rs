//! Paid add-ons that a client would not get: those that the table does not have, and limits, modes and backup schedules at a
//! VMmanager that was not seen to know them, or limits of a VM that shows another value.
//!
//! The handler's setting decides: the order is refused before anything is asked for, or it is carried out and staff is told, once
//! for each add-on of each tariff. What BILLmanager leaves to staff does not come this far [protocol 5.7].

use crate::error::{Error, Kind, Result};
use crate::id::PlatformId;
use crate::journal::{Journal, Proof};
use crate::log;
use crate::service::job::Job;
use crate::service::order::addons::{ADDONS, Addon, SCHEDULE};
use crate::service::order::{Order, unknown};
use crate::settings::UnknownAddons;
use crate::vmm::Host;

/// Nobody delivers it.
pub(crate) const UNKNOWN: &str = "this module does not know it";
/// It may be delivered elsewhere.
pub(crate) const UNPROVED: &str = "VMmanager was not seen to know the fields for it";
const ONLY_NEW: &str = "VMmanager was seen to set it for new VMs only, and this VM has another value";

/// A paid add-on that is not delivered.
pub(crate) struct Unsupported {
    /// Its key in the tariff.
    pub addon: String,
    /// Why it is not delivered.
    pub reason: &'static str,
}

/// What VMmanager was seen to know of limits and modes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tunable {
    /// A new VM gets them.
    pub at_creation: bool,
    /// A VM that exists gets others.
    pub at_change: bool,
}

impl Tunable {
    /// Asks nothing of anybody where nothing of the kind is ordered.
    pub(crate) fn of(job: &Job, order: &Order) -> Result<Self> {
        if order.tuning.is_empty() {
            return Ok(Tunable::default());
        }
        Self::on(&job.journal, job.platform()?)
    }

    /// On a platform.
    pub(crate) fn on(journal: &Journal, platform: PlatformId) -> Result<Self> {
        let has = |proof| journal.has_proved(platform, proof);
        Ok(Tunable { at_creation: has(Proof::TuningAtCreation)?, at_change: has(Proof::TuningAtChange)? })
    }

    /// A new VM gets them only once it exists.
    pub(crate) fn is_late(self) -> bool {
        self.at_change && !self.at_creation
    }

    /// Why this VM, or a new one, does not get what an add-on became; nothing when it does or has it.
    pub(crate) fn obstacle(self, addon: &Addon, order: &Order, host: Option<&Host>) -> Option<&'static str> {
        if self.at_change || !addon.is_in(&order.tuning) {
            return None;
        }
        let Some(host) = host else { return (!self.at_creation).then_some(UNPROVED) };
        let differing = host.untuned(&order.tuning);
        let differs = addon.creation.iter().any(|field| differing.contains_key(field));
        let is_shown = addon.creation.iter().all(|field| host.tuned(field).is_some());
        match (differs, self.at_creation) {
            (true, true) => Some(ONLY_NEW),
            (true, false) => Some(UNPROVED),
            (false, at_creation) => (!is_shown && !at_creation).then_some(UNPROVED),
        }
    }
}

/// The paid add-ons of an order that a new VM, or this one, does not get. `addon_unsupported` where the handler refuses them.
pub(crate) fn find(job: &Job, order: &Order, host: Option<&Host>) -> Result<Vec<Unsupported>> {
    let known = |key: &str| Unsupported { addon: key.to_owned(), reason: UNKNOWN };
    let mut found: Vec<Unsupported> = unknown(&job.service).into_iter().map(known).collect();
    refuse(job, &found)?;
    let tunable = Tunable::of(job, order)?;
    let obstacle = |addon: &&Addon| {
        let reason = tunable.obstacle(addon, order, host)?;
        Some(Unsupported { addon: addon.name().to_owned(), reason })
    };
    found.extend(ADDONS.iter().filter_map(obstacle));
    if order.backup_schedule.is_some() && !job.journal.has_proved(job.platform()?, Proof::BackupSchedules)? {
        found.push(Unsupported { addon: SCHEDULE.name().to_owned(), reason: UNPROVED });
    }
    refuse(job, &found)?;
    Ok(found)
}

fn refuse(job: &Job, found: &[Unsupported]) -> Result<()> {
    match found {
        [first, ..] if job.settings.unknown_addons == UnknownAddons::Refuse => {
            let names: Vec<&str> = found.iter().map(|it| it.addon.as_str()).collect();
            let error = error(job, &names.join(", "), first.reason);
            Err(error
                .cure(format!("{CURE}; with unknown_addons=report the handler carries such orders out all the same")))
        }
        _ => Ok(()),
    }
}

/// What staff can do.
pub(crate) const CURE: &str = "take the add-on out of the tariff, leave it to staff there, or run \"pmvmmanager6 verify\" after an \
                    update of VMmanager";

fn error(job: &Job, addons: &str, reason: &str) -> Error {
    let (tariff, title) = (job.service.tariff_id, &job.service.tariff_title);
    let text = format!("tariff {tariff} \"{title}\" sells an add-on that is not delivered, {addons}: {reason}");
    Error::new(Kind::AddonUnsupported, addons, text)
}

/// Tells staff of each add-on of each tariff once. The order is carried out: what goes wrong here is only logged.
pub(crate) fn report(job: &Job, found: &[Unsupported]) {
    for Unsupported { addon, reason } in found {
        let error = error(job, addon, reason).cure(CURE);
        log::warn!("service {}: {error}", job.service.id);
        if let Err(failed) = tell(job, addon, &error) {
            log::warn!("service {}: staff was not told of the add-on {addon}: {failed}", job.service.id);
        }
    }
}

fn tell(job: &Job, addon: &str, error: &Error) -> Result<()> {
    let tariff = job.service.tariff_id;
    if job.journal.was_reported(tariff, addon)? {
        return Ok(());
    }
    job.panel.report_undelivered((job.handler.id, &job.handler.name), error)?;
    job.journal.note_reported(tariff, addon)
}
