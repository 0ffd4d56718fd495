//! A VM as VMmanager listed it, and as the steps of a plan leave it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::vmm::body::Resources;
use crate::vmm::host::Host;
use crate::vmm::reason::whole;
use crate::vmm::tuned::{TUNING, bare};

/// Values that a VM's list shows beside what was accepted for its next stop.
const ANNOUNCED: [(&str, &str); 2] = [("cpu_number", "cpu_number_new"), ("ram_mib", "ram_mib_new")];

/// What VMmanager would say to a change.
pub(super) enum Prediction {
    /// It would be done; why it is asked for.
    Done(String),
    /// It would be refused; why it is asked for, and why it is refused.
    Refused(String, String),
    /// Nobody knows; why it is asked for, and what is not known.
    Unknown(String, String),
}

pub(super) struct Vm {
    /// Its element in the list of VMs.
    pub listed: Value,
    /// What is known of its list of IPv4 addresses.
    pub ipv4: Vec<Value>,
    /// IPv4 addresses that would be taken from it.
    dropped: Vec<u64>,
    /// Its IPv6 settings, once they were changed.
    pub ipv6: Option<Value>,
    /// It is not as VMmanager shows it any more.
    pub changed: bool,
    /// It would be removed.
    pub removed: bool,
    waiting: Map<String, Value>,
}

impl Vm {
    /// As VMmanager lists it.
    pub(super) fn new(listed: Value) -> Self {
        Vm {
            listed,
            ipv4: Vec::new(),
            dropped: Vec::new(),
            ipv6: None,
            changed: false,
            removed: false,
            waiting: Map::new(),
        }
    }

    /// `VM 217 (vps3)`.
    pub(super) fn title(&self) -> String {
        format!("VM {} ({})", self.number("id").unwrap_or_default(), self.text("name"))
    }

    fn text(&self, name: &str) -> &str {
        self.listed.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<u64> {
        number(&self.listed, name)
    }

    fn is(&self, flag: &str) -> bool {
        self.listed.get(flag).and_then(Value::as_bool).unwrap_or_default()
    }

    fn disk_number(&self, name: &str) -> Option<u64> {
        number(self.listed.get("disk")?, name)
    }

    /// Whether the main disk has this number.
    pub(super) fn has_disk(&self, disk: u64) -> bool {
        self.disk_number("id") == Some(disk)
    }

    fn set(&mut self, name: &str, value: Value) {
        self.listed[name] = value;
        self.changed = true;
    }

    /// Cores, memory and speeds.
    pub(super) fn change_resources(&mut self, body: &Value) -> Prediction {
        let mut values = body.as_object().cloned().unwrap_or_default();
        let deferred = values.remove("defer").is_some();
        let what: Vec<String> = values.iter().map(|(name, value)| self.difference(name, value)).collect();
        let what = what.join(", ");
        if deferred {
            let why = format!("{what}, at the next stop of the VM: {}", self.obstacle(&values));
            self.put_off(values);
            return Prediction::Done(why);
        }
        match self.text("state") {
            "stopped" => self.apply(values),
            "active" => return self.change_hot(values, &what),
            state => return unknown_state(what, state),
        }
        Prediction::Done(format!("{what}, while the VM is stopped"))
    }

    fn change_hot(&mut self, values: Map<String, Value>, what: &str) -> Prediction {
        let kinds = [
            ("speeds", values.keys().any(|name| name.starts_with("net_"))),
            ("limits or modes", values.keys().any(|name| TUNING.contains(&name.as_str()))),
        ];
        if let Some((kind, _)) = kinds.into_iter().find(|(_, is_there)| *is_there) {
            let open = format!("only VMmanager knows whether it takes new {kind} {WHILE_IT_RUNS}");
            return Prediction::Unknown(format!("{what}, while the VM runs"), open);
        }
        self.apply(values);
        Prediction::Done(hot(what))
    }

    /// `memory 2048 → 4096 MiB`.
    fn difference(&self, name: &str, wanted: &Value) -> String {
        let or_none = |value: Option<u64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        let speed = || {
            let own = self.number(name).filter(|&limit| limit > 0).or(self.number("net_bandwidth_mbitps"));
            own.filter(|&limit| limit > 0).map_or_else(|| "no limit".to_owned(), |limit| limit.to_string())
        };
        match name {
            "cpu_number" => format!("cores {} → {wanted}", or_none(self.number(name))),
            "ram_mib" => format!("memory {} → {wanted} MiB", or_none(self.number(name))),
            "net_in_mbitps" => format!("incoming speed {} → {wanted} Mbit/s", speed()),
            "net_out_mbitps" => format!("outgoing speed {} → {wanted} Mbit/s", speed()),
            other => format!("{other} {} → {}", bare(&self.listed[other]), bare(wanted)),
        }
    }

    /// Why cores or memory cannot change while the VM runs.
    fn obstacle(&self, values: &Map<String, Value>) -> &'static str {
        if values.iter().all(|(name, value)| self.listed.get(name) == Some(value)) {
            "something else waits for that stop and is ordered no longer"
        } else {
            let (vm, wanted) = (Host::deserialize(&self.listed), Resources::deserialize(&Value::from(values.clone())));
            let known = vm.ok().zip(wanted.ok()).and_then(|(vm, wanted)| vm.obstacle(&wanted));
            known.unwrap_or("VMmanager does not do it while the VM runs")
        }
    }

    fn apply(&mut self, values: Map<String, Value>) {
        for (name, value) in values {
            if let Some((_, announced)) = ANNOUNCED.iter().find(|(known, _)| *known == name) {
                self.set(announced, json!(0));
            }
            self.set(&name, value);
        }
    }

    fn put_off(&mut self, values: Map<String, Value>) {
        for (name, value) in values {
            if let Some((_, announced)) = ANNOUNCED.iter().find(|(known, _)| *known == name) {
                self.set(announced, value.clone());
            }
            self.waiting.insert(name, value);
        }
    }

    /// The main disk.
    pub(super) fn grow_disk(&mut self, body: &Value) -> Prediction {
        let (has, wanted) = (self.disk_number("disk_mib").unwrap_or_default(), body["size_mib"].clone());
        let what = format!("disk {has} → {wanted} MiB");
        let state = self.text("state").to_owned();
        let deferred = body.get("defer").is_some();
        self.listed["disk"][if deferred { "disk_mib_new" } else { "disk_mib" }] = wanted;
        self.changed = true;
        match (deferred, state.as_str()) {
            (true, _) if self.is("live_resize") => Prediction::Done(format!("{what}, at the next stop of the VM")),
            (true, _) => {
                Prediction::Done(format!("{what}, at the next stop of the VM: its disk cannot grow while it runs"))
            }
            (false, "stopped") => Prediction::Done(format!("{what}, while the VM is stopped")),
            (false, "active") if self.is("live_resize") => Prediction::Done(hot(&what)),
            (false, other) => unknown_state(what, other),
        }
    }

    /// What was accepted for a stop takes effect.
    fn stop_over(&mut self) {
        let announced = ANNOUNCED.map(|(name, announced)| (name, self.number(announced).filter(|&value| value > 0)));
        let mut values = std::mem::take(&mut self.waiting);
        for (name, value) in announced {
            values.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
        self.apply(values);
        if let Some(size) = self.disk_number("disk_mib_new").filter(|&size| size > 0) {
            self.listed["disk"]["disk_mib"] = json!(size);
            self.listed["disk"]["disk_mib_new"] = json!(0);
        }
    }

    /// `start`, `stop` or `restart`.
    pub(super) fn switch(&mut self, action: &str, body: &Value) -> Prediction {
        let state = self.text("state").to_owned();
        let force = if body.get("force").is_some() { ", by force" } else { "" };
        let (why, after) = match (action, state.as_str()) {
            ("start", "stopped") => (format!("{} is stopped", self.title()), "active"),
            ("stop", "active") => (format!("{} runs{force}", self.title()), "stopped"),
            ("restart", "active") if self.is_waiting() => {
                ("one restart applies everything that waits for a stop of the VM".to_owned(), "active")
            }
            ("restart", "active") => (format!("{} is to be restarted{force}", self.title()), "active"),
            (_, other) => return unknown_state(self.title(), other),
        };
        if action != "start" {
            self.stop_over();
        }
        self.set("state", json!(after));
        Prediction::Done(why)
    }

    fn is_waiting(&self) -> bool {
        let announced = ANNOUNCED.iter().any(|(_, announced)| self.number(announced).is_some_and(|value| value > 0));
        announced || !self.waiting.is_empty() || self.disk_number("disk_mib_new").is_some_and(|size| size > 0)
    }

    pub(super) fn note(&mut self, body: &Value) -> Prediction {
        let why = format!("{} has no mark of the service in its comment", self.title());
        self.set("comment", body["comment"].clone());
        Prediction::Done(why)
    }

    pub(super) fn remove(&mut self) -> Prediction {
        let owner = self.listed["account"]["email"].as_str().unwrap_or_default();
        let (title, comment) = (self.title(), self.text("comment"));
        let why = format!("{title} is proved to be the service's: owner {owner}, comment \"{comment}\"");
        if self.is("is_protected") {
            // No source says what VMmanager says then [api 6, row 22].
            let reason = "the VM is protected from deletion; if VMmanager refuses it for that, the operation fails";
            return Prediction::Unknown(why, reason.to_owned());
        }
        self.removed = true;
        Prediction::Done(why)
    }

    /// Takes in what VMmanager says of its IPv4 addresses; the list as the plan leaves it.
    pub(super) fn read_ipv4(&mut self, real: &[Value]) -> &[Value] {
        let known = |id| self.ipv4.iter().any(|address| number(address, "id") == id);
        let is_new = |address: &&Value| {
            let id = number(address, "id");
            !known(id) && id.is_none_or(|id| !self.dropped.contains(&id))
        };
        let new: Vec<Value> = real.iter().filter(is_new).cloned().collect();
        self.ipv4.splice(0..0, new);
        &self.ipv4
    }

    /// Gets further IPv4 addresses.
    pub(super) fn add_ipv4(&mut self, addresses: Vec<Value>) -> Prediction {
        let has = self.list("ip4").len();
        let why = format!("IPv4 addresses of {}: {has} → {}", self.title(), has + addresses.len());
        let literals = addresses.iter().map(|address| json!({ "ip": address["ip_addr"] }));
        let all: Vec<Value> = self.list("ip4").iter().cloned().chain(literals).collect();
        self.set("ip4", json!(all));
        self.ipv4.extend(addresses);
        Prediction::Done(why)
    }

    /// IPv6 on, with this address, or off.
    pub(super) fn set_ipv6(&mut self, body: &Value, address: &str) -> Prediction {
        let on = body["ipv6_enabled"] == json!(true);
        let why =
            format!("IPv6 of {} is {}", self.title(), if on { "off, on is ordered" } else { "on, off is ordered" });
        if on && !self.list("ip6").is_empty() {
            let why = format!("the IPv6 network of {} has another length", self.title());
            return Prediction::Unknown(
                why,
                "whether VMmanager changes the length of a network is not known".to_owned(),
            );
        }
        self.set("ip6", if on { json!([{ "ip": address }]) } else { json!([]) });
        self.ipv6 = Some(body.clone());
        Prediction::Done(why)
    }

    /// Loses an address; nothing when it has no such.
    pub(super) fn drop_ip(&mut self, ip: u64) -> Option<Prediction> {
        let at = self.ipv4.iter().position(|address| number(address, "id") == Some(ip))?;
        let literal = self.ipv4.remove(at)["ip_addr"].clone();
        self.dropped.push(ip);
        let left: Vec<Value> = self.list("ip4").iter().filter(|address| address["ip"] != literal).cloned().collect();
        self.set("ip4", json!(left));
        Some(Prediction::Done(format!("{} was given up", literal.as_str().unwrap_or_default())))
    }

    /// An address gets a reverse name; nothing when the VM has no such.
    pub(super) fn name_ip(&mut self, ip: u64, body: &Value) -> Option<Prediction> {
        let address = self.ipv4.iter_mut().find(|address| number(address, "id") == Some(ip))?;
        let had = std::mem::replace(&mut address["domain"], body["domain"].clone());
        let literal = address["ip_addr"].as_str().unwrap_or_default();
        let why = format!("the reverse name of {literal} is \"{}\"", had.as_str().unwrap_or_default());
        self.changed = true;
        Some(Prediction::Done(why))
    }

    fn list(&self, name: &str) -> &[Value] {
        self.listed.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

const WHILE_IT_RUNS: &str =
    "while the VM runs; if not, the same waits for the next stop of the VM and one restart follows";

fn hot(what: &str) -> String {
    format!("{what}, while the VM runs; should VMmanager refuse that, it waits for a stop and one restart follows")
}

fn unknown_state(what: String, state: &str) -> Prediction {
    Prediction::Unknown(what, format!("the VM is {state}, and what VMmanager does then is not known"))
}

/// A number, or a number in a text.
pub(super) fn number(object: &Value, name: &str) -> Option<u64> {
    whole(object.get(name)?).and_then(|number| u64::try_from(number).ok())
}
