//! How each question of [`super::questions`] is answered, by reading alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::seen::{Agrees, Seen};
use super::site::Site;
use crate::direction::Direction;
use crate::error::Result;
use crate::id::VmId;
use crate::vmm::{TUNING, Task};

const STATUSES: [&str; 13] = [
    "complete",
    "fail",
    "failed",
    "error",
    "abort",
    "aborted",
    "cancel",
    "canceled",
    "cancelled",
    "created",
    "running",
    "deferred",
    "pending",
];
const HOST_FIELDS: [&str; 12] = [
    "account.id",
    "cluster.id",
    "comment",
    "cpu_number",
    "create_date",
    "disk.disk_mib",
    "disk.id",
    "id",
    "ip4",
    "name",
    "ram_mib",
    "state",
];
/// Every request of `crate::vmm`.
const REQUESTS: [(&str, &str); 32] = [
    ("GET", "account"),
    ("POST", "account"),
    ("GET", "cluster"),
    ("GET", "node"),
    ("GET", "os"),
    ("GET", "preset"),
    ("GET", "recipe"),
    ("GET", "recipe/{}/params"),
    ("GET", "ippool"),
    ("GET", "ippool/{}/cluster"),
    ("GET", "host"),
    ("POST", "host"),
    ("POST", "host/{}"),
    ("DELETE", "host/{}"),
    ("GET", "host/{}/history"),
    ("GET", "host/{}/metrics"),
    ("GET", "host/{}/ipv4"),
    ("GET", "host/{}/ipv6"),
    ("POST", "host/{}/start"),
    ("POST", "host/{}/stop"),
    ("POST", "host/{}/restart"),
    ("POST", "host/{}/resource"),
    ("POST", "host/{}/password"),
    ("POST", "host/{}/reinstall"),
    ("POST", "host/{}/ip"),
    ("POST", "disk/{}"),
    ("DELETE", "ip/{}"),
    ("POST", "ip/{}/ptr"),
    ("GET", "task"),
    ("GET", "task/{}"),
    ("GET", "version"),
    ("GET", "get_license"),
];
/// Every field of `crate::vmm::CreateHost`, fine tuning aside, which only a VM configuration brings, and the interfaces.
const CREATE_FIELDS: [&str; 16] = [
    "account",
    "cluster",
    "comment",
    "cpu_number",
    "domain",
    "hdd_mib",
    "ipv4_number",
    "ipv4_pool",
    "ipv6_enabled",
    "ipv6_prefix",
    "name",
    "os",
    "password",
    "preset",
    "ram_mib",
    "recipe_list",
];
/// One of them is sent [api B10].
const INTERFACES: [&str; 2] = ["interfaces", "custom_interfaces"];
pub(super) const NO_DESCRIPTION: &str = "this VMmanager does not describe its API";
pub(super) const NO_BODY: &str = "the description does not list the fields";
const NO_VM: &str = "there is no VM yet";

pub(super) fn version(site: &Site) -> Result<Seen> {
    Ok(match site.vmm.version()? {
        Some(version) => Seen::yes(version.to_string()),
        None => Seen::no("no release is in the answer"),
    })
}

pub(super) fn licence(site: &Site) -> Result<Seen> {
    Ok(match site.vmm.licence_valid()? {
        Some(valid) => Seen::yes(if valid { "valid" } else { "not valid" }),
        None => Seen::no("license.valid is not in the answer"),
    })
}

pub(super) fn requests(site: &Site) -> Result<Seen> {
    let Some(described) = site.description()? else { return Ok(Seen::unknown(NO_DESCRIPTION)) };
    let missing = REQUESTS.iter().filter(|(method, path)| !described.has(method, path));
    let missing: Vec<String> = missing.map(|(method, path)| format!("{method} /{path}")).collect();
    Ok(if missing.is_empty() {
        Seen::yes(format!("all {} are listed", REQUESTS.len()))
    } else {
        Seen::no(format!("not listed: {}", missing.join(", ")))
    })
}

pub(super) fn statuses(site: &Site) -> Result<Seen> {
    let words = words(site.tasks()?, "status");
    let foreign: Vec<&str> = words.iter().map(String::as_str).filter(|word| !STATUSES.contains(word)).collect();
    Ok(match (words.is_empty(), foreign.is_empty()) {
        (true, _) => Seen::unknown("there is no task yet"),
        (_, true) => Seen::yes(listed(&words)),
        (_, false) => Seen::no(format!("{}; unknown: {}", listed(&words), foreign.join(", "))),
    })
}

pub(super) fn task_details(site: &Site) -> Result<Seen> {
    let tasks = site.tasks()?;
    let failed = |task: &&Value| task["status"].as_str().is_some_and(|status| status.starts_with("fail"));
    let Some(id) = tasks.iter().find(failed).or(tasks.first()).and_then(|task| number(&task["id"])) else {
        return Ok(Seen::unknown("there is no task yet"));
    };
    let details: Value = site.vmm.get(&format!("/vm/v3/task/{id}"))?;
    let (form, record) = match details.get("task").filter(|task| task.is_object()) {
        Some(task) => ("inside \"task\"", task),
        None => ("bare", &details),
    };
    let text = ["output", "error"].into_iter().filter(|field| record.get(field).is_some()).collect::<Vec<_>>();
    let text =
        if text.is_empty() { "without output and error".to_owned() } else { format!("with {}", text.join(", ")) };
    Ok(Seen::holds(record.get("status").is_some(), format!("{form}, {text}")))
}

pub(super) fn task_fields(site: &Site) -> Result<Seen> {
    Ok(fields(site.tasks()?, &["consul_id", "id", "name", "status"], "there is no task yet"))
}

pub(super) fn task_filter(site: &Site) -> Result<Seen> {
    let task = site.tasks()?.iter().find_map(|task| {
        Some(Task { consul: number(&task["consul_id"])?.into(), name: Some(task["name"].as_str()?.to_owned()) })
    });
    let Some(task) = task else { return Ok(Seen::unknown("there is no task yet")) };
    Ok(if site.vmm.lists_task(&task)? { Seen::yes("found") } else { Seen::no("not found") })
}

pub(super) fn task_names(site: &Site) -> Result<Seen> {
    const WAITED_FOR: [&str; 7] =
        ["host_create", "host_stop", "host_start", "host_delete", "host_change_params", "host_reinstall", "ip_change"];
    let words = words(site.tasks()?, "name");
    let known = words.iter().any(|word| WAITED_FOR.contains(&word.as_str()));
    Ok(match (words.is_empty(), known) {
        (true, _) => Seen::unknown("there is no task yet"),
        (_, true) => Seen::yes(listed(&words)),
        // Tasks of nodes and templates alone say nothing about those of VMs.
        (_, false) => Seen::unknown(format!("none of a VM among {}", listed(&words))),
    })
}

pub(super) fn create_fields(site: &Site) -> Result<Seen> {
    described(site, "/host", |body| {
        let missing: Vec<&str> = CREATE_FIELDS.into_iter().filter(|field| !body.contains(*field)).collect();
        let also: Vec<&str> = ["ipv6_pool", "ssh_keys"].into_iter().filter(|field| body.contains(*field)).collect();
        let also = if also.is_empty() { String::new() } else { format!("; also {}", also.join(", ")) };
        if missing.is_empty() {
            Seen::yes(format!("all {} are documented{also}", CREATE_FIELDS.len()))
        } else {
            Seen::no(format!("not documented: {}{also}", missing.join(", ")))
        }
    })
}

pub(super) fn create_tuning(site: &Site) -> Result<Seen> {
    tuning(site, "/host")
}

pub(super) fn change_tuning(site: &Site) -> Result<Seen> {
    tuning(site, "/host/{}/resource")
}

/// All of them or none: nobody has seen a build that knows a part.
fn tuning(site: &Site, path: &str) -> Result<Seen> {
    described(site, path, |body| {
        let missing: Vec<&str> = TUNING.into_iter().filter(|field| !body.contains(*field)).collect();
        let what = match missing.as_slice() {
            [] => format!("all {} are documented", TUNING.len()),
            missing => format!("not documented: {}", missing.join(", ")),
        };
        Seen::yes(what).proving(missing.is_empty())
    })
}

pub(super) fn create_interfaces(site: &Site) -> Result<Seen> {
    described(site, "/host", |body| {
        let of_interest = INTERFACES.into_iter().chain(["ipv4_number", "ipv4_pool"]);
        let found: Vec<&str> = of_interest.filter(|field| body.contains(*field)).collect();
        let is_known = INTERFACES.iter().any(|field| body.contains(*field));
        Seen::holds(is_known, format!("documented: {}", found.join(", "))).proving(body.contains("interfaces"))
    })
}

pub(super) fn defer(site: &Site) -> Result<Seen> {
    described(site, "/host/{}/resource", |body| {
        let word = if body.contains("defer") { "documented" } else { "not documented" };
        Seen::holds(body.contains("defer"), word)
    })
}

/// Judges the body of a POST by its description.
pub(super) fn described(site: &Site, path: &str, judge: impl FnOnce(&BTreeSet<String>) -> Seen) -> Result<Seen> {
    let Some(description) = site.description()? else { return Ok(Seen::unknown(NO_DESCRIPTION)) };
    Ok(description.body("POST", path).map_or_else(|| Seen::unknown(NO_BODY), |body| judge(&body)))
}

pub(super) fn pool_interfaces(site: &Site) -> Result<Seen> {
    let pools = site.newest("/vm/v3/ippool")?;
    let at = |pool: &Value| pool["clusters"].as_array().and_then(|clusters| clusters.first().cloned());
    let Some((pool, at)) = pools.iter().find_map(|pool| Some((number(&pool["id"])?, at(pool)?))) else {
        return Ok(Seen::unknown("no pool is attached to a cluster"));
    };
    if at.get("interface").is_some() {
        return Ok(Seen::yes("in the list of pools"));
    }
    let clusters = site.list(&format!("/vm/v3/ippool/{pool}/cluster"))?;
    let told = clusters.iter().any(|cluster| cluster.get("interface").is_some());
    Ok(Seen::holds(told, if told { "in the list of a pool's clusters" } else { "nowhere" }))
}

pub(super) fn pool_counters(site: &Site) -> Result<Seen> {
    let pools = site.newest("/vm/v3/ippool")?;
    if pools.is_empty() {
        return Ok(Seen::unknown("there is no IP pool yet"));
    }
    let has = |fields: [&str; 2]| pools.iter().any(|pool| fields.iter().all(|field| at(pool, field).is_some()));
    let forms = [
        ("ipv4.total and ipv4.used", ["ipv4.total", "ipv4.used"]),
        ("total_ip and using_ip", ["total_ip", "using_ip"]),
    ];
    let found: Vec<&str> = forms.into_iter().filter(|(_, fields)| has(*fields)).map(|(name, _)| name).collect();
    Ok(if found.is_empty() { Seen::no("neither") } else { Seen::yes(found.join("; ")) })
}

pub(super) fn hot(site: &Site) -> Result<Seen> {
    // Without them every change waits for a restart: slower, not wrong.
    let seen = fields(site.hosts()?, &["hot_plug", "live_resize"], NO_VM);
    Ok(if seen.agrees == Agrees::No { Seen::unknown(seen.what) } else { seen })
}

pub(super) fn host_fields(site: &Site) -> Result<Seen> {
    Ok(fields(site.hosts()?, &HOST_FIELDS, NO_VM))
}

pub(super) fn host_states(site: &Site) -> Result<Seen> {
    let words = words(site.hosts()?, "state");
    let known = words.iter().any(|word| ["active", "stopped"].contains(&word.as_str()));
    Ok(match (words.is_empty(), known) {
        (true, _) => Seen::unknown(NO_VM),
        (_, true) => Seen::yes(listed(&words)),
        (_, false) => Seen::unknown(format!("only {}", listed(&words))),
    })
}

pub(super) fn history(site: &Site) -> Result<Seen> {
    of_host(site, |host| {
        let entries = site.list(&format!("/vm/v3/host/{host}/history"))?;
        Ok(fields(&entries, &["name", "state", "task"], "the newest VM has none"))
    })
}

pub(super) fn addresses(site: &Site) -> Result<Seen> {
    of_host(site, |host| {
        let addresses = site.list(&format!("/vm/v3/host/{host}/ipv4"))?;
        let seen = fields(&addresses, &["domain", "id", "ip_addr"], "the newest VM has none");
        let told = addresses.iter().any(|address| address.get("cluster_interface").is_some());
        let more = if told { "; cluster_interface too" } else { "" };
        Ok(Seen { what: seen.what + more, ..seen })
    })
}

pub(super) fn ipv6(site: &Site) -> Result<Seen> {
    of_host(site, |host| {
        let answer: Value = site.vmm.get(&format!("/vm/v3/host/{host}/ipv6"))?;
        Ok(fields(&[answer], &["ipv6_enabled"], NO_VM))
    })
}

pub(super) fn traffic(site: &Site) -> Result<Seen> {
    of_host(site, |host| {
        let [incoming, outgoing] = Direction::BOTH.map(|direction| site.vmm.month_traffic(host, direction));
        Ok(match (incoming?, outgoing?) {
            (Some(_), Some(_)) => Seen::yes("both are numbers"),
            _ => Seen::unknown("nothing is counted yet for the newest VM"),
        })
    })
}

/// Asks about the newest VM.
fn of_host(site: &Site, ask: impl FnOnce(VmId) -> Result<Seen>) -> Result<Seen> {
    let host = site.hosts()?.iter().find_map(|host| number(&host["id"]).map(VmId::from));
    host.map_or_else(|| Ok(Seen::unknown(NO_VM)), ask)
}

pub(super) fn os_fields(site: &Site) -> Result<Seen> {
    let wanted = ["clusters", "id", "name", "repository", "state"];
    Ok(fields(&site.newest("/vm/v3/os")?, &wanted, "there is no OS template yet"))
}

pub(super) fn preset_fields(site: &Site) -> Result<Seen> {
    Ok(fields(&site.newest("/vm/v3/preset")?, &["id", "name"], "there is no VM configuration yet"))
}

pub(super) fn recipes(site: &Site) -> Result<Seen> {
    let recipes = site.newest("/vm/v3/recipe")?;
    let seen = fields(&recipes, &["params_count"], "there is no recipe yet");
    let asks = |recipe: &&Value| number(&recipe["params_count"]).is_some_and(|count| count > 0);
    let Some(id) = recipes.iter().find(asks).and_then(|recipe| number(&recipe["id"])) else { return Ok(seen) };
    let params = site.list(&format!("/vm/v3/recipe/{id}/params"))?;
    Ok(fields(&params, &["name", "required"], "the parameters of a recipe that has some are not listed"))
}

pub(super) fn pages(site: &Site) -> Result<Seen> {
    let [one, more] = ["0,1", "0,2"].map(|limit| site.list(&format!("/vm/v3/os?limit={limit}&orderby=id%20asc")));
    Ok(match (one?.len(), more?.len()) {
        (1, 2) => Seen::yes("limit=0,1 gives one element, limit=0,2 two"),
        (_, 0 | 1) => Seen::unknown("the list is too short"),
        (one, more) => Seen::no(format!("limit=0,1 gives {one} elements, limit=0,2 gives {more}")),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "every look has the same type")]
pub(super) fn prefix(site: &Site) -> Result<Seen> {
    let path = site.vmm.prefix();
    Ok(Seen::yes(if path.is_empty() { "none".to_owned() } else { path.to_owned() }))
}

/// Whether elements of a list have fields; one element that has a field is enough, others may be half made.
fn fields(elements: &[Value], wanted: &[&str], none: &str) -> Seen {
    if elements.is_empty() {
        return Seen::unknown(none);
    }
    let missing: Vec<&str> =
        wanted.iter().copied().filter(|field| elements.iter().all(|element| at(element, field).is_none())).collect();
    if missing.is_empty() { Seen::yes("all are there") } else { Seen::no(format!("missing: {}", missing.join(", "))) }
}

/// `account.id` of an element.
fn at<'a>(element: &'a Value, field: &str) -> Option<&'a Value> {
    field.split('.').try_fold(element, |value, name| value.get(name))
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The different words of a field. What is no plain word is not repeated: it may be somebody's data.
fn words(elements: &[Value], field: &str) -> BTreeSet<String> {
    let is_word =
        |text: &str| text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let texts = elements.iter().filter_map(|element| element[field].as_str()).map(str::to_lowercase);
    texts.map(|text| if is_word(&text) { text } else { "(no plain word)".to_owned() }).collect()
}

fn listed(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmm::{CreateHost, CustomInterface, InterfacePools, RecipeRun};

    /// The variable parts of a path without their names, the query left out.
    fn plain(path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_path_of_the_client_is_asked_for() {
        let sources = [
            include_str!("../../vmm/requests.rs"),
            include_str!("../../vmm/task.rs"),
            include_str!("../../vmm/about.rs"),
            include_str!("../../vmm/traffic.rs"),
        ];
        let literals = sources.iter().flat_map(|source| source.split("\"/vm/v3/").skip(1));
        let used: BTreeSet<String> = literals.filter_map(|rest| Some(plain(rest.split('"').next()?))).collect();
        let asked: BTreeSet<String> = REQUESTS.iter().map(|(_, path)| (*path).to_owned()).collect();
        assert_eq!(used, asked);
    }

    #[test]
    fn every_field_of_a_creation_is_asked_for() {
        let full = CreateHost {
            preset: Some(1),
            cpu_number: Some(1),
            ram_mib: Some(1),
            hdd_mib: Some(1),
            domain: Some(String::new()),
            ipv4_number: Some(1),
            ipv4_pool: Some(Vec::new()),
            interfaces: Some(vec![InterfacePools { interface: 0, ippool: Vec::new() }]),
            custom_interfaces: Some(vec![CustomInterface { model: "", is_main_network: true, ippool: 1, ip_count: 1 }]),
            ipv6_prefix: Some(64),
            ssh_keys: Some(vec![1]),
            recipe_list: Some(vec![RecipeRun { recipe: 1, recipe_params: Vec::new() }]),
            ..CreateHost::default()
        };
        let body = serde_json::to_value(full).unwrap();
        // Unset fields are not sent; the password is put in by the client.
        let given = body.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        let sent = given.map(|(name, _)| name.as_str()).chain(["password"]);
        let asked = CREATE_FIELDS.into_iter().chain(INTERFACES).chain(["ssh_keys"]);
        assert_eq!(sent.collect::<BTreeSet<_>>(), asked.collect());
    }
}
