//! What VMmanager would be like by now, request by request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::schedule::Schedules;
use super::vm::{Prediction, Vm, number};
use crate::dry_run::{Party, Plan};
use crate::error::{Error, Kind};
use crate::mask::MASK;
use crate::vmm::body::recipe_values_mut;
use crate::vmm::client::{Client, Interceptor};
use crate::vmm::filter::Filter;
use crate::vmm::http::Method;
use crate::vmm::outcome::{Failure, Outcome};

/// What VMmanager would be like by now.
struct DryRun {
    plan: Rc<Plan>,
    vms: RefCell<BTreeMap<u64, Vm>>,
    schedules: RefCell<Schedules>,
    /// E-mails of accounts.
    accounts: RefCell<BTreeMap<u64, String>>,
    /// The account that the plan makes.
    made: RefCell<Option<Value>>,
    /// IPv4 addresses that the plan has given out.
    addresses: Cell<u64>,
}

impl Client {
    /// The same client for a dry run: changes go into the plan.
    #[must_use]
    pub fn dry_run(self, plan: &Rc<Plan>) -> Self {
        self.intercepted(Box::new(DryRun::new(plan)))
    }
}

impl Interceptor for DryRun {
    fn request(&self, client: &Client, method: Method, path: &str, body: Option<&Value>) -> Outcome<Value> {
        if let Some(reason) = self.plan.ended() {
            return Err(Failure::Refused(self.plan.end(&reason)));
        }
        match method {
            Method::Get if self.plan.has_placeholder(path) => self.placeholders(path),
            Method::Get => Ok(self.read(path, client.get_once(path)?)),
            _ => self.change(client, method, path, body.unwrap_or(&Value::Null)),
        }
    }
}

impl DryRun {
    /// Nothing has been asked yet.
    fn new(plan: &Rc<Plan>) -> Self {
        DryRun {
            plan: Rc::clone(plan),
            vms: RefCell::default(),
            schedules: RefCell::default(),
            accounts: RefCell::default(),
            made: RefCell::default(),
            addresses: Cell::default(),
        }
    }

    /// Of what the plan has made.
    fn placeholders(&self, path: &str) -> Outcome<Value> {
        let list = |elements: Value| Ok(json!({ "list": elements }));
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let vms = self.vms.borrow();
        let parts: Vec<&str> = place.trim_start_matches("/vm/v3/").split('/').collect();
        match parts.as_slice() {
            ["task"] => list(json!([{ "status": "complete" }])),
            ["host"] => {
                let is_asked = |id: u64| Filter::eq("id", id).is_ok_and(|filter| filter.query() == query);
                let asked = vms.iter().filter(|(id, vm)| is_asked(**id) && !vm.removed);
                list(asked.map(|(_, vm)| vm.listed.clone()).collect())
            }
            ["host", _, "history"] | ["", "auth", "v3", "user", _, "sshkey"] => list(json!([])),
            ["host", id, part @ ("ipv4" | "ipv6")] => match id.parse().ok().and_then(|id| vms.get(&id)) {
                Some(vm) if *part == "ipv4" => list(json!(vm.ipv4)),
                vm => Ok(vm.and_then(|vm| vm.ipv6.clone()).unwrap_or_else(|| json!({}))),
            },
            ["account"] => list(self.made.borrow().iter().cloned().collect()),
            _ => Err(Failure::Refused(self.plan.end(&format!("what VMmanager answers to {path} is not known")))),
        }
    }

    /// What VMmanager has answered, with what the plan has changed.
    fn read(&self, path: &str, mut answer: Value) -> Value {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = place.trim_start_matches("/vm/v3/").split('/').collect();
        let mut vms = self.vms.borrow_mut();
        match (parts.as_slice(), answer.get_mut("list").and_then(Value::as_array_mut)) {
            (["host"], Some(list)) => see_hosts(&mut vms, query, list),
            (["host", id, "ipv4"], Some(list)) => {
                if let Some(vm) = id.parse().ok().and_then(|id| vms.get_mut(&id)) {
                    *list = vm.read_ipv4(list).to_vec();
                }
            }
            (["host", id, "ipv6"], _) => {
                let changed = id.parse().ok().and_then(|id| vms.get(&id)?.ipv6.clone());
                answer = changed.unwrap_or(answer);
            }
            (["account"], Some(list)) => self.see_accounts(query, list),
            (["schedule"], Some(list)) => self.schedules.borrow_mut().see(list),
            _ => {}
        }
        answer
    }

    fn see_accounts(&self, query: &str, list: &mut Vec<Value>) {
        let made = self.made.borrow();
        let email = |account: &Value| account["email"].as_str().unwrap_or_default().to_owned();
        let asked = |account: &&Value| Filter::eq("email", email(account)).is_ok_and(|filter| filter.query() == query);
        list.extend(made.iter().filter(asked).cloned());
        let known = list.iter().filter_map(|account| Some((number(account, "id")?, email(account))));
        self.accounts.borrow_mut().extend(known);
    }

    /// A change is judged, written into the plan and answered.
    fn change(&self, client: &Client, method: Method, path: &str, body: &Value) -> Outcome<Value> {
        let parts: Vec<&str> = path.trim_start_matches("/vm/v3/").split('/').collect();
        let (made, verdict) = match (method, parts.as_slice()) {
            (Method::Post, ["account"]) => self.make_account(client, body)?,
            (Method::Post, ["host"]) => self.make_host(body),
            (Method::Post, ["", "auth", "v3", "user", _, "sshkey"]) => {
                let why = Prediction::Done("the client's account does not have the SSH key of the order".to_owned());
                (Some(self.plan.placeholder("new SSH key")), why)
            }
            _ => (None, self.judge(method, &parts, body).unwrap_or_else(not_predicted)),
        };
        let request = format!("{} {path}", method.name());
        let write = |why: &str| self.plan.write(Party::Vmmanager, &request, &without_secrets(body), why);
        match verdict {
            Prediction::Done(why) => write(&why),
            Prediction::Refused(why, reason) => {
                write(&format!("{why}; VMmanager would refuse it: {reason}"));
                let text = format!("VMmanager would refuse {request}: {reason}");
                return Err(Failure::Refused(Error::new(Kind::Vm6Api, self.plan.named(&request), text)));
            }
            Prediction::Unknown(why, reason) => {
                write(&why);
                return Err(Failure::Refused(self.plan.end(&reason)));
            }
        }
        let id = made.or_else(|| parts.get(1)?.parse().ok());
        Ok(json!({ "id": id, "task": self.plan.placeholder("new task") }))
    }

    /// A change of something that exists; nothing when it was never read, or is of an unknown kind.
    fn judge(&self, method: Method, parts: &[&str], body: &Value) -> Option<Prediction> {
        let mut vms = self.vms.borrow_mut();
        let id: u64 = parts.get(1)?.parse().ok()?;
        match (method, parts[0], &parts[2..]) {
            (Method::Post, "disk", []) => Some(vms.values_mut().find(|vm| vm.has_disk(id))?.grow_disk(body)),
            (Method::Post, "ip", ["ptr"]) => vms.values_mut().find_map(|vm| vm.name_ip(id, body)),
            (Method::Delete, "ip", []) => vms.values_mut().find_map(|vm| vm.drop_ip(id)),
            (Method::Post, "schedule", []) => self.schedules.borrow_mut().change(id, body),
            (Method::Delete, "host", []) => Some(vms.get_mut(&id)?.remove()),
            (Method::Post, "host", rest) => self.judge_host(vms.get_mut(&id)?, rest, body),
            _ => None,
        }
    }

    fn judge_host(&self, vm: &mut Vm, change: &[&str], body: &Value) -> Option<Prediction> {
        Some(match change {
            [] => vm.note(body),
            ["resource"] => vm.change_resources(body),
            [action @ ("start" | "stop" | "restart")] => vm.switch(action, body),
            ["ip"] if body.get("ipv4_number").is_some() => {
                vm.add_ipv4(self.addresses(number(body, "ipv4_number")?, |_| 0))
            }
            ["ip"] => vm.set_ipv6(body, NEW_IPV6),
            _ => return None,
        })
    }

    /// New IPv4 addresses, each on the interface that `on` says.
    fn addresses(&self, count: u64, on: impl Fn(u64) -> u64) -> Vec<Value> {
        let address = |n: u64| {
            let id = self.plan.placeholder("id of the new IPv4 address");
            let number = self.addresses.get() + 1;
            self.addresses.set(number);
            json!({
                "id": id, "ip_addr": format!("<new IPv4 address {number}>"), "mask": "<its netmask>",
                "gateway": "<its gateway>", "domain": "<its reverse name>", "cluster_interface": on(n),
            })
        };
        (0..count).map(address).collect()
    }

    fn make_account(&self, client: &Client, body: &Value) -> Outcome<(Option<u64>, Prediction)> {
        let email = body["email"].as_str().unwrap_or_default();
        let why = format!("VMmanager has no account {email}");
        let known = client.account_in_full_list(email).map_err(Failure::Refused)?;
        if let Some(known) = known {
            return Ok((None, Prediction::Refused(why, format!("account {} is {} already", known.id, known.email))));
        }
        let id = self.plan.placeholder("new account");
        self.accounts.borrow_mut().insert(id, email.to_owned());
        *self.made.borrow_mut() = Some(json!({ "id": id, "email": email, "state": "active", "roles": ["@user"] }));
        Ok((Some(id), Prediction::Done(why)))
    }

    /// The new VM as the list of VMs would show it when it is complete.
    fn make_host(&self, body: &Value) -> (Option<u64>, Prediction) {
        let id = self.plan.placeholder("new VM");
        let interfaces = ["interfaces", "custom_interfaces"].into_iter().find_map(|name| body[name].as_array());
        let count = interfaces.map_or_else(|| number(body, "ipv4_number"), |list| Some(list.len() as u64));
        // The others of `custom_interfaces` have no number; what counts is that they are not the main one.
        let index = |n: u64| match interfaces?.get(usize::try_from(n).ok()?)? {
            custom if custom["is_main_network"] == json!(true) => Some(0),
            interface => number(interface, "interface").or(Some(n)),
        };
        let owner = number(body, "account");
        let email = owner.and_then(|id| self.accounts.borrow().get(&id).cloned()).unwrap_or_default();
        let mut vm = Vm::new(json!({
            "id": id, "name": body["name"], "comment": body["comment"], "state": "active",
            "domain": body.get("domain").cloned().unwrap_or_else(|| json!("<host name that VMmanager gives>")),
            "account": { "id": owner, "email": email }, "cluster": { "id": body["cluster"] },
            "ip4": [], "ip6": if body["ipv6_enabled"] == json!(true) { json!([{ "ip": NEW_IPV6 }]) } else { json!([]) },
        }));
        vm.ipv6 = Some(json!({ "ipv6_enabled": body["ipv6_enabled"], "ipv6_prefix": body["ipv6_prefix"] }));
        vm.add_ipv4(self.addresses(count.unwrap_or_default(), |n| index(n).unwrap_or_default()));
        self.vms.borrow_mut().insert(id, vm);
        let mark = body["comment"].as_str().unwrap_or_default();
        (Some(id), Prediction::Done(format!("no VM has the mark {mark} of the service")))
    }
}

const NEW_IPV6: &str = "<new IPv6 address>";

/// Remembers VMs as VMmanager lists them, and shows those that the plan has changed as the plan leaves them. A VM that
/// it has made is found by its number alone.
fn see_hosts(vms: &mut BTreeMap<u64, Vm>, query: &str, list: &mut Vec<Value>) {
    list.retain_mut(|element| {
        let Some(id) = number(element, "id") else { return true };
        match vms.entry(id).or_insert_with(|| Vm::new(element.clone())) {
            // A page that is short would be taken for the last one.
            Vm { removed: true, .. } if query.starts_with("limit=") => *element = json!({ "id": id }),
            Vm { removed: true, .. } => return false,
            Vm { changed: true, listed, .. } => element.clone_from(listed),
            seen => seen.listed.clone_from(element),
        }
        true
    });
}

fn not_predicted() -> Prediction {
    let reason = "what VMmanager makes of this request is not known here";
    Prediction::Unknown("the operation asks for it".to_owned(), reason.to_owned())
}

fn without_secrets(body: &Value) -> Value {
    let mut shown = body.clone();
    if let Some(password) = shown.get_mut("password") {
        *password = json!(MASK);
    }
    // Which of them are secrets is not said here.
    recipe_values_mut(&mut shown).for_each(|value| *value = json!(MASK));
    shown
}
