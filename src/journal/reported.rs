//! Of which add-ons of which tariffs staff was told that they are not delivered.

use super::Journal;
use crate::error::Result;
use crate::id::TariffId;

impl Journal {
    /// Whether staff was told.
    pub fn was_reported(&self, tariff: TariffId, addon: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM reported_addon WHERE tariff = ?1 AND addon = ?2";
        Ok(self.first(sql, &[&tariff, &addon], |_| Ok(()))?.is_some())
    }

    /// Staff was told.
    pub fn note_reported(&self, tariff: TariffId, addon: &str) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO reported_addon (tariff, addon, reported) VALUES (?1, ?2, ?3)";
        self.update(sql, rusqlite::params![tariff, addon, super::now()])
    }
}
