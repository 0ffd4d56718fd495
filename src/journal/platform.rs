//! Platforms: each `VMmanager` that this installation has met, and the addresses at which it was seen.
//!
//! Ids of accounts, VMs and tasks mean nothing outside their platform, so every row about one belongs to a platform. A
//! platform is recognised by what it shows: VMs that were recorded there, with their creation dates, else its clusters.

use rusqlite::{OptionalExtension, ToSql};

use super::Journal;
use crate::error::Result;
use crate::id::{AccountId, ClientId, ClusterId, PlatformId, ServiceId, VmId};

/// One VMmanager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Our number of it.
    pub id: PlatformId,
    /// Where it was seen, the newest first.
    pub addresses: Vec<String>,
    /// Its clusters when it was first met, or when staff confirmed it.
    pub clusters: Vec<(ClusterId, String)>,
    /// How many services live on it.
    pub services: u64,
}

/// A VM as it was recorded: an id that VMmanager gave again has another creation date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedVm {
    /// The service.
    pub item: ServiceId,
    /// The VM.
    pub vm: VmId,
    /// VMmanager's own time of its creation.
    pub created: String,
    /// Its owner, where that was recorded.
    pub account: Option<AccountId>,
}

/// Two platforms may each make a VM of one id in one second. Such a VM does not tell which one it is, nor does one whose
/// date is not known yet.
const TELLING: &str = "NOT EXISTS (SELECT 1 FROM service AS other WHERE other.vm = service.vm AND other.item <> service.item \
                       AND other.ended IS NULL AND other.vm_created IN ('', service.vm_created) \
                       AND (service.platform IS NULL OR other.platform IS NOT service.platform))";

impl Journal {
    /// The platform that was last seen at an address.
    pub fn platform_at(&self, address: &str) -> Result<Option<PlatformId>> {
        self.first("SELECT platform FROM platform_address WHERE address = ?1", &[&address], |row| row.get(0))
    }

    /// Every platform, in the order in which they were met.
    pub fn platforms(&self) -> Result<Vec<Platform>> {
        let sql =
            "SELECT id, (SELECT count(*) FROM service WHERE platform = id AND ended IS NULL) FROM platform ORDER BY id";
        let found: Vec<(PlatformId, u64)> = self.rows(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.into_iter().map(|(id, services)| self.platform(id, services)).collect()
    }

    fn platform(&self, id: PlatformId, services: u64) -> Result<Platform> {
        let sql = "SELECT address FROM platform_address WHERE platform = ?1 ORDER BY seen DESC, address";
        let addresses = self.rows(sql, &[&id], |row| row.get(0))?;
        Ok(Platform { id, addresses, clusters: self.clusters_of(id)?, services })
    }

    /// The clusters that a platform had.
    pub fn clusters_of(&self, id: PlatformId) -> Result<Vec<(ClusterId, String)>> {
        let sql = "SELECT cluster, name FROM platform_cluster WHERE platform = ?1 ORDER BY cluster";
        self.rows(sql, &[&id], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// A platform that was never met before, at an address that was `before`'s until now. Another process may have met it a
    /// moment ago: then it is that one.
    pub fn meet(
        &self,
        address: &str,
        before: Option<PlatformId>,
        clusters: &[(ClusterId, String)],
    ) -> Result<PlatformId> {
        self.database.borrow_mut().write(|tx| {
            let sql = "SELECT platform FROM platform_address WHERE address = ?1";
            let met: Option<PlatformId> = tx.query_row(sql, [address], |row| row.get(0)).optional()?;
            if let Some(met) = met.filter(|met| Some(*met) != before) {
                return Ok(met);
            }
            tx.execute("INSERT INTO platform (met) VALUES (?1)", [super::now()])?;
            let id = PlatformId::from(u64::try_from(tx.last_insert_rowid()).unwrap_or_default());
            note(tx, id, address, clusters)?;
            Ok(id)
        })
    }

    /// The platform is at this address now; an empty list leaves its clusters as they are.
    pub fn note_platform(&self, id: PlatformId, address: &str, clusters: &[(ClusterId, String)]) -> Result<()> {
        self.database.borrow_mut().write(|tx| note(tx, id, address, clusters))
    }

    /// VMs recorded on a platform.
    pub fn recorded_vms(&self, platform: PlatformId) -> Result<Vec<RecordedVm>> {
        self.vms("platform = ?1 ORDER BY item", &[&platform])
    }

    /// VMs that only this platform has, the newest first.
    pub fn telling_vms(&self, platform: PlatformId, most: usize) -> Result<Vec<RecordedVm>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.vms(&format!("platform = ?1 AND {TELLING} ORDER BY changed DESC, item LIMIT ?2"), &[&platform, &most])
    }

    /// The VM of a service, if only its platform has it.
    pub fn telling_vm(&self, item: ServiceId) -> Result<Option<RecordedVm>> {
        Ok(self.vms(&format!("item = ?1 AND {TELLING}"), &[&item])?.pop())
    }

    /// VMs of a client in rows that belong to no platform yet.
    pub fn unsettled_vms(&self, client: ClientId) -> Result<Vec<RecordedVm>> {
        self.vms(&format!("platform IS NULL AND client = ?1 AND {TELLING} ORDER BY item"), &[&client])
    }

    fn vms(&self, which: &str, params: &[&dyn ToSql]) -> Result<Vec<RecordedVm>> {
        let sql = format!(
            "SELECT item, vm, vm_created, account FROM service WHERE vm IS NOT NULL AND vm_created <> '' \
             AND ended IS NULL AND {which}"
        );
        self.rows(&sql, params, |row| {
            Ok(RecordedVm { item: row.get(0)?, vm: row.get(1)?, created: row.get(2)?, account: row.get(3)? })
        })
    }

    /// Other services whose VM on this platform is this one, as far as the journal knows.
    pub fn others_with_vm(&self, platform: PlatformId, vm: VmId, item: ServiceId) -> Result<Vec<ServiceId>> {
        let sql =
            "SELECT item FROM service WHERE platform = ?1 AND vm = ?2 AND item <> ?3 AND ended IS NULL ORDER BY item";
        self.rows(sql, &[&platform, &vm, &item], |row| row.get(0))
    }

    /// The rows of a service belong to a platform: its VM was found there. Its account is its client's from then on.
    pub fn settle_platform(&self, item: ServiceId, platform: PlatformId) -> Result<()> {
        self.database.borrow_mut().write(|tx| {
            for table in ["service", "meter", "speed_cap"] {
                tx.execute(
                    &format!("UPDATE {table} SET platform = ?2 WHERE item = ?1"),
                    rusqlite::params![item, platform],
                )?;
            }
            let sql = "INSERT OR IGNORE INTO account (platform, account, client, changed)
                       SELECT platform, account, client, ?2 FROM service
                       WHERE item = ?1 AND account IS NOT NULL AND client <> 0";
            tx.execute(sql, rusqlite::params![item, super::now()])?;
            Ok(())
        })
    }

    /// Moves every service of a platform to another: staff say that both are one.
    pub fn merge_platform(&self, from: PlatformId, into: PlatformId) -> Result<()> {
        self.database.borrow_mut().write(|tx| {
            for table in ["service", "meter", "speed_cap", "platform_address"] {
                tx.execute(&format!("UPDATE {table} SET platform = ?2 WHERE platform = ?1"), [from, into])?;
            }
            for table in ["account", "platform_proof", "schedule_entry"] {
                tx.execute(&format!("UPDATE OR IGNORE {table} SET platform = ?2 WHERE platform = ?1"), [from, into])?;
                tx.execute(&format!("DELETE FROM {table} WHERE platform = ?1"), [from])?;
            }
            tx.execute("DELETE FROM platform_cluster WHERE platform = ?1", [from])?;
            tx.execute("DELETE FROM platform WHERE id = ?1", [from])?;
            Ok(())
        })
    }
}

fn note(
    tx: &rusqlite::Transaction,
    id: PlatformId,
    address: &str,
    clusters: &[(ClusterId, String)],
) -> std::result::Result<(), crate::state::Failure> {
    let sql = "INSERT INTO platform_address (address, platform, seen) VALUES (?1, ?2, ?3)
               ON CONFLICT (address) DO UPDATE SET platform = ?2, seen = ?3";
    tx.execute(sql, rusqlite::params![address, id, super::now()])?;
    if !clusters.is_empty() {
        tx.execute("DELETE FROM platform_cluster WHERE platform = ?1", [id])?;
    }
    for (cluster, name) in clusters {
        let sql = "INSERT INTO platform_cluster (platform, cluster, name) VALUES (?1, ?2, ?3)";
        tx.execute(sql, rusqlite::params![id, cluster, name])?;
    }
    Ok(())
}
