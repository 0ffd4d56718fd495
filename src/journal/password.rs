//! Where VMmanager accepted the stored password of a handler, one row for each time that it was entered.

use super::Journal;
use crate::error::Result;

/// A place that accepted a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPlace {
    /// A keyed hash of everything that makes it the same place.
    pub hash: String,
    /// Its address, for people.
    pub address: String,
    /// The user name there, for people.
    pub username: String,
}

impl Journal {
    /// Where this entry of a password was accepted.
    pub fn password_place(&self, entry: &str) -> Result<Option<PasswordPlace>> {
        let sql = "SELECT place, address, username FROM password WHERE entry = ?1";
        self.first(sql, &[&entry], |row| {
            Ok(PasswordPlace { hash: row.get(0)?, address: row.get(1)?, username: row.get(2)? })
        })
    }

    /// The first place that accepts it counts.
    pub fn note_password_place(&self, entry: &str, at: &PasswordPlace) -> Result<()> {
        let sql =
            "INSERT OR IGNORE INTO password (entry, place, address, username, accepted) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.update(sql, &[&entry, &at.hash, &at.address, &at.username, &super::now()])
    }
}
