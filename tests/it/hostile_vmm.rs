//! A broken or hostile VMmanager: whatever it answers, every command ends in time and in little memory, with an error of
//! the contract that reaches BILLmanager, and nobody is told that something was done which was not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use sandbox::bill::Run;
use sandbox::vmm::{Action, Fault, Hostile};
use tempfile::TempDir;

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

const PASSWORD: &str = "Adm1n-secret-pass";
/// KiB of writable memory that a run may have: allocations beyond it fail, and the program with them.
const MEMORY: u64 = 128 << 10;
/// No run takes longer, on a busy machine either; with the short deadlines of the tests most take a second.
const LONGEST: Duration = Duration::from_mins(1);
/// Bytes that the system takes as one argument.
const LONGEST_ARGUMENT: usize = 128 << 10;

const ITEM_COMMANDS: [&str; 12] = [
    "suspend",
    "resume",
    "setparam",
    "start",
    "stop",
    "reboot",
    "hardreboot",
    "changepassword",
    "sync_item",
    "reopen",
    "open",
    "close",
];

/// The module under a limit of memory.
fn limited() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("limited");
    let module = env!("CARGO_BIN_EXE_pmvmmanager6");
    fs::write(&script, format!("#!/bin/sh\nulimit -d {MEMORY}\nexec {module} \"$@\"\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    (directory, script)
}

fn world(module: PathBuf) -> TestWorld {
    let world = TestWorld::with(|scene| {
        scene.bill.module = module;
        "answer=1,list=3,asleep=1,create=3,change=2,disk=2,unlisted=1,address=1,appear=1".clone_into(&mut scene.limits);
    });
    world.waive(Invariant::NothingForgotten, "answers that name VMs are lost");
    world
}

/// Each kind with its place among all.
fn kinds() -> Vec<(&'static str, (usize, Hostile))> {
    Hostile::ALL.iter().enumerate().map(|(at, kind)| (kind.name(), (at, *kind))).collect()
}

/// A third of the commands, another one for the next kind: a broken read is repeated for seconds, and most kinds are
/// read in the same place.
fn share<T: Copy>(all: &[T], at: usize) -> impl Iterator<Item = T> {
    all.iter().copied().skip(at % 3).step_by(3)
}

/// It has ended by itself, and a failure is one of the contract.
#[track_caller]
fn assert_ended(world: &TestWorld, what: &str, run: &Run, began: Instant) {
    assert!(began.elapsed() < LONGEST, "{what}: {:?}", began.elapsed());
    assert!(matches!(run.status, Some(0 | 1)), "{what}: {run:#?}\n{}", world.bill.log());
    assert!(!world.bill.log().contains("defect in the module"), "{what}: {}", world.bill.log());
    assert!(run.stdout.len() + run.stderr.len() < LONGEST_ARGUMENT, "{what}: {} bytes", run.stdout.len());
}

/// The failure is in the running operation.
#[track_caller]
fn assert_reported(world: &TestWorld, item: u64, command: &str, run: &Run) {
    let refusal = Refusal::of(run);
    let told = world.bill.running(item).into_iter().find(|it| it.command == command).and_then(|it| it.errorxml);
    let told = told.unwrap_or_else(|| panic!("no errorxml for {command}: {run:#?}\n{}", world.bill.log()));
    assert_eq!(Refusal::of_errorxml(&told), refusal);
    assert!(told.len() < LONGEST_ARGUMENT, "{} bytes", told.len());
    assert_ne!(refusal.kind, Kind::State, "{refusal:?}");
}

#[test]
fn operations_end_whatever_is_answered() {
    let (_kept, module) = limited();
    each(&kinds(), |&(at, kind)| {
        let world = world(module.clone());
        let service = world.opened();
        for command in share(&ITEM_COMMANDS, at) {
            let item = if command == "open" { world.ordered() } else { service };
            world.vmm.clear_faults();
            world.vmm.fault(Fault::hostile(kind));
            let began = Instant::now();
            let run = world.perform(item, command);
            assert_ended(&world, command, &run, began);
            if run.status == Some(0) {
                assert_done(&world, item, command);
            } else {
                assert_reported(&world, item, command, &run);
            }
        }
    });
}

/// VMmanager's own state shows what was reported as done.
#[track_caller]
fn assert_done(world: &TestWorld, item: u64, command: &str) {
    let states: Vec<String> = world.hosts_of(item).into_iter().map(|host| host.state).collect();
    let expected: &[&str] = match command {
        "suspend" | "stop" => &["stopped"],
        "open" | "resume" | "start" | "reboot" | "hardreboot" => &["active"],
        "close" => &[],
        _ => return,
    };
    assert_eq!(states, expected, "{command} was reported as done\n{}", world.bill.log());
}

#[test]
fn handlers_and_questions_end_whatever_is_answered() {
    let (_kept, module) = limited();
    each(&kinds(), |&(at, kind)| {
        let world = world(module.clone());
        let (item, handler) = (world.opened().to_string(), world.handler.to_string());
        world.vmm.fault(Fault::hostile(kind));
        for command in share(&["stat", "sync_server", "import", "get_server_config"], at) {
            let began = Instant::now();
            let run = world.run(&["--command", command, "--module", &handler]);
            assert_ended(&world, command, &run, began);
        }
        let operator: [&[&str]; 7] = [
            &["show", "--item", &item],
            &["show", "--item", &item, "--json"],
            &["doctor", "--module", &handler],
            &["check-connection", "--module", &handler],
            &["audit"],
            &["plan", "--item", &item, "--command", "setparam"],
            &["link", "--item", &item],
        ];
        for words in share(&operator, at) {
            let began = Instant::now();
            let run = world.bill.run(words);
            assert_ended(&world, &words.join(" "), &run, began);
        }
    });
}

/// Somebody waits in front of a form: it opens, with the lists that could be had.
#[test]
fn forms_open_whatever_is_answered() {
    let (_kept, module) = limited();
    each(&kinds(), |&(_, kind)| {
        let world = world(module.clone());
        let (handler, url) = (world.handler.to_string(), world.vmm.url());
        let entered = format!("<url>{url}</url><username>admin@example.net</username><password>{PASSWORD}</password>");
        world.vmm.fault(Fault::hostile(kind));
        let forms = [
            (
                "tune_connection",
                format!("<doc func='processing.edit'><elid>{handler}</elid>{entered}<cluster>1</cluster></doc>"),
            ),
            ("tune_connection", format!("<doc func='processing.add.user'>{entered}</doc>")),
            ("tune_connection", format!("<doc func='processing.add.settings'>{entered}<cluster/></doc>")),
            ("pricelist_dynamic_settings_tune", "<doc/>".to_owned()),
        ];
        for (command, form) in forms {
            let began = Instant::now();
            let run = world.bill.run_with_input(&["--command", command, "--module", &handler], &form);
            assert_ended(&world, command, &run, began);
            assert_eq!(run.status, Some(0), "{form}: {run:#?}");
        }
        let settings = format!("<doc><processingmodule>{entered}<cluster>1</cluster></processingmodule></doc>");
        let began = Instant::now();
        let run = world.bill.run_with_input(&["--command", "check_connection"], &settings);
        assert_ended(&world, "check_connection", &run, began);
    });
}

/// It asks many questions, each for itself.
#[test]
fn verify_does_not_ask_for_ever() {
    let kinds = [("silent", Hostile::Silent), ("odd-texts", Hostile::OddTexts)];
    let (_kept, module) = limited();
    each(&kinds, |kind| {
        let world = world(module.clone());
        world.vmm.fault(Fault::hostile(*kind));
        let began = Instant::now();
        let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
        assert_ended(&world, "verify", &run, began);
    });
}

#[test]
fn a_hostile_login_ends() {
    let (_kept, module) = limited();
    each(&kinds(), |&(_, kind)| {
        let world = world(module.clone());
        let item = world.ordered();
        world.vmm.fault(Fault::on("POST", "/auth/v4/public/token").always().act(Action::Hostile(kind)));
        let began = Instant::now();
        let run = world.perform(item, "open");
        assert_ended(&world, "open", &run, began);
        if !run.done {
            assert_reported(&world, item, "open", &run);
        }
    });
}

/// The platform is hostile from some request of the operation on, and honest before.
#[test]
fn operations_that_were_begun_end() {
    let (_kept, module) = limited();
    let kinds: Vec<_> = kinds().into_iter().filter(|(_, (_, kind))| is_quick(*kind)).collect();
    let requests: Vec<usize> = (1..12).collect();
    each(&kinds, |&(at, kind)| {
        let world = world(module.clone());
        for nth in share(&requests, at) {
            let item = world.ordered();
            world.vmm.clear_faults();
            world.vmm.fault(Fault::hostile(kind).nth(nth));
            let began = Instant::now();
            let run = world.perform(item, "open");
            assert_ended(&world, &format!("open from request {nth} on"), &run, began);
            if !run.done {
                assert_reported(&world, item, "open", &run);
            }
            world.vmm.clear_faults();
            let began = Instant::now();
            let run = world.perform(item, "open");
            assert_ended(&world, "open, when all is well again", &run, began);
        }
    });
}

/// A look at a task waits for its answer, and so does the next look.
fn is_quick(kind: Hostile) -> bool {
    !matches!(
        kind,
        Hostile::Silent
            | Hostile::SlowHead
            | Hostile::SlowBody
            | Hostile::EndlessContinue
            | Hostile::ShortBody
            | Hostile::EmptyObjects
            | Hostile::EndlessList
            | Hostile::SlowList
    )
}
