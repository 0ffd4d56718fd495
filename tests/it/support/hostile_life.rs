//! The random life of services on two platforms with the same ids, whose clients are hostile: they write into their VMs and
//! change their e-mails, administrators lose their role, platforms move, staff change handlers and hand services over. Each
//! operation is disturbed once, then the cause is mended, and it has to succeed. A [`Witness`] judges every run.

use std::net::IpAddr;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use pmvmmanager6::error::Kind;
use pmvmmanager6::fault;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sandbox::bill::{Order, Run};
use sandbox::vmm::{ClusterNames, Fault, Lists, Setup, VmManager};

use super::hostile_client;
use super::invariants::Invariant;
use super::random_life::misfortune;
use super::refusal::Refusal;
use super::trouble::Trouble;
use super::witness::{Doer, Witness};
use super::world::TestWorld;

const TRIES: usize = 10;
const ADMIN: &str = "admin@example.net";
const STRANGER: &str = "stranger@example.info";

/// One service as it should be.
#[derive(Clone, Debug)]
struct Life {
    item: u64,
    client: u64,
    platform: usize,
    status: i64,
    sizes: (u64, u64, u64),
}

/// A world with what is known of it.
struct Lives {
    world: TestWorld,
    random: StdRng,
    witness: Witness,
    services: Vec<Life>,
    story: Vec<String>,
}

/// The lives of the seeds from 0 to `count`, `at_once` at a time: they mostly wait. Names the seeds of those that failed.
pub(crate) fn rounds(count: u64, at_once: usize, steps: usize) {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < count
                {
                    if panic::catch_unwind(|| round(seed, 3, steps)).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {count} lives broke an invariant; their seeds: {failed:?}", failed.len());
}

/// `steps` operations on `services` services, everything drawn from `seed`, which a failure names.
pub(crate) fn round(seed: u64, services: usize, steps: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = TestWorld::with(|scene| {
        let clusters = ClusterNames { suffix: "-fra".to_owned(), ..ClusterNames::default() };
        scene.more = vec![Setup { clusters, ..Setup::default() }];
        for setup in std::iter::once(&mut scene.vmm).chain(&mut scene.more) {
            setup.address = address(seed);
            setup.timing.other = Duration::from_millis(random.gen_range(5..40));
            setup.timing.create = Duration::from_millis(random.gen_range(10..60));
        }
    });
    for invariant in [Invariant::OneVm, Invariant::NothingForgotten] {
        world.waive(invariant, "clients copy and erase marks; the witness knows better");
    }
    for (number, (vmm, _)) in (0..).zip(world.platforms()) {
        vmm.change(|platform| {
            // Two VMs with one id were not created in the same second.
            platform.clock_ahead = SignedDuration::from_hours(number);
            let stranger = platform.add_account(STRANGER, "Pass-of-stranger-1", "@user");
            platform.add_host("strange", stranger, 1);
            platform.lists =
                Lists { cap: Some(random.gen_range(1..6)), short_pages: random.r#gen(), ..Lists::default() };
        });
    }
    let witness = Witness::start(&world);
    let mut lives = Lives { world, random, witness, services: Vec::new(), story: vec![format!("seed {seed}")] };
    for _ in 0..services {
        let life = lives.order();
        lives.services.push(life);
    }
    for _ in 0..steps {
        lives.step();
    }
}

/// An address of its own for each life: a port that a platform has left must not be another world's.
fn address(seed: u64) -> IpAddr {
    let [.., high, low] = seed.to_be_bytes();
    IpAddr::from([127, 7, high, low])
}

impl Lives {
    fn order(&mut self) -> Life {
        let client = if self.random.r#gen() { self.world.alice } else { self.world.bob };
        let platform = self.random.gen_range(0..2);
        let item = self.world.bill.order(&Order::new(client, self.world.tariffs.small, self.handler(platform)));
        self.tell(format!("client {client} orders service {item} on {platform}"));
        Life { item, client, platform, status: 5, sizes: (1, 1024, 10_240) }
    }

    fn handler(&self, platform: usize) -> u64 {
        self.world.platforms().nth(platform).unwrap().1
    }

    fn vmm(&self, platform: usize) -> &VmManager {
        self.world.platforms().nth(platform).unwrap().0
    }

    fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}\n{}", self.story.join("\n"), self.world.bill.log());
    }

    fn step(&mut self) {
        let at = self.random.gen_range(0..self.services.len());
        self.edit_something();
        let life = self.services[at].clone();
        match self.random.gen_range(0..10) {
            0 if life.status != 5 => self.hand_over(at),
            1 if life.status != 5 => self.ask_link(&life),
            _ => self.operate(at),
        }
    }

    /// Now and then a client writes into one of the VMs.
    fn edit_something(&mut self) {
        let all: Vec<_> = self.witness.vms.iter().map(|(id, item)| (*id, *item)).collect();
        if let Some(((platform, host), item)) = all.choose(&mut self.random).copied()
            && self.random.gen_range(0..2) == 0
        {
            let edit = hostile_client::edit(&mut self.random, &self.world, item);
            self.tell(format!("VM {host} on {platform} gets {edit:?}"));
            self.vmm(platform).client_edits(host, &edit);
        }
    }

    fn operate(&mut self, at: usize) {
        let mut life = self.services[at].clone();
        let sensible: &[&str] = match life.status {
            5 => &["open"],
            3 => &["resume", "resume", "setparam", "close"],
            _ => &["suspend", "setparam", "setparam", "reboot", "close"],
        };
        let command = *sensible.choose(&mut self.random).unwrap();
        if command == "setparam" {
            life.sizes = (life.sizes.0 + 1, life.sizes.1 + 1024, life.sizes.2 + 10_240);
            let (cpu, ram, disk) = life.sizes;
            for (addon, value) in [("ncpu", cpu), ("mem", ram), ("disk disc", disk / 1024)] {
                self.world.bill.set_addon(life.item, addon, i64::try_from(value).unwrap());
            }
        }
        let trouble = self.draw_trouble(&life);
        self.tell(format!("{command} of {life:?} with {trouble:?}"));
        let environment = self.arrange(&life, trouble);
        self.attempt(&life, command, &environment, Some(trouble));
        self.mend(&life, trouble);
        for tried in 0.. {
            if self.world.bill.running(life.item).iter().all(|operation| operation.command != command) {
                break;
            }
            if tried == TRIES {
                self.fail(&format!("{command} of service {} does not succeed", life.item));
            }
            self.attempt(&life, command, &[], None);
        }
        life.status = match command {
            "suspend" => 3,
            "close" => 4,
            "setparam" => life.status,
            _ => 2,
        };
        self.check(&life);
        self.services[at] = if life.status == 4 { self.order() } else { life };
    }

    fn draw_trouble(&mut self, life: &Life) -> Trouble {
        let trouble = *Trouble::ALL.choose(&mut self.random).unwrap();
        let fits = match trouble {
            // An order without a VM may be served where its handler leads.
            Trouble::TakenOver | Trouble::WrongHandler => !self.witness.vms_of(life.item).is_empty(),
            Trouble::Email => life.status == 5,
            _ => true,
        };
        if fits { trouble } else { Trouble::None }
    }

    fn arrange(&mut self, life: &Life, trouble: Trouble) -> Vec<(&'static str, &'static str)> {
        let (mine, other) = (life.platform, 1 - life.platform);
        match trouble {
            Trouble::None => {}
            Trouble::Kill => {
                let point = fault::POINTS.choose(&mut self.random).copied().unwrap();
                self.tell(format!("killed at {point}"));
                return vec![("PMVMMANAGER6_FAULT", point)];
            }
            Trouble::Misfortune => {
                let method = *["GET", "POST", "DELETE"].choose(&mut self.random).unwrap();
                let (action, nth) = (misfortune(&mut self.random), self.random.gen_range(1..4));
                self.tell(format!("{method} {action:?}, the {nth}th"));
                self.vmm(mine).fault(Fault::on(method, "*").nth(nth).act(action));
            }
            Trouble::PanelAway => self.world.bill.panel_down(Some(self.random.gen_range(1..3))),
            Trouble::ClientEdits => self.edit_in_between(life),
            Trouble::Demoted => drop(self.vmm(mine).demote(ADMIN)),
            Trouble::Moved => self.vmm(mine).move_to(0).unwrap(),
            Trouble::TakenOver => self.vmm(other).take_over(self.vmm(mine)).unwrap(),
            Trouble::WrongHandler => self.world.bill.move_service(life.item, self.handler(other)),
            Trouble::Email => {
                let free = format!("free{}@example.com", self.story.len());
                let own = ["alice@example.com", "bob@example.org", STRANGER, ADMIN, &free];
                let email = (*own.choose(&mut self.random).unwrap()).to_owned();
                self.tell(format!("client {} takes {email}", life.client));
                self.world.bill.set_email(life.client, &email);
            }
        }
        Vec::new()
    }

    /// Between two requests of the run.
    fn edit_in_between(&mut self, life: &Life) {
        for (platform, host) in self.witness.vms_of(life.item) {
            let edit = hostile_client::edit(&mut self.random, &self.world, life.item);
            let nth = self.random.gen_range(1..4);
            self.tell(format!("VM {host} on {platform} gets {edit:?} at its {nth}th request"));
            self.vmm(platform).before("GET", "/vm/v3/host", nth, move |platform| {
                platform.client_edits(host, &edit);
            });
        }
    }

    fn mend(&mut self, life: &Life, trouble: Trouble) {
        for (vmm, _) in self.world.platforms() {
            vmm.clear_faults();
        }
        self.world.bill.panel_up();
        let mine = self.vmm(life.platform);
        match trouble {
            Trouble::Demoted => mine.change(|platform| {
                platform.variant.user_lists = sandbox::vmm::UserLists::default();
                platform.give_role(ADMIN, "@admin");
            }),
            Trouble::Moved | Trouble::TakenOver => {
                self.world.bill.set_handler_url(self.handler(life.platform), &mine.url());
            }
            Trouble::WrongHandler => self.world.bill.move_service(life.item, self.handler(life.platform)),
            Trouble::Email => {
                let known = self.witness.account_of(life.platform, life.client);
                let known = known.map(|id| mine.look(|platform| platform.accounts[&id].email.clone()));
                let email = known.unwrap_or_else(|| format!("client{}@example.com", life.client));
                self.world.bill.set_email(life.client, &email);
            }
            _ => {}
        }
    }

    /// One run. With a trouble it may be refused as that explains; without, the client's own writing may have to be undone.
    fn attempt(&mut self, life: &Life, command: &'static str, environment: &[(&str, &str)], trouble: Option<Trouble>) {
        let run = self.world.attempt(life.item, command, &[], environment);
        let doer = Doer { item: life.item, client: life.client, platform: life.platform, command };
        if let Err(broken) = self.witness.judge(&self.world, doer) {
            self.fail(&broken);
        }
        let forbidden = trouble.is_some_and(Trouble::forbids);
        if run.done {
            if forbidden {
                self.fail(&format!("{command} of service {} succeeded with {trouble:?}", life.item));
            }
            return;
        }
        self.judge_refusal(life, &run, trouble);
    }

    fn judge_refusal(&mut self, life: &Life, run: &Run, trouble: Option<Trouble>) {
        if run.status != Some(1) {
            return;
        }
        let refusal = Refusal::of(run);
        self.tell(format!("refused: {}: {}", refusal.kind.name(), refusal.value));
        // Another client took the e-mail before: this one gets a new one.
        if refusal.kind == Kind::AccountTaken && self.has_email_of_another(life) {
            self.world.bill.set_email(life.client, &format!("client{}@example.com", life.client));
            return;
        }
        match trouble.and_then(Trouble::kinds) {
            Some(kinds) if !kinds.contains(&refusal.kind) => {
                self.fail(&format!("{trouble:?} is refused with {}", refusal.kind.name()));
            }
            _ => {}
        }
        // A client who writes into a VM whose id never arrived here has to take it back.
        if refusal.kind == Kind::Vm6Foreign {
            self.clean_comments(life);
        }
    }

    fn has_email_of_another(&self, life: &Life) -> bool {
        let rows = self.world.bill.rows("SELECT email FROM user WHERE account = ?", &[&life.client.to_string()]);
        let email = rows[0][0].clone().unwrap_or_default();
        let found =
            self.vmm(life.platform).look(|platform| platform.account_by_email(&email).map(|account| account.id));
        found.is_some_and(|id| self.witness.accounts.get(&(life.platform, id)) != Some(&life.client))
    }

    /// Staff clear the comments of the client's VMs; the mark of the service's own stays.
    fn clean_comments(&mut self, life: &Life) {
        let of_client: Vec<u64> =
            self.services.iter().filter(|other| other.client == life.client).map(|other| other.item).collect();
        let all: Vec<_> = self.witness.vms.iter().filter(|(_, item)| of_client.contains(item)).collect();
        for ((platform, host), item) in all {
            let mark = if *item == life.item { self.world.mark(*item) } else { String::new() };
            self.vmm(*platform).change(|p| p.hosts.get_mut(host).unwrap().comment = mark);
        }
    }

    fn check(&self, life: &Life) {
        let status = self.world.bill.item(life.item).status;
        if status != life.status {
            self.fail(&format!("the status of service {} is {status}, not {}", life.item, life.status));
        }
        let vms = self.witness.vms_of(life.item);
        if life.status == 4 {
            assert!(vms.is_empty() || { self.fail("a closed service has a VM") });
            return;
        }
        let [(platform, host)] = vms[..] else { self.fail(&format!("service {} has the VMs {vms:?}", life.item)) };
        let found = self.vmm(platform).look(|p| {
            let host = &p.hosts[&host];
            (host.state.clone(), (host.cpu_number, host.ram_mib, p.main_disk(host.id).unwrap().size_mib))
        });
        let state = if life.status == 3 { "stopped" } else { "active" };
        if found != (state.to_owned(), life.sizes) {
            self.fail(&format!("VM {host} of {life:?} is {found:?}"));
        }
    }

    /// The client's button leads to his own account, or is refused.
    fn ask_link(&mut self, life: &Life) {
        let command = "transition_controlpanel";
        let run = self.world.run(&["--command", command, "--item", &life.item.to_string()]);
        self.tell(format!("login link of {life:?}: {:?}", run.status));
        let doer = Doer { item: life.item, client: life.client, platform: life.platform, command };
        if let Err(broken) = self.witness.judge(&self.world, doer) {
            self.fail(&broken);
        }
        let is_expected = match run.status {
            Some(0) => life.status == 2,
            _ => life.status == 3 && Refusal::of(&run).kind == Kind::BadParam,
        };
        if !is_expected {
            self.fail(&format!("the login link of service {}: {run:?}", life.item));
        }
    }

    /// The service goes to the other client, as a copy or in place. It is refused until staff have given the VM to the
    /// client's account and linked it.
    fn hand_over(&mut self, at: usize) {
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
        let doer = Doer { item: life.item, client: life.client, platform: life.platform, command: "link" };
        if let Err(broken) = self.witness.judge(&self.world, doer) {
            self.fail(&broken);
        }
        if run.status != Some(0) {
            self.fail(&format!("link of service {item}: {run:?}"));
        }
    }
}
