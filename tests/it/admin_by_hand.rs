//! What an administrator tries first: `--version`, `features`, `check-connection`, and a panel command at a terminal.

use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use pmvmmanager6::error::Kind;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sandbox::bill::{Handler, Run};
use sandbox::vmm::{Certificate, Transport};

use crate::support::golden::assert_golden;
use crate::support::processes::until;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

fn module() -> assert_cmd::Command {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"))
}

fn printed(arguments: &[&str]) -> String {
    let run = module().args(arguments).env("PMVMMANAGER6_ROOT", "/nonexistent/mgr5").assert().success().stderr("");
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// The commit in parentheses and the target after it.
fn built() -> (String, String) {
    let text = printed(&["--version"]);
    let inside = text.strip_prefix(concat!("pmvmmanager6 ", env!("CARGO_PKG_VERSION"), " (")).expect("the version");
    let (commit, target) = inside.strip_suffix(")\n").and_then(|inside| inside.split_once(", ")).expect("the build");
    (commit.to_owned(), target.to_owned())
}

#[test]
fn the_version_names_commit_and_target() {
    let (commit, target) = built();
    assert!(target.starts_with(std::env::consts::ARCH) && target.contains("linux"), "{target}");
    let git = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let head = git.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    match head.filter(|_| option_env!("PMVMMANAGER6_COMMIT").is_none()) {
        Some(head) => assert!(String::from_utf8(head).unwrap().starts_with(&commit) && commit.len() == 7, "{commit}"),
        None => assert!(!commit.is_empty()),
    }
    // What the panel's form prints stays as it is.
    assert_eq!(printed(&["-T"]), concat!("pmvmmanager6 ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn features_for_people_need_no_installation() {
    let (commit, target) = built();
    let normal = |text: &str| text.replace(&target, "TARGET").replace(&commit, "COMMIT");
    assert_golden("by_hand/features.txt", &normal(&printed(&["features"])));
    assert_golden("by_hand/features.json", &normal(&printed(&["features", "--json"])));
    assert!(!std::path::Path::new("/nonexistent").exists());
}

fn check(world: &TestWorld, handler: u64, more: &[&str]) -> Run {
    let handler = handler.to_string();
    let words: Vec<&str> = ["check-connection", "--module", &handler].iter().chain(more).copied().collect();
    world.bill.run(&words)
}

#[test]
fn the_stored_settings_step_by_step() {
    let world = TestWorld::with(|scene| scene.vmm.transport = Transport::Tls(Certificate::SelfSigned));
    let normal = |text: &str| text.replace(&world.vmm.url(), "https://vm.example.net");
    let run = check(&world, world.handler, &[]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert_golden("by_hand/check_connection.txt", &normal(&run.stdout));
    let run = check(&world, world.handler, &["--json"]);
    assert_golden("by_hand/check_connection.json", &normal(&run.stdout));
    assert_eq!(world.mutations(), [""; 0]);
    assert!(!world.bill.root().join("var/pmvmmanager6/run/runtime.db").exists(), "no session is kept");
}

/// The same refusal by hand and from the panel.
#[test]
fn a_step_that_fails_keeps_only_those_that_need_it_from_being_taken() {
    let world = TestWorld::start();
    world.vmm.change(|platform| platform.version = "2023.01.1".into());
    let handler = Handler::new(&world.vmm.url(), "admin@example.net", "Adm1n-secret-pass", "77");
    let handler = world.bill.add_handler(&handler);
    let run = check(&world, handler, &[]);
    assert_eq!(run.status, Some(1));
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = run.stdout.lines().map(words).collect();
    for expected in ["ok role", "error version", "ok rights", "error cluster", "skipped interfaces"] {
        assert!(lines.iter().any(|line| line == expected), "{expected}:\n{}", run.stdout);
    }
    assert!(run.stdout.contains("→ update VMmanager") && !run.stdout.contains("Adm1n-secret-pass"), "{}", run.stdout);
    let id = handler.to_string();
    let form = format!(
        "<doc><processingmodule><id>{id}</id><url>{}</url><username>admin@example.net</username>\
         <cluster>77</cluster></processingmodule></doc>",
        world.vmm.url()
    );
    let refusal = Refusal::of(&world.run_with_input(&["--command", "check_connection"], &form));
    refusal.is(Kind::Vm6Version, "version", &["2023.01.1"]);
}

#[test]
fn handlers_that_cannot_be_tried_are_one_line() {
    let world = TestWorld::start();
    let foreign = Handler { module: "pmvmmgr6".into(), ..Handler::new(&world.vmm.url(), "a@b.c", "x", "1") };
    let foreign = world.bill.add_handler(&foreign);
    for (handler, what) in [(foreign, "belongs to the module pmvmmgr6"), (4711, "no handler with the id 4711")] {
        let run = check(&world, handler, &[]);
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (Some(1), "", 1), "{run:?}");
        assert!(run.stderr.contains(what), "{}", run.stderr);
    }
    assert!(world.vmm.requests().is_empty());
    module().arg("check-connection").env("PMVMMANAGER6_ROOT", world.bill.root()).assert().code(2).stdout("");
}

/// Runs the module with a terminal as standard input, on which nobody types.
fn at_a_terminal(world: &TestWorld, arguments: &[&str]) -> Output {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal: OwnedFd = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut command = world.bill.command(arguments);
    let mut child = command.stdin(terminal).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The other end stays open and silent: a reader would wait for ever.
    until("the end of a command that must not read", || child.try_wait().unwrap());
    drop(master);
    child.wait_with_output().unwrap()
}

#[test]
fn a_question_is_answered_at_a_terminal() {
    let world = TestWorld::start();
    for command in ["check_param", "check_addon"] {
        let output = at_a_terminal(&world, &["--command", command, "--param", "disk", "--value", "20"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn a_command_that_wants_a_document_says_so_at_a_terminal() {
    let world = TestWorld::start();
    for command in ["check_connection", "tune_connection", "tuning_param", "get_suitable_module"] {
        let output = at_a_terminal(&world, &["--command", command]);
        let refusal = Refusal::of(&Run::new(&output, std::time::Duration::ZERO));
        refusal.is(Kind::BadInputXml, "stdin", &[command, "standard input, which is a terminal"]);
    }
    assert!(world.vmm.requests().is_empty());
}
