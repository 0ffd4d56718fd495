//! One method per request that the module makes [api 4].

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::body::{self, CreateHost, RecipeRun, Resources};
use super::client::Client;
use super::filter::{self, Filter};
use super::host::{Disk, Host, Ipv4};
use super::model::{
    Accepted, Account, AccountKey, Cluster, Ipv6, List, Os, Past, Pool, PoolCluster, Preset, Recipe, RecipeParam,
};
use super::node::Node;
use super::outcome::{Failure, Outcome};
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::id::{AccountId, ClusterId, VmId};
use crate::log;
use crate::mask;

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
    pub fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let found = self.get::<List<Account>>(&format!("/vm/v3/account?{}", Filter::eq("id", id)?.query()))?;
        Ok(found.list.into_iter().find(|account| account.id == id))
    }

    /// The same by reading every account: for an e-mail that no filter can hold, or that differs in case.
    pub fn account_in_full_list(&self, email: &str) -> Result<Option<Account>> {
        let all = self.accounts()?;
        Ok(all.into_iter().find(|account| account.email.eq_ignore_ascii_case(email)))
    }

    /// All accounts.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        self.all("/vm/v3/account")
    }

    /// Creates a client's account with the role `@user`; its id.
    pub fn create_account(&self, email: &str, password: &SecretString, full_name: &str) -> Outcome<AccountId> {
        let mut body = json!({ "email": email, "password": password.expose_secret(), "role": "@user" });
        if !full_name.is_empty() {
            body["full_name"] = Value::from(full_name);
        }
        let accepted: Accepted = self.post("/vm/v3/account", &body)?;
        with_id(&accepted, "POST /vm/v3/account")
    }

    /// The public SSH keys of an account [api B11].
    pub fn ssh_keys(&self, account: AccountId) -> Result<Vec<AccountKey>> {
        Ok(self.get::<List<AccountKey>>(&format!("/auth/v3/user/{account}/sshkey"))?.list)
    }

    /// Puts a public SSH key into an account; its id, if VMmanager says it.
    pub fn add_ssh_key(&self, account: AccountId, name: &str, key: &str) -> Outcome<Option<u64>> {
        let body = json!({ "name": name, "ssh_pub_key": key });
        let accepted: Accepted = self.post(&format!("/auth/v3/user/{account}/sshkey"), &body)?;
        Ok(accepted.id)
    }

    /// A cluster by id.
    pub fn cluster(&self, id: ClusterId) -> Result<Option<Cluster>> {
        let path = format!("/vm/v3/cluster?{}", Filter::eq("id", id)?.query());
        Ok(self.get::<List<Cluster>>(&path)?.list.into_iter().find(|cluster| cluster.id == id))
    }

    /// All clusters.
    pub fn clusters(&self) -> Result<Vec<Cluster>> {
        self.all("/vm/v3/cluster")
    }

    /// All nodes.
    pub fn nodes(&self) -> Result<Vec<Node>> {
        self.all("/vm/v3/node")
    }

    /// All OS templates.
    pub fn os_list(&self) -> Result<Vec<Os>> {
        self.all("/vm/v3/os")
    }

    /// All VM configurations.
    pub fn presets(&self) -> Result<Vec<Preset>> {
        self.all("/vm/v3/preset")
    }

    /// All recipes.
    pub fn recipes(&self) -> Result<Vec<Recipe>> {
        self.all("/vm/v3/recipe")
    }

    /// What a recipe asks for; no source has the answer's form [api 4.5].
    pub fn recipe_params(&self, recipe: u64) -> Result<Vec<RecipeParam>> {
        let answer: Value = self.get(&format!("/vm/v3/recipe/{recipe}/params"))?;
        serde_json::from_value::<List<RecipeParam>>(answer).map(|found| found.list).map_err(|error| {
            let text =
                format!("VMmanager lists the parameters of recipe {recipe} in a form that is not known: {error}");
            Error::new(Kind::Vm6Api, "GET /vm/v3/recipe/{id}/params", text)
        })
    }

    /// A VM with its associated data; nothing when VMmanager itself says that it has no such VM.
    pub fn host(&self, id: VmId) -> Result<Option<Host>> {
        let path = format!("/vm/v3/host?{}", Filter::eq("id", id)?.query());
        match self.get::<List<Host>>(&path) {
            Ok(found) if found.list.is_empty() => Ok(None),
            Ok(found) => found.list.into_iter().find(|host| host.id == id).map(Some).ok_or_else(|| {
                let text = format!("VMmanager was asked for VM {id} and answered with another one");
                Error::new(Kind::Vm6Api, "GET /vm/v3/host", text)
            }),
            // A refusal for another reason than "no such VM" is no proof of anything.
            Err(error) if error.kind == Kind::Vm6NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every VM of the platform.
    pub fn hosts(&self) -> Result<Vec<Host>> {
        self.all("/vm/v3/host")
    }

    /// Asks for a VM; its id and the task `host_create`.
    pub fn create_host(&self, request: &CreateHost) -> Outcome<(VmId, Option<Task>)> {
        let mut body = body::body(request).map_err(|e| unwritable("POST /vm/v3/host", &e))?;
        if let Some(password) = &request.password {
            body["password"] = Value::from(password.expose_secret());
        }
        let accepted: Accepted = self.post("/vm/v3/host", &body)?;
        Ok((with_id(&accepted, "POST /vm/v3/host")?, accepted.task.map(|consul| Task::named(consul, "host_create"))))
    }

    /// The tasks of a VM; nothing when this build of VMmanager does not report them, or in a way that is not known
    /// [api 3.1]. A failure that may pass is an error.
    pub fn history(&self, id: VmId) -> Result<Option<Vec<Past>>> {
        let reason = match self.get::<Value>(&format!("/vm/v3/host/{id}/history")) {
            Ok(answer) => match serde_json::from_value::<List<Past>>(answer) {
                Ok(found) => return Ok(Some(found.list)),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind.is_connection() || error.may_pass() => return Err(error),
            Err(error) => error.to_string(),
        };
        log::debug!("what VMmanager did to VM {id} is not known: {reason}");
        Ok(None)
    }

    /// The answer about a VM as VMmanager gives it, for support.
    pub fn raw_host(&self, id: VmId) -> Result<Value> {
        self.get(&format!("/vm/v3/host?{}", Filter::eq("id", id)?.query()))
    }

    /// The history of a VM as VMmanager gives it, for support.
    pub fn raw_history(&self, id: VmId) -> Result<Value> {
        self.get(&format!("/vm/v3/host/{id}/history"))
    }

    /// Removes a VM; the task `host_delete`.
    pub fn delete_host(&self, id: VmId) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.delete(&format!("/vm/v3/host/{id}"))?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_delete")))
    }

    /// Starts a VM; the task `host_start`.
    pub fn start_host(&self, id: VmId) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/start"), &json!({}))?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_start")))
    }

    /// Stops a VM, by force when `force`; the task `host_stop`.
    pub fn stop_host(&self, id: VmId, force: bool) -> Outcome<Option<Task>> {
        let body = if force { json!({ "force": true }) } else { json!({}) };
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/stop"), &body)?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_stop")))
    }

    /// Writes the free text of a VM, which holds our mark.
    pub fn set_comment(&self, id: VmId, comment: &str) -> Outcome<()> {
        self.post::<Value>(&format!("/vm/v3/host/{id}"), &json!({ "comment": comment })).map(drop)
    }

    /// Restarts a VM, by force when `force`; the task `host_start` that ends it.
    pub fn restart_host(&self, id: VmId, force: bool) -> Outcome<Option<Task>> {
        let body = if force { json!({ "force": true }) } else { json!({}) };
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/restart"), &body)?;
        Ok(accepted.start_task.or(accepted.task).map(|consul| Task::named(consul, "host_start")))
    }

    /// Changes cores, memory, speeds; `deferred` keeps the change until the VM stops. The task `host_change_params`.
    pub fn change_resources(&self, id: VmId, resources: &Resources, deferred: bool) -> Outcome<Option<Task>> {
        let path = format!("/vm/v3/host/{id}/resource");
        let body = body::body(resources).map_err(|e| unwritable(&path, &e))?;
        let accepted: Accepted = self.post(&path, &with_defer(body, deferred))?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_change_params")))
    }

    /// Grows a disk; `deferred` as above. The task `disk_resize`.
    pub fn grow_disk(&self, disk: &Disk, size_mib: u64, deferred: bool) -> Outcome<Option<Task>> {
        let body = with_defer(json!({ "size_mib": size_mib }), deferred);
        let accepted: Accepted = self.post(&format!("/vm/v3/disk/{}", disk.id), &body)?;
        Ok(accepted.task.map(|consul| Task::named(consul, "disk_resize")))
    }

    /// Sets the root password inside a VM; the name of the task is not documented [api 6, row 17].
    pub fn set_password(&self, id: VmId, password: &SecretString) -> Outcome<Option<Task>> {
        let body = json!({ "password": password.expose_secret() });
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/password"), &body)?;
        Ok(accepted.task.map(|consul| Task { consul, name: None }))
    }

    /// Installs an OS again: everything on the disk is lost. The task `host_reinstall`.
    pub fn reinstall(
        &self,
        id: VmId,
        os: &Os,
        password: &SecretString,
        recipe: Option<&RecipeRun>,
        ssh_keys: &[u64],
    ) -> Outcome<Option<Task>> {
        let mut body = json!({ "os": os.id, "password": password.expose_secret() });
        if let Some(recipe) = recipe {
            body["recipe_list"] = json!([recipe]);
        }
        if !ssh_keys.is_empty() {
            body["ssh_keys"] = json!(ssh_keys);
        }
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/reinstall"), &body)?;
        Ok(accepted.task.map(|consul| Task::named(consul, "host_reinstall")))
    }

    /// Adds `count` IPv4 addresses, from `pools` if any are named; the task `ip_change`.
    pub fn add_ipv4(&self, id: VmId, count: u64, pools: &[u64]) -> Outcome<Option<Task>> {
        let mut body = json!({ "ipv4_number": count });
        if !pools.is_empty() {
            body["ipv4_pool"] = json!(pools);
        }
        self.change_ip(id, &body)
    }

    /// Switches IPv6 on, with the length of the client's network if it is ordered, or off; the task `ip_change`.
    pub fn set_ipv6(&self, id: VmId, enabled: bool, prefix: Option<u64>) -> Outcome<Option<Task>> {
        let mut body = json!({ "ipv6_enabled": enabled });
        if let (true, Some(prefix)) = (enabled, prefix) {
            body["ipv6_prefix"] = json!(prefix);
        }
        self.change_ip(id, &body)
    }

    fn change_ip(&self, id: VmId, body: &Value) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.post(&format!("/vm/v3/host/{id}/ip"), body)?;
        Ok(accepted.task.map(|consul| Task::named(consul, "ip_change")))
    }

    /// Takes one address from its VM; the name of the task is not documented.
    pub fn delete_ip(&self, ip: u64) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.delete(&format!("/vm/v3/ip/{ip}"))?;
        Ok(accepted.task.map(|consul| Task { consul, name: None }))
    }

    /// Sets the reverse name of an IPv4 address.
    pub fn set_ptr(&self, ip: u64, domain: &str) -> Outcome<Option<Task>> {
        let accepted: Accepted = self.post(&format!("/vm/v3/ip/{ip}/ptr"), &json!({ "domain": domain }))?;
        Ok(accepted.task.map(|consul| Task { consul, name: None }))
    }

    /// IPv6 settings of a VM; its addresses are in the VM itself.
    pub fn ipv6(&self, host: VmId) -> Result<Ipv6> {
        self.get(&format!("/vm/v3/host/{host}/ipv6"))
    }

    /// All IP pools.
    pub fn pools(&self) -> Result<Vec<Pool>> {
        self.all("/vm/v3/ippool")
    }

    /// The clusters of a pool, asked by itself: builds differ in what the list of pools reports.
    pub fn pool_clusters(&self, pool: u64) -> Result<Vec<PoolCluster>> {
        Ok(self.get::<List<PoolCluster>>(&format!("/vm/v3/ippool/{pool}/cluster"))?.list)
    }

    /// A link that logs its bearer in as an account, once, within an hour [api 1.4].
    pub fn login_link(&self, account: AccountId) -> Result<SecretString> {
        let answer: Value = self.post(&format!("/auth/v4/user/{account}/key"), &json!({}))?;
        let key = answer.get("key").and_then(Value::as_str).filter(|key| !key.is_empty()).ok_or_else(|| {
            Error::new(Kind::Vm6Api, "key", "VMmanager answered the request for a login key without a key")
        })?;
        mask::remember(&key.into());
        Ok(SecretString::from(format!("{}/auth/key-v4/{}", self.base(), filter::encode(key))))
    }

    /// IPv4 addresses of a VM with their networks.
    pub fn ipv4(&self, host: VmId) -> Result<Vec<Ipv4>> {
        Ok(self.get::<List<Ipv4>>(&format!("/vm/v3/host/{host}/ipv4"))?.list)
    }
}

/// The change waits for the VM's next stop [api 4.8].
fn with_defer(mut body: Value, deferred: bool) -> Value {
    if deferred {
        body["defer"] = json!({ "action": "host_stop" });
    }
    body
}

fn with_id<T: From<u64>>(accepted: &Accepted, object: &str) -> Outcome<T> {
    accepted.id.filter(|&id| id > 0).map(T::from).ok_or_else(|| {
        let text = format!("VMmanager accepted {object} but named no id");
        Failure::Unknown(Error::new(Kind::Vm6Api, object, text))
    })
}

fn unwritable(object: &str, error: &serde_json::Error) -> Failure {
    Failure::Refused(Error::new(Kind::BadParam, object, format!("the request cannot be written as JSON: {error}")))
}
