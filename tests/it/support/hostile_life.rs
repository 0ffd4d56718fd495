//! The random life of services on two platforms with the same ids, whose clients are hostile: they write into their VMs and
//! change their e-mails, administrators lose their role, platforms move, staff change handlers and hand services over. Each
//! operation is disturbed once, then the cause is mended, and it has to succeed. A [`Witness`] judges every run. What staff do
//! with services is in `hostile_staff.rs`.

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
use sandbox::vmm::{ClusterNames, Fault, Lists, Platform, Setup, Size, VmManager};

use super::hostile_client;
use super::invariants::Invariant;
use super::random_life::misfortune;
use super::refusal::Refusal;
use super::trouble::Trouble;
use super::witness::Witness;
use super::world::TestWorld;

const TRIES: usize = 10;
const ADMIN: &str = "admin@example.net";
const STRANGER: &str = "stranger@example.info";

/// One service as it should be.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) item: u64,
    pub(super) client: u64,
    pub(super) platform: usize,
    pub(super) status: i64,
    pub(super) sizes: (u64, u64, u64),
}

/// A world with what is known of it.
pub(super) struct Lives {
    pub(super) world: TestWorld,
    pub(super) random: StdRng,
    pub(super) witness: Witness,
    pub(super) services: Vec<Life>,
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
            // In every second life VMs with one id may be created in the same second.
            platform.clock_ahead = SignedDuration::from_hours(if seed.is_multiple_of(2) { 0 } else { number });
            let stranger = platform.add_account(STRANGER, "Pass-of-stranger-1", "@user");
            platform.add_host("strange", stranger, 1);
            platform.lists = lists(&mut random);
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

/// How a platform pages its lists: `size` counts a page, or is absent, where no list needs a second one but that of VMs.
fn lists(random: &mut StdRng) -> Lists {
    let size = *[Size::Total, Size::Total, Size::Page, Size::Absent].choose(random).unwrap();
    let caps = if size == Size::Total { 1..40 } else { 20..40 };
    Lists {
        cap: random.r#gen::<bool>().then(|| random.gen_range(caps)),
        short_pages: size == Size::Total && random.r#gen(),
        size,
        ..Lists::default()
    }
}

impl Lives {
    fn order(&mut self) -> Life {
        let client = if self.random.r#gen() { self.world.alice } else { self.world.bob };
        let platform = self.random.gen_range(0..2);
        let item = self.world.bill.order(&Order::new(client, self.world.tariffs.small, self.handler(platform)));
        self.tell(format!("client {client} orders service {item} on {platform}"));
        Life { item, client, platform, status: 5, sizes: (1, 1024, 10_240) }
    }

    pub(super) fn handler(&self, platform: usize) -> u64 {
        self.world.platforms().nth(platform).unwrap().1
    }

    pub(super) fn vmm(&self, platform: usize) -> &VmManager {
        self.world.platforms().nth(platform).unwrap().0
    }

    pub(super) fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}\n{}", self.story.join("\n"), self.world.bill.log());
    }

    fn step(&mut self) {
        let at = self.random.gen_range(0..self.services.len());
        self.edit_something();
        self.page_differently();
        let life = self.services[at].clone();
        match self.random.gen_range(0..10) {
            0 if life.status != 5 => self.hand_over(at),
            1 if life.status != 5 => self.ask_link(&life),
            2 if life.status != 5 => self.reissue(at),
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

    /// Now and then a platform has another version.
    fn page_differently(&mut self) {
        for platform in 0..2 {
            if self.random.gen_range(0..4) == 0 {
                let lists = lists(&mut self.random);
                self.tell(format!("{platform} has {lists:?}"));
                self.vmm(platform).change(|platform| platform.lists = lists);
            }
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
        self.insist(&life, command);
        life.status = match command {
            "suspend" => 3,
            "close" => 4,
            "setparam" => life.status,
            _ => 2,
        };
        self.check(&life);
        self.services[at] = if life.status == 4 { self.order() } else { life };
    }

    /// Without a trouble it succeeds in the end.
    pub(super) fn insist(&mut self, life: &Life, command: &'static str) {
        for tried in 0.. {
            if self.world.bill.running(life.item).iter().all(|operation| operation.command != command) {
                break;
            }
            if tried == TRIES {
                self.fail(&format!("{command} of service {} does not succeed", life.item));
            }
            self.attempt(life, command, &[], None);
        }
    }

    fn draw_trouble(&mut self, life: &Life) -> Trouble {
        let trouble = *Trouble::ALL.choose(&mut self.random).unwrap();
        let fits = match trouble {
            // An order without a VM may be served where its handler leads.
            Trouble::TakenOver | Trouble::WrongHandler => !self.witness.vms_of(life.item).is_empty(),
            Trouble::Email | Trouble::Roleless => life.status == 5,
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
            Trouble::Roleless => self.vmm(mine).change(Platform::hide_roles),
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
            Trouble::Roleless => mine.change(|platform| {
                platform.variant.shows_roles = true;
                platform.accounts.values_mut().for_each(|account| account.shows_roles = true);
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
        self.judge(life, command);
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

    pub(super) fn check(&self, life: &Life) {
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
        self.judge(life, command);
        let is_expected = match run.status {
            Some(0) => life.status == 2,
            _ => life.status == 3 && Refusal::of(&run).kind == Kind::BadParam,
        };
        if !is_expected {
            self.fail(&format!("the login link of service {}: {run:?}", life.item));
        }
    }
}
