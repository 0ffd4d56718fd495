//! Traffic of a handler's services, day by day, into BILLmanager's statistics [protocol 3.19].
//!
//! VMmanager reports one number per VM and direction [api 4.11]. How it becomes the traffic of days is in
//! [`super::booking`]. Whatever is not known is not written: a zero would be a lie that nobody notices. One VM that cannot be
//! read does not hold up the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use jiff::civil::Date;

use super::booking::{Counters, Ledger, Subject, Usage, before, day_of};
use crate::config::{Config, today};
use crate::direction::{Direction, PerDirection};
use crate::error::{Error, Result};
use crate::fault;
use crate::id::VmId;
use crate::journal::{Meter, Proof};
use crate::log;
use crate::panel::{Handler, Reading};
use crate::service::handler::HandlerJob;
use crate::service::platform::connection;
use crate::vmm::Client;

/// VMs asked about at the same time.
const AT_ONCE: usize = 8;
/// So many VMs in a row that cannot be asked mean that VMmanager is away.
const AWAY: usize = 8;
/// Services whose rows are written together.
const TOGETHER: usize = 50;
/// Records the traffic of every service up to yesterday and reports the days as complete: today has just begun.
pub(crate) fn record(job: &HandlerJob) -> Result<Vec<Usage>> {
    let today = today();
    let subjects = subjects(job)?;
    let usages = if subjects.is_empty() { Vec::new() } else { read_and_write(job, &subjects, &ledger(job, today)?)? };
    job.panel.post_statistics(job.handler.id, before(today))?;
    log::info!("handler {}: traffic of {} of {} services recorded", job.handler.id, usages.len(), subjects.len());
    Ok(usages)
}

fn ledger(job: &HandlerJob, day: Date) -> Result<Ledger> {
    let platform = job.platform(None)?;
    let calendar = job.journal.has_proved(platform, Proof::CalendarMonth)?;
    let begin = if calendar { day } else { before(day) }.first_of_month();
    Ok(Ledger {
        day,
        platform,
        calendar,
        begin,
        units: job.panel.units()?,
        recorded: job.panel.recorded(job.handler.id, begin, day)?,
        meters: job.journal.meters()?.into_iter().map(|meter| (meter.item, meter)).collect(),
    })
}

/// The services whose VM exists and is theirs.
fn subjects(job: &HandlerJob) -> Result<Vec<Subject>> {
    let metered = job.panel.metered(job.handler.id)?;
    if metered.is_empty() {
        return Ok(Vec::new());
    }
    let hosts: HashMap<VmId, _> = job.vmm.glimpses()?.into_iter().map(|host| (host.id, host)).collect();
    let mut found = Vec::new();
    let mut addons = BTreeMap::new();
    for part in metered.chunks(TOGETHER * 10) {
        addons.append(&mut job.panel.addons(&part.iter().map(|metered| metered.item).collect::<Vec<_>>())?);
    }
    for metered in metered {
        let item = metered.item;
        let Some(vm) = metered.vm else { continue };
        match hosts.get(&vm) {
            None => log::warn!("service {item}: VMmanager has no VM {vm}; its traffic is not known"),
            Some(host) if !job.is_of(host, item)? => {
                log::warn!(
                    "service {item}: VM {vm} is not proved to be its own (link it first); its traffic is not counted"
                );
            }
            Some(host) => {
                let addons = addons.remove(&item).unwrap_or_default();
                found.push(Subject { metered, vm, created: day_of(&host.create_date), addons });
            }
        }
    }
    Ok(found)
}

fn read_and_write(job: &HandlerJob, subjects: &[Subject], ledger: &Ledger) -> Result<Vec<Usage>> {
    let mut usages = Vec::new();
    let (mut rows, mut meters, mut first_error) = (Vec::new(), Vec::new(), None);
    let write = |rows: &mut Vec<Reading>, meters: &mut Vec<Meter>| {
        // The rows first: a meter without its rows would lose what lies between them.
        job.panel.record_traffic(rows)?;
        fault::point("statistics.rows_written");
        job.journal.save_meters(meters)?;
        fault::point("statistics.meters_saved");
        rows.clear();
        meters.clear();
        Ok::<(), Error>(())
    };
    let vms: Vec<VmId> = subjects.iter().map(|subject| subject.vm).collect();
    let asked = read_all(job.config, &job.handler, &vms, |at, counters| {
        let subject = &subjects[at];
        match counters {
            Ok(counters) => {
                let (usage, meter) = ledger.book(subject, counters, &mut rows);
                usages.push(usage);
                meters.extend(meter);
            }
            Err(error) => {
                log::warn!("service {}: the traffic of VM {} is not known: {error}", subject.metered.item, subject.vm);
                first_error.get_or_insert(error);
            }
        }
        if meters.len() >= TOGETHER { write(&mut rows, &mut meters) } else { Ok(()) }
    })?;
    write(&mut rows, &mut meters)?;
    match first_error {
        Some(error) if usages.is_empty() || asked < subjects.len() => {
            Err(error.and("the statistics of this day are not complete; the next run completes them"))
        }
        _ => Ok(usages),
    }
}

/// Asks about all VMs, several at a time, and hands over each answer as it comes. How many were asked: fewer than all
/// when VMmanager went away.
fn read_all(
    config: &Config,
    handler: &Handler,
    vms: &[VmId],
    mut take: impl FnMut(usize, Result<Counters>) -> Result<()>,
) -> Result<usize> {
    let (next, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (answers, answered) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(vms.len()) {
            let (answers, next, lost) = (answers.clone(), &next, &lost);
            scope.spawn(move || {
                let vmm = match connection::client(config, handler) {
                    Ok(vmm) => vmm,
                    Err(error) => return answers.send((0, Err(error))).unwrap_or_default(),
                };
                while lost.load(Ordering::Relaxed) < AWAY {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(vm) = vms.get(at) else { return };
                    let counters = read(&vmm, *vm);
                    match &counters {
                        Err(error) if error.kind.is_connection() => lost.fetch_add(1, Ordering::Relaxed),
                        _ => lost.swap(0, Ordering::Relaxed),
                    };
                    if answers.send((at, counters)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(answers);
        let mut asked = 0;
        for (at, counters) in answered {
            asked += 1;
            take(at, counters)?;
        }
        Ok(asked)
    })
}

/// Both counters of a VM; a build without one of them still has the other [api 6, row 29].
fn read(vmm: &Client, vm: VmId) -> Result<Counters> {
    let [into, out] = Direction::BOTH.map(|direction| vmm.month_traffic(vm, direction));
    match (into, out) {
        (Err(error), Err(_)) => Err(error),
        (Err(error), Ok(out)) | (Ok(out), Err(error)) if error.kind.is_connection() || out.is_none() => Err(error),
        (incoming, outgoing) => Ok(PerDirection { incoming, outgoing }.map(|counter| {
            counter.unwrap_or_else(|error| {
                log::warn!("one of the traffic counters of VM {vm} is not known: {error}");
                None
            })
        })),
    }
}
