//! What BILLmanager is called back with when an operation has ended.

use super::connection::Panel;
use super::database::Param;
use super::status::ServiceStatus;
use super::value::Value;
use crate::error::{Error, Result};
use crate::id::{ServiceId, TariffId};
use crate::{fault, log};

impl Panel {
    /// Reports success of an operation (`service.postsuspend` …): sets the status and ends the running operation.
    pub fn post(&self, function: &str, item: ServiceId) -> Result<()> {
        fault::point("callback.before");
        let called = self.call(function, &[("elid", Value::Plain(&item.to_string())), ("sok", Value::Plain("ok"))]);
        called.map(drop).or_else(|error| self.unless_reached(function, item, error))?;
        fault::point("callback.after");
        log::info!("service {item}: {function} done");
        Ok(())
    }

    /// Success if the service is where a failed callback leads to and the operation is over: the answer was lost, or
    /// the operation was done before. The error otherwise.
    pub fn unless_reached(&self, function: &str, item: ServiceId, error: Error) -> Result<()> {
        let (command, reached) = match function {
            "vds.open" | "service.postopen" => ("open", ServiceStatus::Active),
            "service.postreopen" => ("reopen", ServiceStatus::Active),
            "service.postsuspend" => ("suspend", ServiceStatus::Suspended),
            "service.postresume" => ("resume", ServiceStatus::Active),
            "service.postclose" => ("close", ServiceStatus::Deleted),
            _ => return Err(error),
        };
        if error.is_unreachable_panel() || !self.has_reached(item, command, reached).unwrap_or(false) {
            return Err(error);
        }
        log::warn!("service {item}: {error}; but BILLmanager has the result of {command} already");
        Ok(())
    }

    /// Takes a tariff change in progress back; `false` when there is none.
    pub fn roll_tariff_back(&self, item: ServiceId, user: Option<u64>) -> Result<bool> {
        let rows = self.rows("SELECT lastpricelist FROM item WHERE id = ?", &[Param::Id(item.get())])?;
        if rows.first().and_then(|row| row.id::<TariffId>(0)).is_none() {
            return Ok(false);
        }
        let (item, user) = (item.to_string(), user.map(|id| id.to_string()));
        let mut params = vec![("elid", Value::Plain(&item)), ("sok", Value::Plain("ok"))];
        params.extend(user.as_deref().map(|id| ("userid", Value::Plain(id))));
        self.call("service.changepricelist.rollback", &params).map(|_| true)
    }
}
