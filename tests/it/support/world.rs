//! A [`World`] with the binary under test as its module, short deadlines, and a memory of every run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::process::Child;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use pmvmmanager6::digest::{hmac_sha256, sha256};
use pmvmmanager6::journal::Phase;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::traits::PrivateKeyParts;
use sandbox::World;
use sandbox::bill::{self, Database, ItemRow, Order, Run, Tariff};
use sandbox::vmm::{self, Host, Request};

use super::invariants::{Invariant, assert_sound};
use super::refusal::Refusal;

/// Deadlines of every run; a scene adds its own after them.
const LIMITS: &str = "asleep=4,panel=8,call=30,database=3,create=20,change=8,disk=8,unlisted=1,address=5,appear=1";
/// No wrong input may keep a person waiting longer.
pub(crate) const IMPATIENCE: Duration = Duration::from_secs(10);

/// What a test changes before its world starts.
pub(crate) struct Scene {
    /// VMmanager, the first of several.
    pub vmm: vmm::Setup,
    /// Further ones, each with a handler.
    pub more: Vec<vmm::Setup>,
    /// BILLmanager.
    pub bill: bill::Setup,
    /// More of `PMVMMANAGER6_LIMITS`, e.g. `create=1`.
    pub limits: String,
}

/// A world, its memory of runs, and the VMs that nobody asked the module for.
pub(crate) struct TestWorld {
    world: World,
    runs: Mutex<Vec<Run>>,
    by_hand: Mutex<BTreeSet<(usize, u64)>>,
    forgotten: Mutex<Forgotten>,
    waived: Mutex<BTreeMap<Invariant, &'static str>>,
    installation: OnceLock<(String, String)>,
}

/// Every scenario ends sound, also one that says nothing about it.
impl Drop for TestWorld {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_sound(self);
        }
    }
}

/// What the search for secrets still needs of requests and calls that a test has forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forgotten {
    /// Session tokens.
    pub tokens: BTreeSet<String>,
    /// Arguments of `mgrctl`.
    pub arguments: Vec<String>,
}

impl Deref for TestWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// Everything BILLmanager and VMmanager hold of one service, to be compared before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    item: ItemRow,
    params: BTreeMap<String, String>,
    secrets: Vec<(String, String)>,
    slots: Vec<(u64, String, i64)>,
    hosts: Vec<(usize, (u64, String, String))>,
    accounts: Vec<(usize, String)>,
}

impl TestWorld {
    /// A world on SQLite.
    pub(crate) fn start() -> Self {
        Self::with(|_| ())
    }

    /// A world on another database.
    pub(crate) fn on(database: Database) -> Self {
        Self::with(|scene| scene.bill.database = database)
    }

    /// A world with settings of its own.
    pub(crate) fn with(arrange: impl FnOnce(&mut Scene)) -> Self {
        let bill = bill::Setup::new(env!("CARGO_BIN_EXE_pmvmmanager6"));
        let mut scene = Scene { vmm: vmm::Setup::default(), more: Vec::new(), bill, limits: String::new() };
        arrange(&mut scene);
        let limits = format!("{LIMITS},{}", scene.limits);
        scene.bill.environment.push(("PMVMMANAGER6_LIMITS".to_owned(), limits));
        let world = World::with_platforms(scene.vmm, scene.more, scene.bill).expect("the sandbox starts");
        TestWorld {
            world,
            runs: Mutex::default(),
            by_hand: Mutex::default(),
            forgotten: Mutex::default(),
            waived: Mutex::default(),
            installation: OnceLock::new(),
        }
    }

    /// From now on an invariant need not hold: the test breaks it on purpose.
    pub(crate) fn waive(&self, invariant: Invariant, why: &'static str) {
        self.waived.lock().unwrap().insert(invariant, why);
    }

    /// Whether an invariant need not hold.
    pub(crate) fn is_waived(&self, invariant: Invariant) -> bool {
        self.waived.lock().unwrap().contains_key(&invariant)
    }

    /// The example of the contract: 2 cores, 2 GiB, 20 GiB, one address.
    pub(crate) fn tariff(&self) -> u64 {
        self.bill.add_tariff(&Tariff::sized("VPS 2-2-20", 2, 2048, 20_480).handler(self.handler))
    }

    /// An order of Alice for such a VPS, not placed yet.
    pub(crate) fn usual_order(&self) -> Order {
        Order::new(self.alice, self.tariff(), self.handler)
    }

    /// A service that waits to be opened.
    pub(crate) fn ordered(&self) -> u64 {
        self.bill.order(&self.usual_order())
    }

    /// A service that is open; what it took is forgotten.
    pub(crate) fn opened(&self) -> u64 {
        let item = self.ordered();
        self.succeed(item, "open");
        self.forget();
        item
    }

    /// An open service, suspended when `command` is to end that.
    pub(crate) fn ready_for(&self, command: &str) -> u64 {
        if command == "open" {
            return self.ordered();
        }
        let item = self.opened();
        if command == "resume" {
            self.succeed(item, "suspend");
            self.forget();
        }
        item
    }

    /// Forgets requests and panel calls so far.
    pub(crate) fn forget(&self) {
        *self.forgotten.lock().unwrap() = self.spoken();
        self.platforms().for_each(|(vmm, _)| vmm.forget_requests());
        self.bill.forget_calls();
    }

    /// Tokens and arguments of this world so far, those of forgotten requests and calls included.
    pub(crate) fn spoken(&self) -> Forgotten {
        let mut spoken = self.forgotten.lock().unwrap().clone();
        spoken.tokens.extend(self.requests().into_iter().filter_map(|request| request.token));
        spoken.arguments.extend(self.bill.calls().iter().map(|call| call.argv.join(" ")));
        spoken
    }

    /// One attempt at an operation.
    #[track_caller]
    pub(crate) fn perform(&self, item: u64, command: &str) -> Run {
        self.attempt(item, command, &[], &[])
    }

    /// One attempt with further arguments and environment variables.
    #[track_caller]
    pub(crate) fn attempt(&self, item: u64, command: &str, extra: &[&str], environment: &[(&str, &str)]) -> Run {
        let running = self.bill.running(item).into_iter().find(|it| it.command == command);
        let operation = running.map_or_else(|| self.bill.operation(item, command), |it| it.id);
        let args = self.bill.arguments(item, command, operation);
        let args: Vec<&str> = args.iter().map(String::as_str).chain(extra.iter().copied()).collect();
        let started = Instant::now();
        let output = self.bill.command(&args).envs(environment.iter().copied()).output().expect("the module starts");
        let run = self.bill.settle(operation, Run::new(&output, started.elapsed()));
        self.remember(run)
    }

    /// A run outside of any operation.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.remember(self.bill.run(args))
    }

    /// The same with a document on standard input.
    #[track_caller]
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        self.remember(self.bill.run_with_input(args, input))
    }

    /// Keeps a run for the invariants.
    #[track_caller]
    pub(crate) fn remember(&self, run: Run) -> Run {
        if run.status == Some(1) {
            Refusal::of(&run);
        }
        self.runs.lock().unwrap().push(run.clone());
        run
    }

    /// Every run so far.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    /// Starts an operation as BILLmanager does, without waiting for it.
    pub(crate) fn begin(&self, item: u64, command: &str, operation: u64) -> Child {
        let args = self.bill.arguments(item, command, operation);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.bill.command(&args).spawn().unwrap()
    }

    /// Waits for all; each must have ended well.
    #[track_caller]
    pub(crate) fn all_succeed(&self, children: Vec<Child>) -> Vec<Run> {
        let started = Instant::now();
        let ended = children.into_iter().map(|child| {
            let run = self.remember(Run::new(&child.wait_with_output().unwrap(), started.elapsed()));
            assert_eq!(run.status, Some(0), "{run:#?}\n{}", self.bill.log());
            run
        });
        ended.collect()
    }

    /// The operation succeeds at its first try, silently.
    #[track_caller]
    pub(crate) fn succeed(&self, item: u64, command: &str) -> Run {
        let run = self.perform(item, command);
        assert!(run.done, "{command} of service {item} is not done: {run:#?}\n{}", self.bill.log());
        assert_eq!(run.stdout, "", "an item command prints nothing on success");
        assert_eq!(self.bill.running(item), [], "no operation is left");
        run
    }

    /// The operation fails at its first try: exit status 1, the same error on standard output and in errorxml.
    #[track_caller]
    pub(crate) fn fail(&self, item: u64, command: &str) -> Refusal {
        let run = self.perform(item, command);
        let refusal = Refusal::of(&run);
        let operation = self.bill.running(item).into_iter().find(|it| it.command == command);
        let errorxml = operation.and_then(|it| it.errorxml).unwrap_or_else(|| panic!("no errorxml: {run:#?}"));
        assert_eq!(Refusal::of_errorxml(&errorxml), refusal);
        refusal
    }

    /// The operation is refused for a reason that waiting cannot cure: quickly, and nothing is touched by it.
    #[track_caller]
    pub(crate) fn refuse(&self, item: u64, command: &str) -> Refusal {
        let before = self.snapshot(item);
        let started = Instant::now();
        let refusal = self.fail(item, command);
        assert!(started.elapsed() < IMPATIENCE, "{:?} is too long for {refusal:?}", started.elapsed());
        assert_eq!(self.snapshot(item), before, "something was changed before {refusal:?}");
        refusal
    }

    /// What both platforms hold of a service.
    pub(crate) fn snapshot(&self, item: u64) -> Snapshot {
        let secrets = ["password", "userpassword"].into_iter();
        let secrets = secrets.filter_map(|name| Some((name.to_owned(), self.bill.secret(item, name)?)));
        let host = |host: &Host| (host.id, host.comment.clone(), host.state.clone());
        Snapshot {
            item: self.bill.item(item),
            params: self.bill.params(item),
            secrets: secrets.collect(),
            slots: self.bill.slots(item),
            hosts: self.on_each_site(|platform| platform.hosts.values().map(host).collect()),
            accounts: self.on_each_site(|p| p.accounts.values().map(|account| account.email.clone()).collect()),
        }
    }

    /// A VM that somebody makes in VMmanager's panel.
    pub(crate) fn make_by_hand(&self, name: &str, account: u64) -> u64 {
        self.make_by_hand_on(0, name, account)
    }

    /// The same at the VMmanager of this number.
    pub(crate) fn make_by_hand_on(&self, site: usize, name: &str, account: u64) -> u64 {
        let host = self.site(site).change(|platform| {
            let cluster = platform.clusters.keys().next().copied().unwrap_or_default();
            platform.add_host(name, account, cluster)
        });
        self.by_hand.lock().unwrap().insert((site, host));
        host
    }

    /// VMs that exist because the module asked for them.
    pub(crate) fn made_by_module(&self) -> Vec<((usize, u64), Host)> {
        let by_hand = self.by_hand.lock().unwrap().clone();
        self.all_hosts().into_iter().filter(|(place, _)| !by_hand.contains(place)).collect()
    }

    /// The mark of a service's VM, computed as the contract says it.
    pub(crate) fn mark(&self, item: u64) -> String {
        let (installation, key) = self.installation.get_or_init(|| {
            let pem = std::fs::read_to_string(self.bill.root().join("etc/billmgr.pem")).unwrap();
            let key = rsa::RsaPrivateKey::from_pkcs1_pem(&pem).or_else(|_| rsa::RsaPrivateKey::from_pkcs8_pem(&pem));
            let key = key.unwrap();
            let public = key.to_public_key().to_public_key_der().unwrap();
            let secret = [b"pmvmmanager6 marks:".as_slice(), &key.d().to_bytes_be()].concat();
            (sha256(public.as_bytes())[..12].to_owned(), sha256(&secret))
        });
        let tag = hmac_sha256(key.as_bytes(), format!("{installation}:{item}").as_bytes());
        format!("billmgr:{installation}:{item}:{}", &tag[..16])
    }

    /// VMs that have the mark of a service.
    pub(crate) fn hosts_of(&self, item: u64) -> Vec<Host> {
        self.placed(item).into_iter().map(|(_, host)| host).collect()
    }

    /// The one VM of a service.
    #[track_caller]
    pub(crate) fn host_of(&self, item: u64) -> Host {
        let mut hosts = self.hosts_of(item);
        assert_eq!(hosts.len(), 1, "service {item} has another number of VMs: {hosts:#?}\n{}", self.bill.log());
        hosts.remove(0)
    }

    /// What the journal says of a service: phase and VM.
    pub(crate) fn journal(&self, item: u64) -> Option<(String, Option<u64>)> {
        let file = self.bill.root().join("var/pmvmmanager6/journal.db");
        let journal = rusqlite::Connection::open(file).unwrap();
        let sql = "SELECT phase, vm FROM service WHERE item = ?1";
        journal.query_row(sql, [item], |row| Ok((row.get(0)?, row.get(1)?))).ok()
    }

    /// The journal's word for a phase.
    #[track_caller]
    pub(crate) fn assert_phase(&self, item: u64, phase: Phase) {
        let found = self.journal(item).map(|(phase, _)| phase);
        assert_eq!(found.as_deref(), Some(phase.name()), "{}", self.bill.log());
    }

    /// Requests other than reading and logging in: `POST /vm/v3/host`, in order.
    pub(crate) fn mutations(&self) -> Vec<String> {
        self.changes().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// The same with their bodies.
    pub(crate) fn changes(&self) -> Vec<Request> {
        let changes = |request: &Request| request.method != "GET" && request.path != "/auth/v4/public/token";
        self.requests().into_iter().filter(changes).collect()
    }

    /// Requests so far, of one platform after the other.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.platforms().flat_map(|(vmm, _)| vmm.requests()).collect()
    }

    /// Panel functions called so far, in order; `service.saveparam` with the parameter's name.
    pub(crate) fn panel_calls(&self) -> Vec<String> {
        let name = |call: &bill::Call| match call.function.as_str() {
            "service.saveparam" => {
                let own = ["elid", "sok", "crypted"];
                let saved = call.params.iter().map(|param| param.name.as_str()).filter(|name| !own.contains(name));
                format!("service.saveparam {}", saved.collect::<Vec<_>>().join(" "))
            }
            function => function.to_owned(),
        };
        self.bill.calls().iter().map(name).collect()
    }
}
