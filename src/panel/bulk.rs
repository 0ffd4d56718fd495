//! All services of a handler at once: what is compared with a whole cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Panel;
use super::database::Param;
use super::database::among;
use super::named_vm::named_vm;
use super::status::ServiceStatus;
use crate::error::Result;
use crate::id::{HandlerId, ServiceId, VmId};

impl Panel {
    /// The active and suspended services of a handler with the VM that each names.
    pub fn open_services(&self, handler: HandlerId) -> Result<BTreeMap<ServiceId, Option<VmId>>> {
        let sql = "SELECT i.id, p.value FROM item i LEFT JOIN itemparam p ON p.item = i.id AND p.intname = 'panelid' \
                   WHERE i.processingmodule = ? AND (i.parent IS NULL OR i.parent = 0) AND i.status IN (2, 3) \
                   AND i.pricelist IS NOT NULL";
        let rows = self.rows(sql, &[Param::Id(handler.get())])?;
        Ok(rows.iter().filter_map(|row| Some((row.id(0)?, named_vm(row.text(1)).ok().flatten()))).collect())
    }

    /// `item.status` of services; those that the database does not know are left out.
    pub fn statuses(&self, items: &[ServiceId]) -> Result<BTreeMap<ServiceId, ServiceStatus>> {
        let rows = self.rows(&format!("SELECT id, status FROM item WHERE id {}", among(items)), &[])?;
        Ok(rows.iter().filter_map(|row| Some((row.id(0)?, row.number(1)?.into()))).collect())
    }

    /// Services with an operation in BILLmanager's list, on themselves or on one of their add-ons.
    pub fn under_operation(&self) -> Result<BTreeSet<ServiceId>> {
        let sql = "SELECT r.item, i.parent FROM runningoperation r LEFT JOIN item i ON r.item = i.id";
        Ok(self.rows(sql, &[])?.iter().flat_map(|row| [row.id(0), row.id(1)]).flatten().collect())
    }
}
