//! What the statistics must remember from one day to the next: where a VM's counter began, and which speeds are capped.
//!
//! VMmanager counts a VM's traffic of a calendar month. A VM that takes the place of another within a month begins at
//! zero: the base keeps what the earlier one had counted. A cap is written before it is asked for, with the speeds that
//! were there, so that it can be taken back whatever happens in between.

use rusqlite::Row;

use super::Journal;
use crate::direction::PerDirection;
use crate::error::Result;
use crate::id::{ServiceId, VmId};

/// Counters of one service in one month, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// `item.id`.
    pub item: ServiceId,
    /// `2025-06`.
    pub month: String,
    /// The VM that was read.
    pub vm: VmId,
    /// Counted before this VM's counter began.
    pub base: PerDirection<u64>,
    /// The counter as last read.
    pub last: PerDirection<u64>,
}

impl Meter {
    /// The month's traffic as last read.
    pub fn total(&self) -> PerDirection<u64> {
        PerDirection::of(|direction| self.base[direction].saturating_add(self.last[direction]))
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

const SELECT_METER: &str = "SELECT item, month, vm, base_in, base_out, last_in, last_out FROM meter";

fn meter(row: &Row) -> rusqlite::Result<Meter> {
    Ok(Meter {
        item: row.get(0)?,
        month: row.get(1)?,
        vm: row.get(2)?,
        base: PerDirection { incoming: row.get(3)?, outgoing: row.get(4)? },
        last: PerDirection { incoming: row.get(5)?, outgoing: row.get(6)? },
    })
}

impl Journal {
    /// The meters of a month, whichever handler the services have.
    pub fn meters(&self, month: &str) -> Result<Vec<Meter>> {
        self.rows(&format!("{SELECT_METER} WHERE month = ?1"), &[&month], meter)
    }

    /// The meter of a service, as last read.
    pub fn meter(&self, item: ServiceId) -> Result<Option<Meter>> {
        self.first(&format!("{SELECT_METER} WHERE item = ?1"), &[&item], meter)
    }

    /// Stores meters, all or none.
    pub fn save_meters(&self, meters: &[Meter]) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO meter (item, month, vm, base_in, base_out, last_in, last_out)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.database.borrow_mut().write(|tx| {
            let mut statement = tx.prepare_cached(sql)?;
            for meter in meters {
                let Meter { item, month, vm, base, last } = meter;
                let values =
                    rusqlite::params![item, month, vm, base.incoming, base.outgoing, last.incoming, last.outgoing];
                statement.execute(values)?;
            }
            Ok(())
        })
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
