//! Whole operations of the real program while VMmanager's answers are broken.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire;
use sandbox::World;
use sandbox::bill::{Order, Run, Setup};
use sandbox::vmm::{Fault, Host};
use tempfile::TempDir;

use crate::broken_answers::{Choices, rewrite};

/// KiB of writable memory that a run may have: allocations beyond it fail, and the program with them.
const MEMORY: u64 = 128 << 10;
/// No run takes longer.
const LONGEST: Duration = Duration::from_mins(1);
const LIMITS: &str = "answer=2,asleep=0.3,panel=5,create=1,change=0.6,disk=0.6,unlisted=0.3,address=0.3,appear=0.3";
const OPERATIONS: [&str; 10] =
    ["open", "suspend", "resume", "setparam", "sync_item", "reboot", "stop", "changepassword", "stat", "close"];

/// One operation of a service meets broken answers. It ends in time and in little memory, as done or with an error of the
/// contract; done is what VMmanager's own state shows; and no VM of anybody else is touched, then or afterwards, when
/// VMmanager is honest again and the operation is repeated.
pub fn check(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let command = OPERATIONS[usize::from(*first) % OPERATIONS.len()];
    let scene = Scene::start();
    scene.prepare(command);
    scene.world.vmm.fault(Fault::rewriting(rewrite(&Choices::new(rest))));
    let run = scene.run(command);
    scene.world.vmm.clear_faults();
    scene.assert_sound(command, &run);
    let again = scene.run(command);
    scene.assert_sound(command, &again);
}

/// A world with a service of Alice and a VM of Bob.
struct Scene {
    world: World,
    item: u64,
    others: Host,
    _module: TempDir,
}

impl Scene {
    fn start() -> Self {
        let (directory, module) = limited();
        let mut setup = Setup::new(module);
        setup.environment.push(("PMVMMANAGER6_LIMITS".to_owned(), LIMITS.to_owned()));
        let world = World::with(sandbox::vmm::Setup::default(), setup).expect("the sandbox starts");
        let others = world.vmm.change(|platform| {
            let bob = platform.add_account("bob@example.org", "B0b-secret-pass", "@user");
            let host = platform.add_host("bobs", bob, 1);
            platform.hosts[&host].clone()
        });
        let item = world.bill.order(&Order::new(world.alice, world.tariffs.small, world.handler));
        Scene { world, item, others, _module: directory }
    }

    /// Does what has to be done before the operation, with an honest VMmanager.
    fn prepare(&self, command: &str) {
        let before: &[&str] = match command {
            "open" => &[],
            "resume" | "sync_item" => &["open", "suspend"],
            _ => &["open"],
        };
        for command in before {
            let run = self.run(command);
            assert_eq!(run.status, Some(0), "{command} with an honest VMmanager: {run:?}\n{}", self.world.bill.log());
        }
        if command == "setparam" {
            self.world.bill.set_addon(self.item, "ncpu", 3);
            self.world.bill.set_addon(self.item, "mem", 3072);
            self.world.bill.set_addon(self.item, "disk disc", 12);
        }
    }

    fn run(&self, command: &str) -> Run {
        let bill = &self.world.bill;
        let handler = self.world.handler.to_string();
        if command == "stat" {
            return self.wait(&["--command", "stat", "--module", &handler]);
        }
        let running = bill.running(self.item).into_iter().find(|it| it.command == command);
        let operation = running.map_or_else(|| bill.operation(self.item, command), |it| it.id);
        let words = bill.arguments(self.item, command, operation);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        bill.settle(operation, self.wait(&words))
    }

    fn wait(&self, words: &[&str]) -> Run {
        let started = Instant::now();
        let mut child = self.world.bill.command(words).spawn().expect("the module starts");
        let readers = (reader(child.stdout.take()), reader(child.stderr.take()));
        let status = loop {
            if let Some(status) = child.try_wait().expect("the module is a child") {
                break status;
            }
            if started.elapsed() > LONGEST {
                end(&mut child);
                panic!("{words:?} did not end in {LONGEST:?}:\n{}", self.world.bill.log());
            }
            thread::sleep(Duration::from_millis(2));
        };
        let read = |reader: thread::JoinHandle<Vec<u8>>| reader.join().expect("the reader did not panic");
        Run::new(&Output { status, stdout: read(readers.0), stderr: read(readers.1) }, started.elapsed())
    }

    fn assert_sound(&self, command: &str, run: &Run) {
        let log = || self.world.bill.log();
        assert!(!log().contains("defect in the module"), "{command}: {run:?}\n{}", log());
        match run.status {
            Some(0) => self.assert_done(command, run),
            Some(1) => self.assert_told(command, run),
            other => panic!("{command}: exit status {other:?}: {run:?}\n{}", log()),
        }
        let (hosts, bobs) = self.world.vmm.look(|platform| {
            let others = self.others.id;
            let hosts: Vec<Host> = platform.hosts.values().filter(|host| host.id != others).cloned().collect();
            (hosts, platform.hosts.get(&others).cloned())
        });
        let bobs = bobs.unwrap_or_else(|| panic!("{command} removed Bob's VM:\n{}", log()));
        let facts = |host: &Host| (host.state.clone(), host.comment.clone(), host.name.clone(), host.account);
        assert_eq!(facts(&bobs), facts(&self.others), "{command} changed Bob's VM:\n{}", log());
        assert!(hosts.len() <= 1, "{command}: two VMs of one service: {hosts:#?}\n{}", log());
    }

    /// VMmanager's own state shows what was reported as done.
    fn assert_done(&self, command: &str, run: &Run) {
        let log = || self.world.bill.log();
        assert!(command == "stat" || run.stdout.is_empty(), "{command}: {run:?}");
        let hosts: Vec<Host> = self
            .world
            .vmm
            .look(|platform| platform.hosts.values().filter(|host| host.id != self.others.id).cloned().collect());
        let shown = || format!("{command} was reported as done: {hosts:#?}\n{}", log());
        if command == "close" {
            return assert!(hosts.is_empty(), "{}", shown());
        }
        let [host] = hosts.as_slice() else { panic!("{}", shown()) };
        match command {
            "suspend" | "sync_item" | "stop" => assert_eq!(host.state, "stopped", "{}", shown()),
            "open" | "resume" | "reboot" => assert_eq!(host.state, "active", "{}", shown()),
            "setparam" => {
                let disk = self.world.vmm.look(|platform| platform.main_disk(host.id).map(|disk| disk.size_mib));
                let has = (host.cpu_number, host.ram_mib, disk);
                assert_eq!(has, (3, 3072, Some(12 << 10)), "{}", shown());
            }
            "changepassword" => assert_eq!(host.password, "N3w-pass-from-panel", "{}", shown()),
            _ => {}
        }
        if command == "open" {
            let named = self.world.bill.params(self.item).get("panelid").cloned();
            assert_eq!(named, Some(host.id.to_string()), "{}", shown());
        }
    }

    /// One error of the contract, also in the running operation.
    fn assert_told(&self, command: &str, run: &Run) {
        let document = wire::parse(run.stdout.as_bytes()).expect("an error document");
        let kind = document.find("error").and_then(|error| error.get("type")).unwrap_or_default().to_owned();
        let known = Kind::ALL.iter().any(|known| known.name() == kind);
        assert!(known && kind != Kind::State.name(), "{command}: {run:?}\n{}", self.world.bill.log());
        if command != "stat" {
            let running = self.world.bill.running(self.item).into_iter().find(|it| it.command == command);
            let told = running.and_then(|it| it.errorxml).unwrap_or_default();
            assert!(told.contains(&kind), "{command}: nothing reached BILLmanager: {run:?}\n{}", self.world.bill.log());
        }
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        bytes
    })
}

fn end(child: &mut Child) {
    _ = child.kill();
    _ = child.wait();
}

/// The module under a limit of memory.
fn limited() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("limited");
    let module = module().display();
    fs::write(&script, format!("#!/bin/sh\nulimit -d {MEMORY}\nexec {module} \"$@\"\n")).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("an executable script");
    (directory, script)
}

/// The program under test: `PMVMMANAGER6_FUZZED`, or the one beside the running test. It must have been built with the
/// feature `faults`, because an honest patience takes minutes.
fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let chosen = std::env::var_os("PMVMMANAGER6_FUZZED").map(PathBuf::from);
        let module = chosen.unwrap_or_else(|| {
            let test = std::env::current_exe().expect("the running test");
            test.ancestors().nth(2).expect("the folder of programs").join("pmvmmanager6")
        });
        let build = "cargo build --workspace --bins --features pmvmmanager6/faults";
        assert!(module.is_file(), "there is no {}; run {build}", module.display());
        module
    })
}
