//! What the statistics must remember from one run to the next: how far each counter is booked, and which speeds are capped.
//!
//! A counter is booked up to a reading, and the days before the day of that reading are complete. What it has grown since
//! belongs to the days from that one on. A cap is written before it is asked for, with the speeds that were there, so that it
//! can be taken back whatever happens in between.

use jiff::civil::Date;
use rusqlite::Row;

use super::Journal;
use crate::direction::PerDirection;
use crate::error::Result;
use crate::id::{PlatformId, ServiceId, VmId};

/// Both counters of one service's VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// `item.id`.
    pub item: ServiceId,
    /// Where the VM is; nothing in rows of the first release.
    pub platform: Option<PlatformId>,
    /// The VM that was read.
    pub vm: VmId,
    /// `2025-06`: the month of what is used.
    pub month: String,
    /// One for each direction.
    pub counters: PerDirection<Counter>,
}

/// One counter, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Booked for days of the month.
    pub used: u64,
    /// The reading up to which everything is booked.
    pub last: u64,
    /// The first day that is not booked; nothing when it was never read, or by the first release only.
    pub day: Option<Date>,
    /// The last reading of the month before.
    pub before: Option<u64>,
    /// The first reading of this month that has a full day of it.
    pub after: Option<u64>,
}

impl Meter {
    /// The month's traffic as far as it is booked.
    pub fn used(&self) -> PerDirection<u64> {
        self.counters.map(|counter| counter.used)
    }
}

/// Capped speeds of a VM, in Mbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cap {
    /// The VM.
    pub vm: VmId,
    /// The caps; nothing where the direction is not capped.
    pub speed: PerDirection<Option<u64>>,
    /// Speeds before; 0 for no limit.
    pub before: PerDirection<u64>,
    /// VMmanager has accepted it.
    pub settled: bool,
}

const METER: &str = "item, platform, vm, month, used_in, last_in, day_in, before_in, after_in, \
                     used_out, last_out, day_out, before_out, after_out";

fn meter(row: &Row) -> rusqlite::Result<Meter> {
    let counter = |first: usize| {
        let day: Option<String> = row.get(first + 2)?;
        Ok::<_, rusqlite::Error>(Counter {
            used: row.get(first)?,
            last: row.get(first + 1)?,
            day: day.and_then(|day| day.parse().ok()),
            before: row.get(first + 3)?,
            after: row.get(first + 4)?,
        })
    };
    Ok(Meter {
        item: row.get(0)?,
        platform: row.get(1)?,
        vm: row.get(2)?,
        month: row.get(3)?,
        counters: PerDirection { incoming: counter(4)?, outgoing: counter(9)? },
    })
}

impl Journal {
    /// Every meter, whichever handler the services have.
    pub fn meters(&self) -> Result<Vec<Meter>> {
        self.rows(&format!("SELECT {METER} FROM meter"), &[], meter)
    }

    /// The meter of a service, as last read.
    pub fn meter(&self, item: ServiceId) -> Result<Option<Meter>> {
        self.first(&format!("SELECT {METER} FROM meter WHERE item = ?1"), &[&item], meter)
    }

    /// Stores meters, all or none.
    pub fn save_meters(&self, meters: &[Meter]) -> Result<()> {
        let sql = format!(
            "INSERT OR REPLACE INTO meter ({METER}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        );
        self.database.borrow_mut().write(|tx| {
            let mut statement = tx.prepare_cached(&sql)?;
            for meter in meters {
                let PerDirection { incoming: into, outgoing: out } = meter.counters;
                let [in_day, out_day] = [into.day, out.day].map(|day| day.map(|day| day.to_string()));
                statement.execute(rusqlite::params![
                    meter.item,
                    meter.platform,
                    meter.vm,
                    meter.month,
                    into.used,
                    into.last,
                    in_day,
                    into.before,
                    into.after,
                    out.used,
                    out.last,
                    out_day,
                    out.before,
                    out.after
                ])?;
            }
            Ok(())
        })
    }

    /// Counters of a platform's VMs before and after the last turn of a month, as far as both were read.
    pub fn month_turns(&self, platform: PlatformId) -> Result<Vec<(u64, u64)>> {
        let sql =
            "SELECT before_in, after_in FROM meter WHERE platform = ?1 AND before_in NOT NULL AND after_in NOT NULL
                   UNION ALL
                   SELECT before_out, after_out FROM meter
                   WHERE platform = ?1 AND before_out NOT NULL AND after_out NOT NULL";
        self.rows(sql, &[&platform], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The capped speeds of a service.
    pub fn cap(&self, item: ServiceId) -> Result<Option<Cap>> {
        Ok(self.caps()?.into_iter().find(|(capped, _)| *capped == item).map(|(_, cap)| cap))
    }

    /// Every service with capped speeds.
    pub fn caps(&self) -> Result<Vec<(ServiceId, Cap)>> {
        let sql = "SELECT item, vm, cap_in, cap_out, before_in, before_out, settled FROM speed_cap";
        self.rows(sql, &[], |row| {
            let cap = Cap {
                vm: row.get(1)?,
                speed: PerDirection { incoming: row.get(2)?, outgoing: row.get(3)? },
                before: PerDirection { incoming: row.get(4)?, outgoing: row.get(5)? },
                settled: row.get(6)?,
            };
            Ok((row.get(0)?, cap))
        })
    }

    /// Speeds are about to be capped, or the cap is accepted.
    pub fn save_cap(&self, item: ServiceId, cap: &Cap) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO speed_cap (item, vm, cap_in, cap_out, before_in, before_out, settled)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let Cap { vm, speed, before, settled } = cap;
        let values =
            rusqlite::params![item, vm, speed.incoming, speed.outgoing, before.incoming, before.outgoing, settled];
        self.update(sql, values)
    }

    /// No speed of the service is capped any more.
    pub fn drop_cap(&self, item: ServiceId) -> Result<()> {
        self.update("DELETE FROM speed_cap WHERE item = ?1", rusqlite::params![item])
    }
}
