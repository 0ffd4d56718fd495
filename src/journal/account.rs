//! Whose account is it: which client of BILLmanager an account of VMmanager belongs to, by what we made or staff confirmed.

use super::Journal;
use crate::error::Result;
use crate::id::{AccountId, ClientId, PlatformId, ServiceId};

/// The client of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The platform.
    pub platform: PlatformId,
    /// The account of VMmanager.
    pub account: AccountId,
    /// The client of BILLmanager.
    pub client: ClientId,
    /// The one service for which it was made, when it was sold on by a reseller.
    pub item: Option<ServiceId>,
}

const TIE: &str = "platform, account, client, item";

fn read(row: &rusqlite::Row) -> rusqlite::Result<Tie> {
    Ok(Tie { platform: row.get(0)?, account: row.get(1)?, client: row.get(2)?, item: row.get(3)? })
}

impl Journal {
    /// Every tie, by platform and account.
    pub fn ties(&self) -> Result<Vec<Tie>> {
        self.rows(&format!("SELECT {TIE} FROM account ORDER BY platform, account"), &[], read)
    }

    /// To whom an account is tied.
    pub fn tie_of(&self, platform: PlatformId, account: AccountId) -> Result<Option<Tie>> {
        let sql = format!("SELECT {TIE} FROM account WHERE platform = ?1 AND account = ?2");
        self.first(&sql, &[&platform, &account], read)
    }

    /// The client's account on a platform, the newest first; with `item` the one that was made for that service alone.
    pub fn account_of(
        &self,
        platform: PlatformId,
        client: ClientId,
        item: Option<ServiceId>,
    ) -> Result<Option<AccountId>> {
        let sql = "SELECT account FROM account WHERE platform = ?1 AND client = ?2 AND item IS ?3 \
                   ORDER BY changed DESC, account DESC LIMIT 1";
        self.first(sql, &[&platform, &client, &item], |row| row.get(0))
    }

    /// Ties an account to a client, unless it is somebody else's: then nothing is written and theirs is returned.
    pub fn tie(&self, tie: &Tie) -> Result<Option<Tie>> {
        self.write_tie(tie, "DO NOTHING")?;
        Ok(self.tie_of(tie.platform, tie.account)?.filter(|found| found.client != tie.client))
    }

    /// Ties an account to a client, whosoever it was: staff say so.
    pub fn confirm_tie(&self, tie: &Tie) -> Result<()> {
        self.write_tie(tie, "DO UPDATE SET client = excluded.client, item = excluded.item, changed = excluded.changed")
    }

    fn write_tie(&self, tie: &Tie, conflict: &str) -> Result<()> {
        let Tie { platform, account, client, item } = tie;
        let sql = format!(
            "INSERT INTO account (platform, account, client, item, changed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (platform, account) {conflict}"
        );
        self.update(&sql, rusqlite::params![platform, account, client, item, super::now()])
    }
}
