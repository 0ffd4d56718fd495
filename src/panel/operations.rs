//! What BILLmanager itself is about to do with a service: its running operations and how their last try failed
//! [protocol 3.30, 5.10].

use std::collections::BTreeMap;

use super::connection::Panel;
use super::database::{Param, Row};
use crate::error::Result;
use crate::id::{HandlerId, OperationId, ServiceId};
use crate::wire;

/// A row of `runningoperation`: an operation that BILLmanager repeats until it succeeds or staff takes it over.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id, `--runningoperation`.
    pub id: OperationId,
    /// `open`, `suspend`, …
    pub command: String,
    /// Tries so far that have failed.
    pub tries: usize,
    /// Staff has to go on with it.
    pub manual: bool,
    /// Type and text of the last error.
    pub error: Option<String>,
}

impl Panel {
    /// How many services are being opened at each handler, without one of them.
    pub fn openings(&self, but: Option<ServiceId>) -> Result<BTreeMap<HandlerId, usize>> {
        let sql = "SELECT i.processingmodule, COUNT(*) FROM runningoperation r JOIN item i ON r.item = i.id \
                   WHERE r.intname = 'open' AND COALESCE(r.manual, 'off') <> 'on' AND i.id <> ? \
                   GROUP BY i.processingmodule";
        let rows = self.rows(sql, &[Param::Id(but.unwrap_or_default().get())])?;
        let counted = |row: &Row| Some((row.id(0)?, usize::try_from(row.number(1)?).ok()?));
        Ok(rows.iter().filter_map(counted).collect())
    }

    /// The running operations of a service, oldest first.
    pub fn operations(&self, item: ServiceId) -> Result<Vec<Operation>> {
        let sql = "SELECT id, intname, trycount, manual, errorxml FROM runningoperation WHERE item = ? ORDER BY id";
        let rows = self.rows(sql, &[Param::Id(item.get())])?;
        let operation = |row: &Row| {
            Some(Operation {
                id: row.id(0)?,
                command: row.text(1).to_owned(),
                tries: row.number(2).and_then(|count| usize::try_from(count).ok()).unwrap_or_default(),
                manual: row.text(3) == "on",
                error: row.filled(4).map(last_error),
            })
        };
        Ok(rows.iter().filter_map(operation).collect())
    }
}

/// The last error of an `errorxml` document; other modules' and older versions' documents may be of any kind.
fn last_error(document: &str) -> String {
    let error = wire::parse(document.as_bytes()).ok().and_then(|doc| {
        let error = doc.all("error").last()?;
        let value =
            error.all("param").find(|param| param.get("name") == Some("value")).map(|param| param.text.as_str());
        Some(format!("{}: {}", error.get("type")?, value.or(error.get("value"))?))
    });
    error.unwrap_or_else(|| "its text cannot be read".to_owned())
}
