//! Short words for the tests of a service's life: what a run asked of VMmanager, what the VM is like after it, and runs
//! that are killed, have further arguments or belong to no operation.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::bill::{Order, Run};
use sandbox::vmm::{Action, Fault, Host, Request};
use serde_json::{Value, json};

use super::world::{Scene, TestWorld};

/// A public SSH key.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@laptop";

/// `item.status` of an active service.
pub(crate) const ACTIVE: i64 = 2;
/// `item.status` of a suspended service.
pub(crate) const SUSPENDED: i64 = 3;
/// `ip.status` of a slot that waits for its address.
pub(crate) const FREE: i64 = 1;
/// `ip.status` of a slot in use.
pub(crate) const USED: i64 = 2;

/// No changing request.
pub(crate) const NOTHING: [(String, Value); 0] = [];

/// What BILLmanager shows of a service: parameters, and slots as [`sandbox::bill::Bill::slots`] gives them.
pub(crate) type Billing = (BTreeMap<String, String>, Vec<(u64, String, i64)>);
/// What a scenario does to a world before the command under test runs; the service.
pub(crate) type Arrange = fn(&TestWorld, u64);

/// Tasks that are slow enough for the next run to meet them.
pub(crate) fn slow(scene: &mut Scene) {
    scene.vmm.timing.other = Duration::from_millis(400);
}

/// What waits for a stop says so in its body [api 4.8].
pub(crate) fn deferred(mut body: Value) -> Value {
    body["defer"] = json!({ "action": "host_stop" });
    body
}

/// VMmanager's refusal of one request.
pub(crate) fn refusal(method: &str, path: &str, text: &str) -> Fault {
    let body = json!({ "error": { "code": 3006, "msg": text } }).to_string();
    Fault::on(method, path).act(Action::Status { code: 400, body })
}

/// Method, path and body of a request, to compare with [`TestWorld::asked`].
pub(crate) fn post(path: impl Into<String>, body: Value) -> (String, Value) {
    (format!("POST /vm/v3/{}", path.into()), body)
}

/// The same without a body.
pub(crate) fn delete(path: impl Into<String>) -> (String, Value) {
    (format!("DELETE /vm/v3/{}", path.into()), Value::Null)
}

impl TestWorld {
    /// Changes a VM as somebody at VMmanager's panel would.
    pub(crate) fn alter(&self, host: u64, change: impl FnOnce(&mut Host)) {
        self.vmm.change(|platform| change(platform.hosts.get_mut(&host).unwrap()));
    }

    /// Cores, memory and disk of a VM, both in MiB.
    pub(crate) fn sizes(&self, host: u64) -> (u64, u64, u64) {
        self.vmm.look(|p| (p.hosts[&host].cpu_number, p.hosts[&host].ram_mib, p.main_disk(host).unwrap().size_mib))
    }

    /// Id of a VM's main disk.
    pub(crate) fn disk(&self, host: u64) -> u64 {
        self.vmm.look(|platform| platform.main_disk(host).unwrap().id)
    }

    /// Ids and texts of the addresses of a VM, the main one first.
    pub(crate) fn addresses(&self, host: u64, family: u8) -> Vec<(u64, String)> {
        let address = |ip: &sandbox::vmm::Ip| (ip.id, ip.ip_addr.clone());
        self.vmm.look(|platform| platform.addresses(host, family).into_iter().map(address).collect())
    }

    /// Reverse name of an address.
    pub(crate) fn ptr(&self, ip: u64) -> String {
        self.vmm.look(|platform| platform.ips[&ip].domain.clone())
    }

    /// Addresses of a service's slots in use, in the order of the slots.
    pub(crate) fn used_slots(&self, item: u64) -> Vec<String> {
        let slots = self.bill.slots(item).into_iter();
        slots.filter(|(_, _, status)| *status == USED).map(|(_, address, _)| address).collect()
    }

    /// The client gives a slot up: BILLmanager forgets it.
    pub(crate) fn give_up_slot(&self, slot: u64) {
        self.bill.exec("DELETE FROM ip WHERE id = ?", &[&slot.to_string()]);
    }

    /// An open service with add-ons ordered over the tariff of [`TestWorld::tariff`].
    pub(crate) fn opened_as(&self, order: &Order) -> u64 {
        let item = self.bill.order(order);
        self.succeed(item, "open");
        self.forget();
        item
    }

    /// Changing requests so far with their bodies.
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        let asked = |r: Request| (format!("{} {}", r.method, r.path), r.body.unwrap_or_default());
        self.changes().into_iter().map(asked).collect()
    }

    /// Requests so far that count against a budget: all but logins and looks at tasks.
    pub(crate) fn counted(&self) -> Vec<String> {
        let counts = |r: &Request| r.path != "/auth/v4/public/token" && r.path != "/vm/v3/task";
        let title = |r: Request| format!("{} {}?{}", r.method, r.path, r.query);
        self.vmm.requests().into_iter().filter(counts).map(title).collect()
    }

    /// One attempt with further arguments.
    #[track_caller]
    pub(crate) fn perform_with(&self, item: u64, command: &str, args: &[&str]) -> Run {
        self.attempt(item, command, args, &[])
    }

    /// A first attempt with further arguments, which succeeds silently.
    #[track_caller]
    pub(crate) fn succeed_with(&self, item: u64, command: &str, args: &[&str]) {
        let run = self.perform_with(item, command, args);
        assert!(run.done && run.stdout.is_empty(), "{command} {args:?}: {run:#?}\n{}", self.bill.log());
    }

    /// A run without an operation, as an employee's click may start it.
    #[track_caller]
    pub(crate) fn aside(&self, item: u64, command: &str) -> Run {
        self.run(&["--command", command, "--item", &item.to_string()])
    }

    /// An attempt that dies at a fault point; false when it never came by.
    #[track_caller]
    pub(crate) fn killed_at(&self, item: u64, command: &str, args: &[&str], point: &str) -> bool {
        self.attempt(item, command, args, &[("PMVMMANAGER6_FAULT", point)]).status.is_none()
    }

    /// Forgets what was tried so far and failed.
    pub(crate) fn drop_operations(&self) {
        self.bill.exec("DELETE FROM runningoperation", &[]);
    }

    /// Every plain parameter of a service, and what it knows of its address slots.
    pub(crate) fn billing(&self, item: u64) -> Billing {
        (self.bill.params(item), self.bill.slots(item))
    }
}
