//! The witness of this boot: that the journal has no row of a service proves nothing by itself.
//!
//! A journal that was lost or restored from a backup has no row of a service whose VM was asked for since. So services are
//! noted in a second place too, which no backup brings back: the runtime directory, which a reboot empties.
//!
//! **Invariant.** For a service that is newer than the witness, and that the witness does not know, nobody has asked for a VM:
//! BILLmanager numbers its orders upwards [protocol 5.3], and a service is noted before its request. When the witness is lost
//! it begins again after the newest order there is: it then vouches for less, never for more. It cannot tell that the whole
//! machine was brought back with its memory; that is why VMmanager is still asked for the name.

use rusqlite::{OptionalExtension, Transaction};

use super::Journal;
use crate::error::Result;
use crate::id::ServiceId;
use crate::state::{Database, Failure, RUNTIME, boot};

impl Journal {
    /// Whether nobody can have asked for a VM of the service: neither the journal nor its witness knows it. Where there is no
    /// witness yet it begins, after the `newest` order.
    pub fn was_never_asked(&self, item: ServiceId, newest: impl FnOnce() -> Result<ServiceId>) -> Result<bool> {
        let Some(mut witness) = self.witness()? else { return Ok(false) };
        if self.find(item)?.is_some() {
            return Ok(false);
        }
        let vouches = witness.read(|tx| {
            let Some(since) = since(tx)? else { return Ok(None) };
            let mut noted = tx.prepare_cached("SELECT 1 FROM asked WHERE item = ?1")?;
            Ok(Some(item > since && !noted.exists([item])?))
        })?;
        if vouches.is_none() {
            let newest = newest()?;
            witness.write(|tx| begin(tx, newest))?;
        }
        Ok(vouches == Some(true))
    }

    /// A VM of the service is about to be asked for.
    pub(super) fn note_asked(&self, item: ServiceId) -> Result<()> {
        let Some(mut witness) = self.witness()? else { return Ok(()) };
        witness.write(|tx| Ok(tx.execute("INSERT OR IGNORE INTO asked (item) VALUES (?1)", [item]).map(drop)?))
    }

    fn witness(&self) -> Result<Option<Database>> {
        self.witness_directory.as_deref().map(|directory| Database::at(directory, &RUNTIME)).transpose()
    }
}

/// The order after which it watches; nothing where it does not, or belongs to another boot.
fn since(tx: &Transaction) -> std::result::Result<Option<ServiceId>, Failure> {
    let sql = "SELECT since FROM witness WHERE boot = ?1 AND boot <> ''";
    Ok(tx.prepare_cached(sql)?.query_row([boot::id()], |row| row.get(0)).optional()?)
}

/// Another process may have begun a moment ago: what it noted stays.
fn begin(tx: &Transaction, newest: ServiceId) -> std::result::Result<(), Failure> {
    if since(tx)?.is_none() {
        tx.execute_batch("DELETE FROM witness; DELETE FROM asked")?;
        tx.execute("INSERT INTO witness (boot, since) VALUES (?1, ?2)", rusqlite::params![boot::id(), newest])?;
    }
    Ok(())
}
