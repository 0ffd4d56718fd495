//! What BILLmanager is called back with when an operation has ended.

use super::connection::Panel;
use super::database::Param;
use super::status::ServiceStatus;
use super::value::Value;
use crate::error::Result;
use crate::id::{ServiceId, TariffId};
use crate::{fault, log};

impl Panel {
    /// Reports success of an operation (`service.postsuspend` …): sets the status and ends the running operation.
    pub fn post(&self, function: &str, item: ServiceId) -> Result<()> {
        fault::point("callback.before");
        self.call_back(function, item, &[])?;
        fault::point("callback.after");
        log::info!("service {item}: {function} done");
        Ok(())
    }

    /// The call that ends an operation, with facts about the service. An error is none if the service is where the
    /// call leads to and the operation is over: it was done before.
    pub fn call_back(&self, function: &str, item: ServiceId, facts: &[(&str, &str)]) -> Result<()> {
        let (id, goal) = (item.to_string(), Goal::of(function));
        let mut params = vec![("elid", Value::Plain(&id)), ("sok", Value::Plain("ok"))];
        params.extend(facts.iter().map(|(name, value)| (*name, Value::Private(value))));
        let called = self.call_once(function, &params, &|| self.has_reached(item, &goal)).map(drop);
        let Err(error) = called else { return Ok(()) };
        if goal.status.is_none() || error.is_unreachable_panel() || !self.has_reached(item, &goal).unwrap_or(false) {
            return Err(error);
        }
        log::warn!("service {item}: {error}; but BILLmanager has the result of {} already", goal.command);
        Ok(())
    }

    fn has_reached(&self, item: ServiceId, goal: &Goal) -> Result<bool> {
        let (status, running) = self.standing(item)?;
        let is_over = running.iter().all(|(_, command)| command != goal.command);
        if !is_over || goal.status.is_some_and(|wanted| wanted != status) {
            return Ok(false);
        }
        // Somebody who runs it by hand has no operation that could be over.
        Ok(goal.command != SETPARAM || !self.changes_tariff(item)?)
    }

    /// Takes a tariff change in progress back; `false` when there is none.
    pub fn roll_tariff_back(&self, item: ServiceId, user: Option<u64>) -> Result<bool> {
        if !self.changes_tariff(item)? {
            return Ok(false);
        }
        let (id, user) = (item.to_string(), user.map(|id| id.to_string()));
        let mut params = vec![("elid", Value::Plain(&id)), ("sok", Value::Plain("ok"))];
        params.extend(user.as_deref().map(|id| ("userid", Value::Plain(id))));
        let is_back = || Ok(!self.changes_tariff(item)?);
        self.call_once("service.changepricelist.rollback", &params, &is_back).map(|_| true)
    }

    fn changes_tariff(&self, item: ServiceId) -> Result<bool> {
        let rows = self.rows("SELECT lastpricelist FROM item WHERE id = ?", &[Param::Id(item.get())])?;
        Ok(rows.first().and_then(|row| row.id::<TariffId>(0)).is_some())
    }
}

/// The command that ends a change of tariff.
const SETPARAM: &str = "setparam";

/// What a callback leads to.
struct Goal<'a> {
    /// The operation that is over then.
    command: &'a str,
    /// The status of the service, where the operation changes it.
    status: Option<ServiceStatus>,
}

impl<'a> Goal<'a> {
    fn of(function: &'a str) -> Self {
        let (command, status) = match function {
            "vds.open" | "service.postopen" => ("open", Some(ServiceStatus::Active)),
            "service.postreopen" => ("reopen", Some(ServiceStatus::Active)),
            "service.postsuspend" => ("suspend", Some(ServiceStatus::Suspended)),
            "service.postresume" => ("resume", Some(ServiceStatus::Active)),
            "service.postclose" => ("close", Some(ServiceStatus::Deleted)),
            other => (other.strip_prefix("service.post").unwrap_or(other), None),
        };
        Goal { command, status }
    }
}
