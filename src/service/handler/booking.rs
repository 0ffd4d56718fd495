//! From counters to days: what a counter has grown since it was read last, and to which days that belongs.
//!
//! BILLmanager asks shortly after midnight: the day of a run has just begun, and what the counters have grown belongs to the
//! days from the last run on, in equal parts, and not to the day of this one. So the last day of a month is complete in the
//! first run of the next, and a second run of a day has nothing to book [protocol A4]. Rows are written whole: a run that was
//! killed books the same again.
//!
//! Nobody says what VMmanager's month is [api B6]. A counter may begin anew with each calendar month; or it shows the last
//! thirty days, and then it falls although it did not begin anew, and most of what it shows was billed before. So what a
//! counter shows after a fall is billed only where `pmvmmanager6 verify` has proved the calendar month. A counter that falls a
//! little has begun anew nowhere: nothing is billed until it is above its highest reading again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::included::{included, unit};
use crate::direction::{Direction, PerDirection};
use crate::error::{Error, Kind, Result};
use crate::id::{PlatformId, ServiceId, TariffId, VmId};
use crate::journal::{Counter, Meter};
use crate::log;
use crate::panel::{Amount, Metered, Reading, Recorded, Units};

/// Ten-thousandths, the smallest part of a unit that is written.
const FRACTION: u128 = crate::panel::FRACTION as u128;
/// Days between two readings that still show how a counter passes from one month to the next, and the last day of a month on
/// which the second may be taken.
const AT_THE_TURN: i32 = 4;

/// Bytes as VMmanager counts them; nothing where it does not tell.
pub(super) type Counters = PerDirection<Option<u64>>;

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
pub(super) struct Subject {
    pub metered: Metered,
    pub vm: VmId,
    /// Day on which the VM was made.
    pub created: Option<Date>,
    pub addons: BTreeMap<String, Amount>,
}

/// What has to be known about the past.
pub(super) struct Ledger {
    /// The day of this run: it is not complete.
    pub day: Date,
    pub platform: PlatformId,
    /// Counters are proved to begin anew with each calendar month.
    pub calendar: bool,
    /// The first day that a counter is taken to count when it is read for the first time.
    pub begin: Date,
    pub units: Units,
    /// What is recorded from `begin` on.
    pub recorded: BTreeMap<(ServiceId, String), Recorded>,
    pub meters: HashMap<ServiceId, Meter>,
}

/// Where the counting of a counter goes on.
struct Start {
    /// The reading up to which everything is booked, or lost.
    at: u64,
    /// The first day that what was counted since may belong to.
    from: Date,
    /// Whether it is known what was counted since.
    known: bool,
}

impl Ledger {
    /// Turns counters into rows for the days before today.
    pub(super) fn book(
        &self,
        subject: &Subject,
        readings: Counters,
        rows: &mut Vec<Reading>,
    ) -> (Usage, Option<Meter>) {
        let item = subject.metered.item;
        let month = self.day.strftime("%Y-%m").to_string();
        let known = self.meters.get(&item);
        let is_same = known.is_some_and(|meter| meter.vm == subject.vm && self.is_here(meter));
        let mut counters = known.map(|meter| meter.counters).unwrap_or_default();
        let mut bytes = Counters::default();
        for direction in Direction::BOTH {
            let counter = &mut counters[direction];
            if known.is_some_and(|meter| meter.month != month) {
                counter.used = 0;
            }
            let outcome =
                readings[direction].map(|reading| self.count(subject, direction, reading, *counter, is_same, rows));
            match outcome {
                Some(Ok(next)) => {
                    *counter = next;
                    let rest = readings[direction].unwrap_or_default().saturating_sub(next.last);
                    bytes[direction] = Some(next.used.saturating_add(rest));
                }
                // It is booked when it can be.
                Some(Err(error)) => log::warn!("service {item}: {error}"),
                None => {}
            }
            if bytes[direction].is_none() && !is_same {
                *counter = Counter { used: counter.used, ..Counter::default() };
            }
        }
        let meter = Meter { item, platform: Some(self.platform), vm: subject.vm, month, counters };
        let included = included(&subject.addons, &self.units);
        let usage = Usage { item, tariff: subject.metered.tariff, bytes, included };
        (usage, (readings != Counters::default()).then_some(meter))
    }

    /// A counter after a reading, and the rows of what it has grown.
    fn count(
        &self,
        subject: &Subject,
        direction: Direction,
        reading: u64,
        old: Counter,
        is_same: bool,
        rows: &mut Vec<Reading>,
    ) -> Result<Counter> {
        let is_first = old.day.is_none() && old.last == 0;
        let mut used = old.used;
        let start = if is_first {
            let recorded = self.recorded_bytes(subject, direction)?;
            if self.begin == self.day.first_of_month() {
                used = recorded;
            }
            self.first(subject, direction, reading, recorded)
        } else {
            self.again(subject, direction, reading, &old, is_same)
        };
        let grown = if start.known { reading.saturating_sub(start.at) } else { 0 };
        let days = days(start.from, self.day);
        let mut last = start.at;
        if start.known && !days.is_empty() {
            let (booked, of_month) = self.rows(subject, direction, grown, &days, rows)?;
            last = start.at.saturating_add(booked);
            used = used.saturating_add(of_month);
        }
        let (before, after) = if is_same { self.turn(&old, reading) } else { (None, None) };
        Ok(Counter { used, last, day: Some(start.from.max(self.day)), before, after })
    }

    /// A counter of which nothing is booked yet.
    fn first(&self, subject: &Subject, direction: Direction, reading: u64, recorded: u64) -> Start {
        let item = subject.metered.item;
        // A service that changed hands has another number; its VM goes on counting.
        let of_vm =
            self.meters.values().filter(|meter| meter.vm == subject.vm && self.is_here(meter) && meter.item != item);
        let counters = of_vm.map(|meter| meter.counters[direction]).filter(|counter| counter.last <= reading);
        if let Some((from, at)) = counters.filter_map(|counter| Some((counter.day?, counter.last))).max() {
            return Start { at, from, known: true };
        }
        let since = subject.metered.since;
        // A counter that also counted what was before the service, or another month, says nothing about this one.
        let counts_since = match subject.created {
            created if self.calendar => Some(created.map_or(self.begin, |created| created.max(self.begin))),
            created => created.filter(|created| *created >= self.begin),
        };
        let known =
            counts_since.is_some_and(|day| since.is_none_or(|since| day >= before(since))) && recorded <= reading;
        if !known {
            log::info!(
                "service {item}: the counter \"{}\" of VM {} may count traffic of other days; it is billed from here on",
                direction.name(),
                subject.vm
            );
            return Start { at: reading, from: self.day, known };
        }
        Start { at: recorded, from: self.unrecorded(subject, direction).max(since.unwrap_or(self.begin)), known }
    }

    /// A counter that was read before.
    fn again(&self, subject: &Subject, direction: Direction, reading: u64, old: &Counter, is_same: bool) -> Start {
        let (item, vm, name, last) = (subject.metered.item, subject.vm, direction.name(), old.last);
        let from = old.day.unwrap_or_else(|| self.unrecorded(subject, direction));
        if !is_same {
            let known = subject.created.is_some_and(|created| created >= before(from));
            log::info!(
                "service {item}: VM {vm} is another one than before; its counter \"{name}\" is at {reading} bytes"
            );
            return Start { at: if known { 0 } else { reading }, from, known };
        }
        if reading >= last {
            return Start { at: last, from, known: true };
        }
        let what = format!("the counter \"{name}\" of VM {vm} fell from {last} to {reading} bytes");
        if reading > last / 2 {
            log::warn!(
                "service {item}: {what}; that is no new beginning: nothing is billed until it is above that again"
            );
            return Start { at: last, from, known: false };
        }
        if !self.calendar {
            log::warn!(
                "service {item}: {what}; it is not proved that VMmanager counts calendar months (pmvmmanager6 verify), so \
                 nothing is billed for it; counting goes on from here"
            );
            return Start { at: reading, from, known: false };
        }
        log::info!("service {item}: {what}: it began anew");
        Start { at: 0, from: from.max(self.day.first_of_month()), known: true }
    }

    /// The last reading of the month before, and the first of this one that has a full day of it: `verify` compares them.
    fn turn(&self, old: &Counter, reading: u64) -> (Option<u64>, Option<u64>) {
        let Some(day) = old.day else { return (None, None) };
        let (before, after) = if day.first_of_month() == self.day.first_of_month() {
            (old.before, old.after)
        } else {
            let is_near = (self.day - day).get_days() <= AT_THE_TURN;
            (is_near.then_some(old.last), None)
        };
        let is_full = (2..=AT_THE_TURN).contains(&i32::from(self.day.day()));
        (before, after.or_else(|| before.filter(|_| is_full).map(|_| reading)))
    }

    /// Rows for days in equal parts; the bytes in them, and those of the month of this run.
    fn rows(
        &self,
        subject: &Subject,
        direction: Direction,
        grown: u64,
        days: &[Date],
        rows: &mut Vec<Reading>,
    ) -> Result<(u64, u64)> {
        let (item, param) = (subject.metered.item, direction.name());
        let (unit, size) = unit(&subject.addons, direction, &self.units)?;
        let whole = u128::from(grown) * FRACTION / size;
        let part = whole / days.len() as u128;
        let mut of_month: u128 = 0;
        for (n, day) in days.iter().enumerate() {
            let amount = if n == 0 { whole - part * (days.len() as u128 - 1) } else { part };
            if day.first_of_month() == self.day.first_of_month() {
                of_month += amount;
            }
            rows.push(Reading { item, day: *day, param, amount: u64::try_from(amount).unwrap_or(u64::MAX), unit });
        }
        // What is less than the smallest part stays for the next run.
        let bytes = |amount: u128| u64::try_from(amount * size / FRACTION).unwrap_or(u64::MAX);
        Ok((bytes(whole), bytes(of_month)))
    }

    /// Bytes that are recorded from `begin` on.
    fn recorded_bytes(&self, subject: &Subject, direction: Direction) -> Result<u64> {
        let item = subject.metered.item;
        let Some(recorded) = self.recorded.get(&(item, direction.name().to_owned())) else { return Ok(0) };
        let mut bytes: u128 = 0;
        for (measure, amount) in &recorded.amounts {
            let size = self.units.name(*measure).and_then(|name| self.units.bytes(name)).ok_or_else(|| {
                let text =
                    format!("traffic of service {item} is recorded in a unit ({measure}) that is no number of bytes");
                Error::new(Kind::Db, "itemstat", text)
            })?;
            bytes += u128::from(*amount) * size / FRACTION;
        }
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// The first day from `begin` on after those that are recorded.
    fn unrecorded(&self, subject: &Subject, direction: Direction) -> Date {
        let recorded = self.recorded.get(&(subject.metered.item, direction.name().to_owned()));
        recorded.and_then(|recorded| recorded.last?.tomorrow().ok()).unwrap_or(self.begin)
    }

    fn is_here(&self, meter: &Meter) -> bool {
        meter.platform.is_none_or(|platform| platform == self.platform)
    }
}

/// The days from one on and before another.
fn days(from: Date, end: Date) -> Vec<Date> {
    from.series(jiff::Span::new().days(1)).take_while(|day| *day < end).collect()
}

/// The day before.
pub(super) fn before(day: Date) -> Date {
    day.yesterday().unwrap_or(day)
}

/// The day of a time as VMmanager writes it.
pub(super) fn day_of(time: &str) -> Option<Date> {
    time.get(..10)?.parse().ok()
}
