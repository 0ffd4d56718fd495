//! A VM's backup schedule. VMmanager backs up the VMs in the list of a schedule, and takes such a list only as a whole
//! [api B15].
//!
//! * **No entry of anybody else is lost.** A list is read, changed by one entry, written and read back under a lock that
//!   every process on this server takes, one for each platform; it is the innermost lock but that of a login. What staff
//!   or another program writes in the moment between our reading and our writing cannot be seen: VMmanager has no
//!   request for a single entry.
//! * **No VM is without backups on its way** from one schedule to another: first in, then out. The journal has both from
//!   before the first request, so a run that was killed leaves nothing that the next one does not find. Only entries that
//!   the journal has are taken out; a VM that staff have put into a further schedule stays there.
//! * **A schedule that fails does not keep a VM from being opened.** The VM runs and is paid for. What may pass is an
//!   error, and the next try goes on; what VMmanager refuses for good would be refused again, so the service opens, staff
//!   get a problem to solve, and the audit names the service until they have. A change of tariff fails instead: the service works
//!   on, and an order for nothing but another schedule is taken back.
//! * **No entry of a VM outlives it**: its id may be given again. It is taken out before its VM is removed, whoever has put
//!   it in; a failure does not keep the VM from being removed, but the service from being closed.
//!
//! Off until `verify` has seen these requests in the description of the platform, and off again when anything but the list was
//! seen to change.

use std::time::Duration;

use crate::error::{Error, Kind, Origin, Result};
use crate::id::{ClusterId, VmId};
use crate::journal::{Proof, ScheduleEntry};
use crate::lock::Lock;
use crate::service::job::Job;
use crate::service::job::settle::settle;
use crate::service::order::{Order, is_nothing};
use crate::service::platform::catalogue;
use crate::state::named_lock;
use crate::vmm::{Failure, Host, Schedule};
use crate::{fault, log};

/// How often a list is written that somebody else writes too.
const WRITES: usize = 3;

/// Refuses an order for a schedule that does not exist, before anything is made.
pub(crate) fn refuse_unknown(job: &Job, order: &Order, cluster: ClusterId) -> Result<()> {
    if order.backup_schedule.is_none() || !is_known(job)? {
        return Ok(());
    }
    ordered(&job.vmm.schedules()?, &[], order.backup_schedule.as_deref(), cluster).map(drop)
}

/// Why an add-on cannot have this value, if it certainly cannot.
pub(crate) fn impossible(job: &Job, name: &str) -> Result<Option<Error>> {
    if is_nothing(name) || !is_known(job)? {
        return Ok(None);
    }
    Ok(ordered(&job.vmm.schedules()?, &[], Some(name.trim()), job.place()?.cluster).err())
}

/// Whether the VM has to be put into a schedule or taken out of one. Refuses an order for a schedule that does not exist.
pub(crate) fn differs(job: &Job, order: &Order, host: &Host) -> Result<bool> {
    let Some(entries) = concerned(job, order)? else { return Ok(false) };
    let (name, all) = (order.backup_schedule.as_deref(), job.vmm.schedules()?);
    let wanted = ordered(&all, &entries, name, cluster(job, host)?)?;
    let is_in = wanted.is_none_or(|schedule| schedule.has(host.id));
    Ok(!is_in || entries.iter().any(|entry| !is_wanted(entry, wanted, host.id)))
}

/// The same where the service opens, whatever becomes of it.
pub(crate) fn deliver(job: &Job, order: &Order, host: &Host) -> Result<()> {
    let Err(error) = apply(job, order, host) else { return Ok(()) };
    let for_staff = job.operation.map_or(Ok(false), |operation| job.panel.is_for_staff(&error, operation))?;
    if !error.is_refusal() && !for_staff {
        return Err(error);
    }
    let item = job.service.id;
    let error = error.reworded(|text| format!("service {item} opens without its backups: {text}"));
    let error = error.and(format!("once that is mended, run: pmvmmanager6 audit --repair backup --item {item} --yes"));
    log::error!("{error}");
    job.panel.report_undelivered((job.handler.id, &job.handler.name), &error)
}

/// Puts the VM into the schedule that is ordered, and takes it out of those that were ordered before.
pub(crate) fn apply(job: &Job, order: &Order, host: &Host) -> Result<()> {
    let Some(entries) = concerned(job, order)? else { return Ok(()) };
    let (item, platform) = (job.service.id, job.platform()?);
    let lists = Lists::lock(job)?;
    let (name, all) = (order.backup_schedule.as_deref(), job.vmm.schedules()?);
    let wanted = ordered(&all, &entries, name, cluster(job, host)?)?;
    if let (Some(schedule), Some(name)) = (wanted, name) {
        let entry = ScheduleEntry { schedule: schedule.id, name: name.to_owned(), vm: host.id };
        if !entries.contains(&entry) {
            job.journal.enter_schedule(item, platform, &entry)?;
        }
        lists.change(schedule, host.id, true)?;
    }
    for entry in entries.iter().filter(|entry| !is_wanted(entry, wanted, host.id)) {
        let is_ours = entry.vm == host.id || job.vmm.host(entry.vm)?.is_none();
        if let Some(schedule) = all.iter().find(|schedule| is_ours && schedule.id == entry.schedule) {
            // The VM is in its new schedule by now: the order is not taken back.
            lists.change(schedule, entry.vm, false).map_err(|error| error.origin(Origin::Module))?;
        }
        job.journal.left_schedule(item, platform, entry)?;
    }
    Ok(())
}

/// Takes the service's VM, which is about to be removed or is gone, out of every schedule.
pub(crate) fn leave(job: &Job, host: Option<&Host>) -> Result<()> {
    if host.is_none() && job.journal.find(job.service.id)?.is_none() {
        return Ok(());
    }
    let entries = job.journal.schedule_entries(job.service.id, job.platform()?)?;
    if (host.is_none() && entries.is_empty()) || !is_known(job)? {
        return Ok(());
    }
    let lists = Lists::lock(job)?;
    let all = job.vmm.schedules()?;
    let mut gone: Vec<VmId> = host.iter().map(|host| host.id).collect();
    for vm in entries.iter().map(|entry| entry.vm) {
        if !gone.contains(&vm) && job.vmm.host(vm)?.is_none() {
            gone.push(vm);
        }
    }
    for vm in gone {
        for schedule in all.iter().filter(|schedule| schedule.has(vm)) {
            lists.change(schedule, vm, false)?;
        }
    }
    entries.iter().try_for_each(|entry| job.journal.left_schedule(job.service.id, job.platform()?, entry))
}

/// The schedule that is ordered, if any is. One that was renamed since a VM was put into it is still the ordered one.
pub(crate) fn ordered<'a>(
    all: &'a [Schedule],
    entries: &[ScheduleEntry],
    name: Option<&str>,
    cluster: ClusterId,
) -> Result<Option<&'a Schedule>> {
    let Some(name) = name else { return Ok(None) };
    catalogue::schedule(all, name, cluster).map(Some).or_else(|unknown| {
        let entry = entries.iter().find(|entry| entry.name == name);
        let renamed = entry.and_then(|entry| all.iter().find(|schedule| schedule.id == entry.schedule));
        let renamed = renamed.filter(|schedule| schedule.is_for_entries(cluster)).ok_or(unknown)?;
        log::warn!("the backup schedule \"{name}\" is called \"{}\" in VMmanager now", renamed.name);
        Ok(Some(renamed))
    })
}

/// What the journal has of the service, where schedules are known and the order or the journal names one.
fn concerned(job: &Job, order: &Order) -> Result<Option<Vec<ScheduleEntry>>> {
    let entries = job.journal.schedule_entries(job.service.id, job.platform()?)?;
    let is_concerned = order.backup_schedule.is_some() || !entries.is_empty();
    Ok(if is_concerned && is_known(job)? { Some(entries) } else { None })
}

fn is_known(job: &Job) -> Result<bool> {
    job.journal.has_proved(job.platform()?, Proof::BackupSchedules)
}

fn is_wanted(entry: &ScheduleEntry, wanted: Option<&Schedule>, vm: VmId) -> bool {
    entry.vm == vm && wanted.is_some_and(|schedule| schedule.id == entry.schedule)
}

fn cluster(job: &Job, host: &Host) -> Result<ClusterId> {
    host.cluster.as_ref().map_or_else(|| Ok(job.place()?.cluster), |cluster| Ok(cluster.id))
}

/// The lists of the platform's schedules, ours to change.
struct Lists<'a> {
    job: &'a Job<'a>,
    /// Nothing in a dry run.
    _alone: Option<Lock>,
}

impl<'a> Lists<'a> {
    /// Waits until no other process changes one.
    fn lock(job: &'a Job<'a>) -> Result<Self> {
        if job.panel.is_dry_run() {
            return Ok(Lists { job, _alone: None });
        }
        let mut waits = || log::debug!("service {}: another operation changes backup schedules", job.service.id);
        let alone = named_lock(&job.directory, "schedules", &job.platform()?.to_string(), &mut waits)?;
        Ok(Lists { job, _alone: Some(alone) })
    }

    fn read(&self, id: u64) -> Result<Option<Schedule>> {
        Ok(self.job.vmm.schedules()?.into_iter().find(|schedule| schedule.id == id))
    }

    /// Puts one VM into the list of a schedule that was just read, or takes it out.
    fn change(&self, schedule: &Schedule, vm: VmId, is_in: bool) -> Result<()> {
        let (job, id, mut schedule) = (self.job, schedule.id, schedule.clone());
        for _ in 0..WRITES {
            let vms = schedule.vms()?;
            if schedule.has(vm) == is_in {
                return Ok(());
            }
            let others = vms.iter().copied().filter(|other| *other != vm);
            let list: Vec<VmId> = others.chain(is_in.then_some(vm)).collect();
            if self.write(&schedule, &list, vm, is_in)? {
                let word = if is_in { "is in" } else { "is no more in" };
                log::info!("service {}: VM {vm} {word} the backup schedule \"{}\"", job.service.id, schedule.name);
                fault::point("schedule.changed");
                return Ok(());
            }
            schedule = match self.read(id)? {
                Some(schedule) => schedule,
                None if is_in => return Err(vanished(&schedule)),
                None => return Ok(()),
            };
        }
        let text = format!(
            "the VMs of the backup schedule \"{}\" are not what was written: somebody else writes them",
            schedule.name
        );
        Err(Error::new(Kind::Vm6Busy, format!("schedule {id}"), text))
    }

    /// Writes a list and reads it back; whether it shows the VM as it was written.
    fn write(&self, schedule: &Schedule, list: &[VmId], vm: VmId, is_in: bool) -> Result<bool> {
        let (job, name) = (self.job, &schedule.name);
        fault::point("schedule.before_request");
        let outcome = job.vmm.set_schedule_hosts(schedule.id, list);
        fault::point("schedule.after_request");
        // Without a task the list is changed by now.
        let patience = if matches!(outcome, Ok(None)) { Duration::ZERO } else { job.limits().appear };
        let unknown = match job.finish(outcome, job.limits().change) {
            Ok(_) => None,
            Err(Failure::Unknown(error)) => Some(error),
            Err(Failure::Refused(error)) => match self.read(schedule.id)? {
                Some(_) => {
                    let word = if is_in { "was not put into" } else { "is still in" };
                    return Err(error.and(format!("VM {vm} {word} the backup schedule \"{name}\"")));
                }
                None if is_in => return Err(vanished(schedule)),
                None => return Ok(true),
            },
        };
        let seen = settle(&format!("backup schedule {name}: waiting for VM {vm}"), patience, || {
            Ok(self.read(schedule.id)?.filter(|schedule| schedule.has(vm) == is_in))
        })?;
        match (seen, unknown) {
            (Some(after), _) => self.check_settings(schedule, &after).map(|()| true),
            (None, None) => Ok(false),
            (None, Some(error)) => {
                Err(error.and(format!("the backup schedule \"{name}\" does not show it; the next try looks again")))
            }
        }
    }

    /// A build that takes what is not sent as unset would undo the provider's settings with every order.
    fn check_settings(&self, before: &Schedule, after: &Schedule) -> Result<()> {
        if before.equals_otherwise(after) {
            return Ok(());
        }
        self.job.journal.note_proof(self.job.platform()?, Proof::BackupSchedules, false)?;
        let text = format!(
            "other settings of the backup schedule \"{}\" changed with its VMs: nothing more is done about schedules of this \
             VMmanager",
            before.name
        );
        let cure =
            "look at that schedule in VMmanager; if you have changed it yourself just now, run pmvmmanager6 verify";
        Err(Error::new(Kind::Vm6Api, format!("schedule {}", before.id), text).cure(cure))
    }
}

fn vanished(schedule: &Schedule) -> Error {
    let text = format!("the backup schedule \"{}\" is gone from VMmanager", schedule.name);
    Error::new(Kind::BadParam, "backup_schedule", text).cure("order another one, or make it again")
}
