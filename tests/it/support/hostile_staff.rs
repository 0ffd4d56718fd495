//! What staff do with services in the lives of [`super::hostile_life`]: they hand them over, link them, and restore a database
//! that gives numbers again.

use pmvmmanager6::error::Kind;
use rand::Rng;
use sandbox::bill::Order;

use super::hostile_life::{Life, Lives};
use super::refusal::Refusal;
use super::witness::Doer;

impl Lives {
    /// The service goes to the other client, as a copy or in place. It is refused until staff have given the VM to the
    /// client's account and linked it.
    pub(super) fn hand_over(&mut self, at: usize) {
        let mut life = self.services[at].clone();
        let client = if life.client == self.world.alice { self.world.bob } else { self.world.alice };
        let old = life.item;
        let is_copy = self.random.r#gen();
        if is_copy {
            life.item = self.world.bill.transfer(old, client);
        } else {
            self.world.bill.give_to(old, client);
        }
        life.client = client;
        self.tell(format!("service {old} is handed over: {life:?}"));
        for owner in self.witness.vms.values_mut().filter(|owner| **owner == old) {
            *owner = life.item;
        }
        let command = if life.status == 3 { "resume" } else { "suspend" };
        let run = self.world.attempt(life.item, command, &[], &[]);
        if run.done || Refusal::of(&run).kind != Kind::Vm6Foreign {
            self.fail(&format!("{command} of a service that was handed over: {run:?}"));
        }
        self.world.bill.exec("DELETE FROM runningoperation", &[]);
        self.world.bill.exec("DELETE FROM task", &[]);
        self.give_vm(&life);
        self.link(&life);
        self.services[at] = life.clone();
        self.check(&life);
    }

    /// Staff give the VM to the client's account, which they make if there is none.
    fn give_vm(&mut self, life: &Life) {
        let (platform, client) = (life.platform, life.client);
        let known = self.witness.account_of(platform, client);
        let account = known.unwrap_or_else(|| {
            let email = format!("client{client}@example.com");
            self.vmm(platform).change(|p| p.add_account(&email, "Pass-made-by-staff-1", "@user"))
        });
        self.witness.accounts.insert((platform, account), client);
        let email = self.vmm(platform).look(|p| p.accounts[&account].email.clone());
        self.world.bill.set_email(client, &email);
        for (platform, host) in self.witness.vms_of(life.item) {
            self.vmm(platform).change(|p| {
                let host = p.hosts.get_mut(&host).unwrap();
                host.account = account;
                host.comment.clear();
            });
        }
    }

    fn link(&mut self, life: &Life) {
        let [(_, host)] = self.witness.vms_of(life.item)[..] else { self.fail("nothing to be linked") };
        self.clean_comments(life);
        let (item, vm) = (life.item.to_string(), host.to_string());
        let run = self.world.bill.run(&["link", "--item", &item, "--vm", &vm, "--yes"]);
        self.judge(life, "link");
        if run.status != Some(0) {
            self.fail(&format!("link of service {item}: {run:?}"));
        }
    }

    /// The database was restored, and an order of either client gets the number of a service that has a VM. It does not get
    /// the VM, and succeeds once staff have removed that.
    pub(super) fn reissue(&mut self, at: usize) {
        let mut life = self.services[at].clone();
        let client = if self.random.r#gen() { self.world.alice } else { self.world.bob };
        let order = Order::new(client, self.world.tariffs.small, self.handler(life.platform));
        self.world.bill.reissue(life.item, &order);
        (life.client, life.status, life.sizes) = (client, 5, (1, 1024, 10_240));
        self.tell(format!("the number of a service is given again: {life:?}"));
        let run = self.world.attempt(life.item, "open", &[], &[]);
        self.judge(&life, "open");
        if run.done || Refusal::of(&run).kind != Kind::Vm6Foreign {
            self.fail(&format!("open of a service with the number of another: {run:?}"));
        }
        for (platform, host) in self.witness.vms_of(life.item) {
            self.vmm(platform).change(|platform| platform.remove_host(host));
            self.witness.vms.remove(&(platform, host));
        }
        // A platform without the VM that was recorded is not recognised at another address.
        self.insist(&life, "open");
        life.status = 2;
        self.check(&life);
        self.services[at] = life;
    }

    /// The witness has seen a run.
    #[track_caller]
    pub(super) fn judge(&mut self, life: &Life, command: &str) {
        let doer = Doer { item: life.item, client: life.client, platform: life.platform, command };
        if let Err(broken) = self.witness.judge(&self.world, doer) {
            self.fail(&broken);
        }
    }

    /// Staff clear the comments of the client's VMs; the mark of the service's own stays.
    pub(super) fn clean_comments(&mut self, life: &Life) {
        let of_client: Vec<u64> =
            self.services.iter().filter(|other| other.client == life.client).map(|other| other.item).collect();
        let all: Vec<_> = self.witness.vms.iter().filter(|(_, item)| of_client.contains(item)).collect();
        for ((platform, host), item) in all {
            let mark = if *item == life.item { self.world.mark(*item) } else { String::new() };
            self.vmm(*platform).change(|p| p.hosts.get_mut(host).unwrap().comment = mark);
        }
    }
}
