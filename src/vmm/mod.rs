//! VMmanager 6: one method per request that the module makes [api 4].
//!
//! Reads return a value or an error; changes return an [`Outcome`], because "it is not known whether it happened" is an
//! answer of its own. Only documented fields are sent: the platform refuses an unknown property.

mod address;
mod client;
mod filter;
mod http;
mod model;
pub mod session;
mod task;
mod tls;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};

pub use address::Address;
pub use client::{Access, Client, Failure, Outcome};
use filter::Filter;
use model::List;
pub use model::{Accepted, Account, Cluster, CreateHost, Host, HostIp, Ipv4, Os, Preset, Recipe, RecipeRun, Tuning};
pub use session::{Identity, Session};
pub use task::{Ended, Task};
pub use tls::Trust;

/// VMs asked for at once when all are read.
const PAGE: usize = 500;

impl Client {
    /// Accounts with exactly this e-mail, whatever the case of its letters [api 4.1].
    pub fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        let wanted = |account: &Account| account.email.eq_ignore_ascii_case(email);
        if let Ok(filter) = Filter::eq("email", email) {
            let found = self.get::<List<Account>>(&format!("/vm/v3/account?{}", filter.query()))?;
            return Ok(found.list.into_iter().find(wanted));
        }
        self.account_in_full_list(email)
    }

    /// An account by id.
    pub fn account(&self, id: u64) -> Result<Option<Account>> {
        let found = self.get::<List<Account>>(&format!("/vm/v3/account?{}", Filter::eq("id", id)?.query()))?;
        Ok(found.list.into_iter().find(|account| account.id == id))
    }

    /// The same by reading every account: for an e-mail that no filter can hold, or that differs in case.
    pub fn account_in_full_list(&self, email: &str) -> Result<Option<Account>> {
        let all = self.get::<List<Account>>("/vm/v3/account")?;
        Ok(all.list.into_iter().find(|account| account.email.eq_ignore_ascii_case(email)))
    }

    /// Creates a client's account with the role `@user`; its id.
    pub fn create_account(&self, email: &str, password: &SecretString, full_name: &str) -> Outcome<u64> {
        let mut body = json!({ "email": email, "password": password.expose_secret(), "role": "@user" });
        if !full_name.is_empty() {
            body["full_name"] = Value::from(full_name);
        }
        let accepted: Accepted = self.post("/vm/v3/account", &body)?;
        with_id(&accepted, "POST /vm/v3/account")
    }

    /// A cluster by id.
    pub fn cluster(&self, id: u64) -> Result<Option<Cluster>> {
        let path = format!("/vm/v3/cluster?{}", Filter::eq("id", id)?.query());
        Ok(self.get::<List<Cluster>>(&path)?.list.into_iter().find(|cluster| cluster.id == id))
    }

    /// All OS templates.
    pub fn os_list(&self) -> Result<Vec<Os>> {
        Ok(self.get::<List<Os>>("/vm/v3/os")?.list)
    }

    /// All VM configurations.
    pub fn presets(&self) -> Result<Vec<Preset>> {
        Ok(self.get::<List<Preset>>("/vm/v3/preset")?.list)
    }

    /// All recipes.
    pub fn recipes(&self) -> Result<Vec<Recipe>> {
        Ok(self.get::<List<Recipe>>("/vm/v3/recipe")?.list)
    }

    /// A VM with its associated data; nothing when VMmanager itself says that it has no such VM.
    pub fn host(&self, id: u64) -> Result<Option<Host>> {
        let path = format!("/vm/v3/host?{}", Filter::eq("id", id)?.query());
        match self.get::<List<Host>>(&path) {
            Ok(found) => Ok(found.list.into_iter().find(|host| host.id == id)),
            // A refusal for another reason than "no such VM" is no proof of anything.
            Err(error) if error.kind == Kind::Vm6NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every VM of the platform, page by page: filters on other fields than the id are not reliable [api 2].
    pub fn hosts(&self) -> Result<Vec<Host>> {
        let mut all: Vec<Host> = Vec::new();
        loop {
            let path = format!("/vm/v3/host?limit={},{PAGE}&orderby=id%20asc", all.len());
            let page = self.get::<List<Host>>(&path)?.list;
            let count = page.len();
            // A server that ignores the paging sends everything at once, and again.
            if page.first().is_some_and(|host| all.iter().any(|known| known.id == host.id)) {
                return Ok(all);
            }
            all.extend(page);
            if count != PAGE {
                return Ok(all);
            }
        }
    }

    /// Asks for a VM; its id and the task `host_create`.
    pub fn create_host(&self, request: &CreateHost) -> Outcome<(u64, Option<Task>)> {
        let mut body = serde_json::to_value(request).map_err(|e| unwritable("POST /vm/v3/host", &e))?;
        if let Some(password) = &request.password {
            body["password"] = Value::from(password.expose_secret());
        }
        let accepted: Accepted = self.post("/vm/v3/host", &body)?;
        Ok((with_id(&accepted, "POST /vm/v3/host")?, accepted.task.map(|consul| Task::named(consul, "host_create"))))
    }

    /// Removes a VM; the task `host_delete`.
    pub fn delete_host(&self, id: u64) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.delete(&format!("/vm/v3/host/{id}"))?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_delete")))
    }

    /// Starts a VM; the task `host_start`.
    pub fn start_host(&self, id: u64) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/start"), &json!({}))?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_start")))
    }

    /// Stops a VM, by force when `force`; the task `host_stop`.
    pub fn stop_host(&self, id: u64, force: bool) -> Outcome<Option<Task>> {
        let body = if force { json!({ "force": true }) } else { json!({}) };
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/stop"), &body)?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_stop")))
    }

    /// Writes the free text of a VM, which holds our mark.
    pub fn set_comment(&self, id: u64, comment: &str) -> Outcome<()> {
        self.post::<Value>(&format!("/vm/v3/host/{id}"), &json!({ "comment": comment })).map(drop)
    }

    /// IPv4 addresses of a VM with their networks.
    pub fn ipv4(&self, host: u64) -> Result<Vec<Ipv4>> {
        Ok(self.get::<List<Ipv4>>(&format!("/vm/v3/host/{host}/ipv4"))?.list)
    }
}

fn with_id(accepted: &Accepted, object: &str) -> Outcome<u64> {
    accepted.id.filter(|&id| id > 0).ok_or_else(|| {
        let text = format!("VMmanager accepted {object} but named no id");
        Failure::Unknown(Error::new(Kind::Vm6Api, object, text))
    })
}

fn unwritable(object: &str, error: &serde_json::Error) -> Failure {
    Failure::Refused(Error::new(Kind::BadParam, object, format!("the request cannot be written as JSON: {error}")))
}
