//! Traffic of a handler's services, day by day, into BILLmanager's statistics [protocol 3.19].
//!
//! VMmanager reports one number per VM and direction: bytes of this calendar month so far [api 4.11]. What is not
//! recorded of it yet belongs to today, or, when no statistics ran for some days, to these days and today in equal
//! parts. Every row is written whole, so running twice gives the same. Whatever is not known is not written: a zero
//! would be a lie that nobody notices. One VM that cannot be read does not hold up the others.
//!
//! Not here, because no source says how: the traffic between the last run of a month and its end.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use jiff::civil::Date;

use crate::config::{Config, today};
use crate::direction::{Direction, PerDirection};
use crate::error::{Error, Kind, Result};
use crate::id::{ServiceId, TariffId, VmId};
use crate::journal::Meter;
use crate::log;
use crate::panel::{Amount, Handler, Metered, Reading, Recorded, Units};
use crate::service::handler::HandlerJob;
use crate::service::platform::connection;
use crate::vmm::Client;

/// VMs asked about at the same time.
const AT_ONCE: usize = 8;
/// So many VMs in a row that cannot be asked mean that VMmanager is away.
const AWAY: usize = 8;
/// Services whose rows are written together.
const TOGETHER: usize = 50;
/// Ten-thousandths, the smallest part of a unit that is written.
const FRACTION: u128 = crate::panel::FRACTION as u128;

/// Bytes as VMmanager counts them; nothing where it does not tell.
type Counters = PerDirection<Option<u64>>;

/// The month's traffic of a service, in bytes, and what the tariff includes.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// `item.id`.
    pub item: ServiceId,
    pub tariff: TariffId,
    /// So far; nothing when it is not known.
    pub bytes: Counters,
    /// Included amounts: for which directions, and how much in all of them together.
    pub included: Vec<(Vec<Direction>, u128)>,
}

/// A service with the VM that it was proved to have.
struct Subject {
    metered: Metered,
    vm: VmId,
    addons: BTreeMap<String, Amount>,
}

/// What has to be known about the past.
struct Ledger {
    day: Date,
    month: String,
    units: Units,
    recorded: BTreeMap<(ServiceId, String), Recorded>,
    meters: HashMap<ServiceId, Meter>,
}

/// Records today's traffic of every service and reports the day as complete.
pub(crate) fn record(job: &HandlerJob) -> Result<Vec<Usage>> {
    let day = today();
    let subjects = subjects(job)?;
    let month = day.strftime("%Y-%m").to_string();
    let ledger = Ledger {
        day,
        units: job.panel.units()?,
        recorded: job.panel.recorded(job.handler.id, day.first_of_month(), day)?,
        meters: job.journal.meters(&month)?.into_iter().map(|meter| (meter.item, meter)).collect(),
        month,
    };
    let usages = read_and_write(job, &subjects, &ledger)?;
    job.panel.post_statistics(job.handler.id, day)?;
    log::info!("handler {}: traffic of {} of {} services recorded", job.handler.id, usages.len(), subjects.len());
    Ok(usages)
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
            Some(_) => {
                let addons = addons.remove(&item).unwrap_or_default();
                found.push(Subject { metered, vm, addons });
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
        job.journal.save_meters(meters)?;
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

impl Ledger {
    /// Turns counters into rows for today and the days that were missed.
    fn book(&self, subject: &Subject, counters: Counters, rows: &mut Vec<Reading>) -> (Usage, Option<Meter>) {
        let item = subject.metered.item;
        let fresh = || Meter { item, month: self.month.clone(), ..Meter::default() };
        let known = self.meters.get(&item);
        let mut meter = known.cloned().unwrap_or_else(fresh);
        let mut bytes = Counters::default();
        for direction in Direction::BOTH {
            let Some(counter) = counters[direction] else { continue };
            if meter.vm.is_known() && (meter.vm != subject.vm || counter < meter.last[direction]) {
                log::info!("service {item}: the counter \"{}\" began again at VM {}", direction.name(), subject.vm);
                meter.base[direction] += meter.last[direction];
            }
            meter.last[direction] = counter;
            let total = meter.base[direction].saturating_add(counter);
            bytes[direction] = Some(total);
            if let Err(error) = self.rows(subject, direction, total, rows) {
                log::warn!("service {item}: {error}");
            }
        }
        // A counter that was not read began again with the others.
        for direction in Direction::BOTH {
            if counters[direction].is_none() && meter.vm.is_known() && meter.vm != subject.vm {
                meter.base[direction] += meter.last[direction];
                meter.last[direction] = 0;
            }
        }
        meter.vm = subject.vm;
        let included = included(&subject.addons, &self.units);
        let usage = Usage { item, tariff: subject.metered.tariff, bytes, included };
        (usage, (counters != Counters::default()).then_some(meter))
    }

    fn rows(&self, subject: &Subject, direction: Direction, total: u64, rows: &mut Vec<Reading>) -> Result<()> {
        let (item, param) = (subject.metered.item, direction.name());
        let (unit, size) = unit(&subject.addons, direction, &self.units)?;
        let nothing = Recorded::default();
        let recorded = self.recorded.get(&(item, param.to_owned())).unwrap_or(&nothing);
        let mut before: u128 = 0;
        for (measure, amount) in &recorded.amounts {
            before += u128::from(*amount) * self.bytes_of(*measure, item)? / size;
        }
        let now = u128::from(total) * FRACTION / size;
        let Some(open) = now.checked_sub(before) else {
            let text = format!(
                "more \"{param}\" traffic is recorded for this month than VMmanager counts; nothing is written"
            );
            return Err(Error::new(Kind::Db, "itemstat", text));
        };
        let days = self.days(subject, recorded.last);
        let part = open / days.len() as u128;
        for day in &days {
            let is_today = *day == self.day;
            let amount = if is_today { open - part * (days.len() as u128 - 1) } else { part };
            rows.push(Reading { item, day: *day, param, amount: u64::try_from(amount).unwrap_or(u64::MAX), unit });
        }
        Ok(())
    }

    fn bytes_of(&self, measure: u64, item: ServiceId) -> Result<u128> {
        self.units.name(measure).and_then(|name| self.units.bytes(name)).ok_or_else(|| {
            let text =
                format!("traffic of service {item} is recorded in a unit ({measure}) that is no number of bytes");
            Error::new(Kind::Db, "itemstat", text)
        })
    }

    /// Today, and the days of this month since the last one that was recorded or since the service began.
    fn days(&self, subject: &Subject, last: Option<Date>) -> Vec<Date> {
        let begin = match last {
            Some(last) => last.tomorrow().unwrap_or(self.day),
            None => subject.metered.since.unwrap_or(self.day).max(self.day.first_of_month()),
        };
        let begin = begin.min(self.day);
        begin.series(jiff::Span::new().days(1)).take_while(|day| *day <= self.day).collect()
    }
}

/// The directions that an add-on counts; its key may hold several names [protocol 5.5].
fn directions(key: &str) -> Vec<Direction> {
    let has = |word: &str| key.split_whitespace().any(|name| name == word);
    let all = has("traffic") || has("bandwidth");
    Direction::BOTH.into_iter().filter(|direction| all || has(direction.name())).collect()
}

/// The unit in which a direction is recorded, and its size in bytes: the add-on's, else the first one that is known.
fn unit(addons: &BTreeMap<String, Amount>, direction: Direction, units: &Units) -> Result<(u64, u128)> {
    let sold = addons.iter().find(|(key, amount)| !amount.unit.is_empty() && directions(key).contains(&direction));
    let names = match sold {
        Some((_, amount)) => vec![amount.unit.as_str()],
        None => vec!["gib", "mib", "kib", "byte"],
    };
    let known = names.iter().find_map(|name| Some((units.id(name)?, units.bytes(name).filter(|size| *size > 0)?)));
    known.ok_or_else(|| {
        let text =
            format!("the unit of traffic \"{}\" is no number of bytes in BILLmanager's table of units", names[0]);
        Error::new(Kind::BadParam, direction.name(), text)
    })
}

/// What a tariff includes. Nothing included is taken as no limit.
fn included(addons: &BTreeMap<String, Amount>, units: &Units) -> Vec<(Vec<Direction>, u128)> {
    let limit = |(key, amount): (&String, &Amount)| {
        let directions = directions(key);
        let bytes = amount.value.trim().parse::<u128>().ok()? * units.bytes(&amount.unit)?;
        Some((directions, bytes)).filter(|(directions, bytes)| !directions.is_empty() && *bytes > 0)
    };
    addons.iter().filter_map(limit).collect()
}
