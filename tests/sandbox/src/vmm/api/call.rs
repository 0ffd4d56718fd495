//! One call of a handler: who asks, for what, and the checks that all handlers share.

use std::time::Instant;

use serde_json::{Map, Value};

use super::asked::Asked;
use super::routes::Access;
use crate::vmm::error::ApiError;
use crate::vmm::model::{Account, Host};
use crate::vmm::platform::Platform;
use crate::vmm::schema::{self, Field};

/// Who asks.
pub(super) struct Who {
    pub(super) account: u64,
    pub(super) admin: bool,
    pub(super) read_only: bool,
    pub(super) advanced: bool,
}

impl Who {
    pub(super) fn new(account: &Account) -> Self {
        let is = |role: &str| account.roles.iter().any(|r| r == role);
        let read_only = account.roles.iter().any(|role| role.contains("admin.readonly"));
        Self { account: account.id, admin: is("@admin"), read_only, advanced: is("@advanced_user") }
    }

    pub(super) fn sees_all(&self) -> bool {
        self.admin || self.read_only
    }

    pub(super) fn may(&self, access: Access, method: &str) -> bool {
        match access {
            Access::Public | Access::Session => true,
            _ if self.admin => true,
            _ if self.read_only => method == "GET",
            Access::User => true,
            Access::Advanced => self.advanced,
            Access::Admin => false,
        }
    }
}

pub(super) type Answer = Result<Value, ApiError>;
pub(super) type Handler = fn(&mut Call<'_>) -> Answer;

/// One call of a handler.
pub(super) struct Call<'a> {
    pub(super) platform: &'a mut Platform,
    pub(super) who: Who,
    /// What stood in place of each `*` of the route.
    pub(super) wild: Vec<&'a str>,
    pub(super) asked: &'a Asked,
    pub(super) now: Instant,
    /// Status of a good answer.
    pub(super) status: u16,
}

impl Call<'_> {
    /// The body, checked against its description.
    pub(super) fn body(&self, fields: &[&[Field]]) -> Result<Map<String, Value>, ApiError> {
        schema::check(self.asked.body.as_ref().ok().and_then(Option::as_ref), fields)
    }

    /// The number in the n-th place of the path.
    pub(super) fn id(&self, n: usize) -> Result<u64, ApiError> {
        let text = self.wild.get(n).copied().unwrap_or_default();
        text.parse().map_err(|_| ApiError::invalid("id", format!("'{text}' is not a number")))
    }

    /// The VM of the path, if the caller may see it.
    pub(super) fn host(&self) -> Result<&Host, ApiError> {
        let id = self.id(0)?;
        let host = self.platform.hosts.get(&id).filter(|host| self.sees(host.account) && host.found_at <= self.now);
        host.ok_or_else(|| ApiError::host_unknown(id))
    }

    /// The VM of the path, if it may be worked on: a VM that is being created may not.
    pub(super) fn ready_host(&self) -> Result<&Host, ApiError> {
        let host = self.host()?;
        if host.state == "creating" {
            return Err(ApiError::refused(format!("VM {} is being created", host.id)));
        }
        Ok(host)
    }

    /// Refuses what a VM with snapshots does not get [api B1].
    pub(super) fn check_snapshots(&self, host: u64) -> Result<(), ApiError> {
        match self.platform.hosts.get(&host).map_or(0, |host| host.snapshot_count) {
            0 => Ok(()),
            count => Err(ApiError::refused(format!("VM {host} has {count} snapshots"))),
        }
    }

    /// Whether the caller may see what this account owns.
    pub(super) fn sees(&self, account: u64) -> bool {
        self.who.sees_all() || self.who.account == account
    }

    /// The request's body as a task remembers it.
    pub(super) fn params(&self) -> Value {
        self.asked.body.clone().ok().flatten().unwrap_or(Value::Null)
    }
}

/// Typed reading of a checked body.
pub(super) trait Properties {
    fn number(&self, name: &str) -> Option<u64>;
    fn text(&self, name: &str) -> Option<&str>;
    fn flag(&self, name: &str) -> Option<bool>;
    fn ids(&self, name: &str) -> Vec<u64>;
    fn objects(&self, name: &str) -> Vec<&Map<String, Value>>;
}

impl Properties for Map<String, Value> {
    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn ids(&self, name: &str) -> Vec<u64> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    fn objects(&self, name: &str) -> Vec<&Map<String, Value>> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
    }
}
