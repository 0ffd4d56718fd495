//! Reading the database back: what a test asserts on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Bill;
use super::store::{Row, Store, values};

/// A row of `item`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Id of the service.
    pub id: u64,
    /// Client, absent for an imported service that nobody owns yet.
    pub account: Option<u64>,
    /// Service that an add-on belongs to.
    pub parent: Option<u64>,
    /// Tariff.
    pub pricelist: Option<u64>,
    /// Previous tariff while a change is in progress.
    pub lastpricelist: Option<u64>,
    /// Handler.
    pub processingmodule: Option<u64>,
    /// Shown name.
    pub name: String,
    /// Months; -100 trial.
    pub period: i64,
    /// 1 ordered, 2 active, 3 suspended, 4 deleted, 5 processing [protocol 5.4].
    pub status: i64,
    /// Paid until.
    pub expiredate: Option<String>,
}

/// A row of `runningoperation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningRow {
    /// Its id.
    pub id: u64,
    /// The operation, e.g. `open`.
    pub command: String,
    /// Failed attempts.
    pub trycount: i64,
    /// Handed to the staff.
    pub manual: bool,
    /// The error document of the last attempt.
    pub errorxml: Option<String>,
}

/// A row of `task`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// Its id.
    pub id: u64,
    /// Type, as `task.gettype` answered it.
    pub kind: i64,
    /// Operation it stands for.
    pub runningoperation: Option<u64>,
    /// 0 open, 1 in work, 2 closed.
    pub status: i64,
    /// Free text for the staff.
    pub params: String,
}

/// A problem that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    /// Kind, e.g. `processingmodule_connect`.
    pub name: String,
    /// What it is about, e.g. a handler id.
    pub id: String,
    /// `error`, …
    pub level: String,
    /// The `param_*` values without the prefix.
    pub params: BTreeMap<String, String>,
}

impl Bill {
    /// A service.
    #[track_caller]
    pub fn item(&self, item: u64) -> ItemRow {
        self.ask(|store| ItemRow::read(store, item)?.with_context(|| format!("there is no service {item}")))
    }

    /// Its plain parameters.
    pub fn params(&self, item: u64) -> BTreeMap<String, String> {
        let rows = self.ask(|store| store.rows("SELECT intname, value FROM itemparam WHERE item = ?", values![item]));
        rows.into_iter().map(|mut row| (take(&mut row, 0), take(&mut row, 1))).collect()
    }

    /// One of its encrypted parameters, decrypted.
    pub fn secret(&self, item: u64, name: &str) -> Option<String> {
        let sql = "SELECT value FROM itemcryptedparam WHERE item = ? AND intname = ?";
        self.ask(|store| store.text(sql, values![item, name])).map(|crypted| self.decrypt(&crypted))
    }

    /// Its address slots: id, address (empty while free), status (1 free, 2 in use).
    pub fn slots(&self, item: u64) -> Vec<(u64, String, i64)> {
        let sql = "SELECT ip.id, ip.name, ip.status FROM ip JOIN item addon ON ip.item = addon.id
                   WHERE addon.parent = ? ORDER BY ip.id";
        let rows = self.ask(|store| store.rows(sql, values![item]));
        let slot = |mut row: Row| Ok((number(&row, 0)?, take(&mut row, 1), number(&row, 2)?));
        super::must(rows.into_iter().map(slot).collect())
    }

    /// The operations in progress on a service.
    pub fn running(&self, item: u64) -> Vec<RunningRow> {
        let sql = "SELECT id, intname, trycount, manual, errorxml FROM runningoperation WHERE item = ? ORDER BY id";
        let rows = self.ask(|store| store.rows(sql, values![item]));
        super::must(rows.into_iter().map(RunningRow::from_row).collect())
    }

    /// The tasks for the staff about a service.
    pub fn tasks(&self, item: u64) -> Vec<TaskRow> {
        let sql = "SELECT id, type, runningoperation, status, params FROM task WHERE item = ? ORDER BY id";
        let rows = self.ask(|store| store.rows(sql, values![item]));
        super::must(rows.into_iter().map(TaskRow::from_row).collect())
    }

    /// Every problem registered so far.
    pub fn problems(&self) -> Vec<ProblemRow> {
        let rows = self.ask(|store| store.rows("SELECT name, object, level, params FROM problem ORDER BY id", &[]));
        super::must(rows.into_iter().map(ProblemRow::from_row).collect())
    }
}

impl ItemRow {
    /// Reads a row; `None` when there is no such service.
    pub(super) fn read(store: &mut Store, item: u64) -> Result<Option<Self>> {
        let sql = "SELECT id, account, parent, pricelist, lastpricelist, processingmodule, name, period, status,
                   expiredate FROM item WHERE id = ?";
        let Some(mut row) = store.row(sql, values![item])? else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: number(&row, 0)?,
            account: optional(&row, 1)?,
            parent: optional(&row, 2)?,
            pricelist: optional(&row, 3)?,
            lastpricelist: optional(&row, 4)?,
            processingmodule: optional(&row, 5)?,
            name: take(&mut row, 6),
            period: optional(&row, 7)?.unwrap_or(0),
            status: number(&row, 8)?,
            expiredate: row[9].take(),
        }))
    }
}

impl RunningRow {
    fn from_row(mut row: Row) -> Result<Self> {
        Ok(Self {
            id: number(&row, 0)?,
            command: take(&mut row, 1),
            trycount: number(&row, 2)?,
            manual: row[3].as_deref() == Some("on"),
            errorxml: row[4].take(),
        })
    }
}

impl TaskRow {
    fn from_row(mut row: Row) -> Result<Self> {
        Ok(Self {
            id: number(&row, 0)?,
            kind: number(&row, 1)?,
            runningoperation: optional(&row, 2)?,
            status: number(&row, 3)?,
            params: take(&mut row, 4),
        })
    }
}

impl ProblemRow {
    fn from_row(mut row: Row) -> Result<Self> {
        Ok(Self {
            name: take(&mut row, 0),
            id: take(&mut row, 1),
            level: take(&mut row, 2),
            params: serde_json::from_str(&take(&mut row, 3))?,
        })
    }
}

fn take(row: &mut Row, column: usize) -> String {
    row[column].take().unwrap_or_default()
}

fn optional<T: std::str::FromStr>(row: &Row, column: usize) -> Result<Option<T>> {
    let parse = |text: &String| text.parse().ok().with_context(|| format!("`{text}` in column {column} is no number"));
    row[column].as_ref().map(parse).transpose()
}

fn number<T: std::str::FromStr>(row: &Row, column: usize) -> Result<T> {
    optional(row, column)?.with_context(|| format!("column {column} is NULL"))
}
