//! What a change of a service's tariff began with.

use super::{Journal, Subject, now};
use crate::error::Result;
use crate::id::ServiceId;

impl Journal {
    /// A change of tariff is about to change the VM; `before` is what the VM is like. Written at the first request of a
    /// change, whatever its tries are.
    pub fn changing(&self, subject: Subject, tariffs: &str, before: &str) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        let sql = "INSERT INTO service (item, client, phase, mark, hash, tariffs, before_change, changed, platform)
                   VALUES (?1, ?2, 'ready', ?3, '', ?4, ?5, ?6, ?7)
                   ON CONFLICT (item) DO UPDATE SET tariffs = ?4, before_change = ?5, changed = ?6
                   WHERE tariffs IS NOT ?4";
        self.put(item, sql, rusqlite::params![item, client, mark, tariffs, before, now(), platform])
    }

    /// What the VM was like when this change of tariff first changed it; nothing when it has not.
    pub fn before_change(&self, item: ServiceId, tariffs: &str) -> Result<Option<String>> {
        let sql = "SELECT before_change FROM service WHERE item = ?1 AND tariffs = ?2";
        self.first(sql, &[&item, &tariffs], |row| row.get(0))
    }

    /// The change of tariff is over.
    pub fn changed(&self, item: ServiceId) -> Result<()> {
        self.update("UPDATE service SET tariffs = NULL, before_change = NULL WHERE item = ?1", &[&item])
    }
}
