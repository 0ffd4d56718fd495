//! The backup schedules into which we have put the VMs of services. What somebody else has put into one is not here.

use std::collections::HashMap;

use rusqlite::Row;

use super::Journal;
use crate::error::Result;
use crate::id::{PlatformId, ServiceId, VmId};

/// An entry of a VM in the list of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleEntry {
    /// Schedule.
    pub schedule: u64,
    /// What it was called in the order.
    pub name: String,
    /// VM.
    pub vm: VmId,
}

impl Journal {
    /// The entries of a service's VMs.
    pub fn schedule_entries(&self, item: ServiceId, platform: PlatformId) -> Result<Vec<ScheduleEntry>> {
        let sql = "SELECT schedule, name, vm FROM schedule_entry WHERE item = ?1 AND platform = ?2 ORDER BY schedule";
        self.rows(sql, &[&item, &platform], read)
    }

    /// Those of every service.
    pub fn all_schedule_entries(&self, platform: PlatformId) -> Result<HashMap<ServiceId, Vec<ScheduleEntry>>> {
        let sql = "SELECT schedule, name, vm, item FROM schedule_entry WHERE platform = ?1 ORDER BY schedule";
        let mut found: HashMap<ServiceId, Vec<ScheduleEntry>> = HashMap::new();
        for (item, entry) in self.rows(sql, &[&platform], |row| Ok((row.get("item")?, read(row)?)))? {
            found.entry(item).or_default().push(entry);
        }
        Ok(found)
    }

    /// A VM is about to be put into a schedule.
    pub fn enter_schedule(&self, item: ServiceId, platform: PlatformId, entry: &ScheduleEntry) -> Result<()> {
        let ScheduleEntry { schedule, name, vm } = entry;
        let sql =
            "INSERT OR REPLACE INTO schedule_entry (item, platform, schedule, name, vm) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.update(sql, rusqlite::params![item, platform, schedule, name, vm])
    }

    /// A VM is in that schedule no more.
    pub fn left_schedule(&self, item: ServiceId, platform: PlatformId, entry: &ScheduleEntry) -> Result<()> {
        let sql = "DELETE FROM schedule_entry WHERE item = ?1 AND platform = ?2 AND schedule = ?3 AND vm = ?4";
        self.update(sql, rusqlite::params![item, platform, entry.schedule, entry.vm])
    }
}

fn read(row: &Row) -> rusqlite::Result<ScheduleEntry> {
    Ok(ScheduleEntry { schedule: row.get("schedule")?, name: row.get("name")?, vm: row.get("vm")? })
}
