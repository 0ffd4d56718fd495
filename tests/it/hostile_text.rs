//! What clients and VMmanager write reaches people on one line, without characters that move the cursor or turn the
//! direction of writing, and not without end.

use pmvmmanager6::error::Kind;
use pmvmmanager6::text::LONGEST;
use pmvmmanager6::wire;
use sandbox::bill::Run;
use sandbox::vmm::{Action, Fault};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// Clears the screen, renames the window, turns the direction of writing, and forges lines of a log and of a table.
const ATTACK: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{202e}gpj\u{2066}\u{200f}\u{61c}\u{2028}\
                      \n2025-01-01 00:00:00.000 [1] ERROR forged\r\nerror  forged  row\u{85}";
/// What stays of its beginning.
const HARMLESS: &str = "\u{fffd}[2J\u{fffd}]0;owned\u{fffd}\u{fffd}31m\u{fffd}\u{fffd}gpj";

fn long() -> String {
    ATTACK.to_owned() + &"\"".repeat(100_000)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}".contains(c) || {
        ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
    }
}

/// Line breaks of ours apart, nothing unsafe is in it, and no line is forged.
#[track_caller]
fn assert_harmless(place: &str, text: &str) {
    for line in text.lines() {
        assert!(!line.contains(is_unsafe), "{place}: {line:?}");
        assert!(line.chars().count() <= 5 * LONGEST, "{place}: {} characters", line.chars().count());
        assert!(!line.starts_with("2025-01-01 00:00:00.000") && !line.starts_with("error  forged"), "{place}: {line}");
    }
}

/// A world in which every word of VMmanager and of the client is an attack.
fn attacked() -> (TestWorld, u64) {
    let world = TestWorld::start();
    let item = world.opened();
    let id = world.host_of(item).id;
    world.alter(id, |vm| {
        vm.name = format!("vm{ATTACK}");
        vm.comment = format!("{} {}", vm.comment, long());
    });
    world.bill.exec("UPDATE account SET name = ?", &[ATTACK]);
    (world, item)
}

#[track_caller]
fn assert_shown(run: &Run) {
    assert!(run.stdout.contains(HARMLESS), "the text itself is shown: {run:#?}");
    assert_harmless("standard output", &run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn an_error_of_vmmanager_is_harmless_wherever_it_is_told() {
    let refused = Action::Error { status: 400, code: 3006, msg: long() };
    let failed = Action::FailTask { word: "failed", text: long() };
    let cases = [("a refusal", (refused, Kind::Vm6Api)), ("a task", (failed, Kind::Vm6Task))];
    each(&cases, |(action, kind)| {
        let world = TestWorld::start();
        let item = world.ordered();
        world.bill.exec("UPDATE runningoperation SET trycount = 10", &[]);
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action.clone()));
        let run = world.attempt(item, "open", &[], &[]);
        let refusal = Refusal::of(&run);
        assert_eq!(refusal.kind, *kind);
        for text in [&refusal.object, &refusal.value] {
            assert_harmless("the error", text);
            assert!(text.lines().count() == 1 && text.chars().count() <= 2 * LONGEST, "{text}");
        }
        assert!(refusal.value.contains(HARMLESS), "{refusal:?}");
        let log = world.bill.log();
        assert!(log.contains(HARMLESS), "{log}");
        assert_harmless("the log", &log);
        assert!(log.lines().all(|line| line.starts_with("20") && line.contains(" [")), "{log}");
        let errorxml = world.bill.running(item)[0].errorxml.clone().unwrap();
        assert_eq!(Refusal::of_errorxml(&errorxml), refusal);
        for told in wire::parse(errorxml.as_bytes()).unwrap().all("error") {
            assert_harmless("the log in errorxml", told.value("log"));
            assert_harmless("errorxml", told.value("backtrace"));
        }
        assert!(errorxml.len() < 128 * 1024, "{} bytes in one argument", errorxml.len());
        let tasks = world.bill.tasks(item);
        assert_eq!(tasks.len(), 1);
        assert_harmless("the task for staff", &tasks[0].params);
    });
}

#[test]
fn pages_of_operator_commands_are_harmless() {
    let commands: [(&str, &[&str]); 3] =
        [("show", &["show"]), ("link", &["link"]), ("reinstall", &["reinstall", "--os", "ISPsystem__Debian 12"])];
    each(&commands, |words| {
        let (world, item) = attacked();
        let item = item.to_string();
        let run = world.bill.run(&[words, &["--item", &item][..]].concat());
        assert_shown(&run);
    });
}

#[test]
fn the_audit_is_harmless() {
    let (world, _) = attacked();
    assert_shown(&world.bill.run(&["audit"]));
}

#[test]
fn documents_for_programs_are_harmless_and_keep_comments() {
    let (world, item) = attacked();
    let run = world.bill.run(&["show", "--item", &item.to_string(), "--json"]);
    assert!(!run.stdout.replace('\n', "").contains(is_unsafe), "{}", run.stdout);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let vm = &document["vmmanager"]["vm"];
    assert!(vm["name"].as_str().unwrap().starts_with(&format!("vm{HARMLESS}")), "{vm:#}");
    assert!(vm["comment"].as_str().unwrap().contains(ATTACK), "{vm:#}");
}

#[test]
fn a_refused_login_is_harmless() {
    let commands: [(&str, &[&str]); 2] = [("doctor", &["doctor"]), ("check-connection", &["check-connection"])];
    each(&commands, |words| {
        let world = TestWorld::start();
        let refused = Action::Error { status: 401, code: 1000, msg: long() };
        world.vmm.fault(Fault::on("POST", "/auth/v4/public/token").always().act(refused));
        let handler = world.handler.to_string();
        let run = world.bill.run(&[words, &["--module", &handler][..]].concat());
        assert_eq!(run.status, Some(1), "{run:#?}");
        assert_shown(&run);
        let cure = run.stdout.lines().find(|line| line.contains("→ check user name and password"));
        assert!(cure.is_some(), "what to do is not cut off: {}", run.stdout);
    });
}
