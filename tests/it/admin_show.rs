//! `pmvmmanager6 show`: the report of a service in every state it can be in, and what is packed of it for support.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pmvmmanager6::digest::sha256;
use sandbox::bill::{Database, Run};
use sandbox::vmm::{Action, Fault};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::golden::{assert_golden, normal};
use crate::support::invariants::{Invariant, assert_no_secret_in};
use crate::support::processes::{program_in, until};
use crate::support::world::TestWorld;

impl TestWorld {
    /// `show` with further arguments; nothing that it says may hold a secret.
    #[track_caller]
    fn show(&self, item: u64, arguments: &[&str]) -> Run {
        let item = item.to_string();
        let run = self.bill.run(&[&["show", "--item", item.as_str()], arguments].concat());
        assert_no_secret_in(self, "what show says", format!("{}{}", run.stdout, run.stderr).as_bytes());
        run
    }

    /// The page and the document are the kept ones; the exit status of both.
    #[track_caller]
    fn golden_report(&self, item: u64, name: &str) -> Option<i32> {
        let (page, document) = (self.show(item, &[]), self.show(item, &["--json"]));
        let (text, json) = (normal(self, &page.stdout), normal(self, &document.stdout));
        assert_golden(&format!("show/{name}.txt"), &without_log(&text, "Log, the last", "\n\n"));
        assert_golden(&format!("show/{name}.json"), &without_log(&json, "  \"log\": [", "  ],"));
        assert_eq!((page.stderr.as_str(), document.stderr.as_str()), ("", ""));
        assert_eq!(page.status, document.status);
        page.status
    }
}

/// How many lines the log has depends on how often a task was looked at.
fn without_log(text: &str, from: &str, to: &str) -> String {
    let Some(start) = text.find(from).map(|at| at + from.len()) else { return text.to_owned() };
    if text[start..].starts_with(']') {
        return text.to_owned();
    }
    let end = text[start..].find(to).unwrap() + start;
    format!("{} LINES{}", &text[..start], &text[end..])
}

/// A state of a service: its name, how it comes about, and the exit status of `show`.
type State = (fn(&TestWorld) -> u64, i32);

#[test]
fn the_report_of_a_service_in_every_state() {
    let states: [(&str, State); 10] = [
        (
            "ordered",
            (
                |world| {
                    world.opened();
                    world.ordered()
                },
                0,
            ),
        ),
        ("open", (TestWorld::opened, 0)),
        (
            "pending",
            (
                |world| {
                    let item = world.opened();
                    let host = world.host_of(item).id;
                    world.alter(host, |vm| (vm.cpu_number_new, vm.ram_mib_new) = (2, 2048));
                    item
                },
                0,
            ),
        ),
        (
            "failed",
            (
                |world| {
                    let item = world.ordered();
                    let action = Action::FailTask { word: "failed", text: "no space left on node-1".to_owned() };
                    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
                    world.fail(item, "open");
                    item
                },
                0,
            ),
        ),
        (
            "failed-change",
            (
                |world| {
                    let item = world.opened();
                    world.bill.set_addon(item, "ncpu", 4);
                    let action = Action::FailTask { word: "failed", text: "the node has no free cores".to_owned() };
                    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/resource").act(action));
                    world.fail(item, "setparam");
                    item
                },
                0,
            ),
        ),
        (
            "suspended",
            (
                |world| {
                    let item = world.opened();
                    world.succeed(item, "suspend");
                    item
                },
                0,
            ),
        ),
        (
            "suspended-running",
            (
                |world| {
                    let item = world.opened();
                    world.succeed(item, "suspend");
                    let host = world.host_of(item).id;
                    world.alter(host, |vm| "active".clone_into(&mut vm.state));
                    item
                },
                1,
            ),
        ),
        (
            "closed",
            (
                |world| {
                    let item = world.opened();
                    world.succeed(item, "close");
                    item
                },
                0,
            ),
        ),
        (
            "foreign",
            (
                |world| {
                    let item = world.opened();
                    let host = world.host_of(item);
                    let mark = world.mark(item);
                    let other = world.make_by_hand("by-hand", host.account);
                    world.alter(other, |vm| vm.comment = mark);
                    let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-m-1", "@user"));
                    world.alter(host.id, |vm| {
                        vm.account = stranger;
                        "billmgr:ffffffffffff:77".clone_into(&mut vm.comment);
                    });
                    world.waive(Invariant::NothingForgotten, "the VM has the mark of another installation");
                    world.fail(item, "stop");
                    item
                },
                1,
            ),
        ),
        (
            "gone",
            (
                |world| {
                    let item = world.opened();
                    let host = world.host_of(item).id;
                    world.vmm.change(|platform| drop(platform.hosts.remove(&host)));
                    item
                },
                1,
            ),
        ),
    ];
    let cases: Vec<_> = states.iter().map(|(name, state)| (*name, (*name, *state))).collect();
    each(&cases, |(name, (arrange, status))| {
        let world = TestWorld::start();
        let item = arrange(&world);
        let before = (world.snapshot(item), journal(&world));
        world.forget();
        assert_eq!(world.golden_report(item, name), Some(*status), "{name}");
        assert_eq!((world.snapshot(item), journal(&world)), before, "looking changes nothing");
        assert_eq!((world.mutations(), world.panel_calls()), (vec![], vec![]), "nothing is asked for");
    });
}

/// A fingerprint of everything in the journal.
fn journal(world: &TestWorld) -> String {
    let file = world.bill.root().join("var/pmvmmanager6/journal.db");
    let journal = rusqlite::Connection::open(file).unwrap();
    let dump = |table: &str| {
        let mut statement = journal.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let count = statement.column_count();
        let row = |row: &rusqlite::Row| (0..count).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect();
        let rows: Vec<Vec<_>> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
        format!("{rows:?}")
    };
    sha256(["service", "meter", "speed_cap", "meta"].map(dump).concat().as_bytes())
}

/// Something that is wrong with an open service, and a part of the sentence about it.
type Wrong = (fn(&TestWorld, u64), &'static str);

#[test]
fn what_contradicts_what() {
    let wrongs: [(&str, Wrong); 8] = [
        ("deleted", (|world, item| world.bill.set_item(item, "status", 4), "is deleted, but VM 215 still exists")),
        ("cores", (|world, item| world.bill.set_addon(item, "ncpu", 4), "4 cores are ordered, VM 215 has 2")),
        (
            "disk",
            (
                |world, item| world.bill.set_addon(item, "disk disc", 40_960),
                "40960 MiB of disk are ordered, VM 215 has 20480",
            ),
        ),
        (
            "order",
            (|world, item| world.bill.set_param(item, "domain", "a b"), "the order cannot be read: bad_param (domain)"),
        ),
        ("no id", (|world, item| world.bill.set_param(item, "panelid", "vm-215"), "panelid is \"vm-215\"")),
        (
            "another id",
            (
                |world, item| {
                    let other = world.opened();
                    world.bill.set_param(item, "panelid", &world.host_of(other).id.to_string());
                },
                "BILLmanager names VM 216, our journal VM 215",
            ),
        ),
        (
            "slot",
            (
                |world, item| {
                    let slot = world.bill.slots(item)[0].0.to_string();
                    world.bill.exec("UPDATE ip SET name = '198.51.100.7' WHERE id = ?", &[&slot]);
                },
                "a slot holds 198.51.100.7, which VM 215 does not have",
            ),
        ),
        (
            "left over",
            (
                |world, item| {
                    assert!(world.killed_at(item, "close", &[], "delete.after_intent"));
                    world.drop_operations();
                },
                "a removal was interrupted (\"deleting\" in the journal)",
            ),
        ),
    ];
    each(&wrongs, |(arrange, sentence)| {
        let world = TestWorld::start();
        let item = world.opened();
        arrange(&world, item);
        let page = world.show(item, &[]);
        assert_eq!(page.status, Some(1), "{page:?}");
        let found = page.stdout.split("Contradictions\n").nth(1).unwrap_or_else(|| panic!("{}", page.stdout));
        assert!(found.contains(sentence), "{found}");
    });
}

#[test]
fn the_same_report_on_mariadb() {
    let world = TestWorld::on(Database::MariaDb);
    let item = world.opened();
    assert_eq!(world.golden_report(item, "open"), Some(0));
}

#[test]
fn an_operation_that_waits_behind_another() {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "queue_enabled", "on");
    let item = world.opened();
    let holds = world.bill.root().join("holds");
    let key = world.handler.to_string();
    let hold = ["queue-hold", "--key", &key, "--label", "stat", "--log", holds.to_str().unwrap()];
    let mut holder = program_in(world.bill.root()).args(hold).stdin(std::process::Stdio::piped()).spawn().unwrap();
    until("the other operation", || fs::read_to_string(&holds).ok().filter(|text| text.contains("start")));
    let operation = world.bill.operation(item, "suspend");
    let arguments = world.bill.arguments(item, "suspend", operation);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let suspend = world.bill.command(&arguments).spawn().unwrap();
    until("a waiting suspend", || Some(()).filter(|()| world.bill.run(&["queue"]).stdout.contains("waiting")));
    assert_eq!(world.bill.run(&["queue", "pause", &key]).status, Some(0));
    let document: Value = serde_json::from_str(&world.show(item, &["--json"]).stdout).unwrap();
    let page = world.show(item, &[]);
    assert_eq!(page.status, Some(0), "{page:?}");
    let places: Vec<_> = document["queue"]["tickets"].as_array().unwrap().iter().collect();
    assert_eq!((&places[0]["key"], &places[0]["number"]), (&format!("service:{item}").into(), &1.into()));
    assert_eq!((&places[1]["key"], &places[1]["place"]), (&key.as_str().into(), &1.into()));
    assert_eq!(document["queue"]["paused"], serde_json::json!([key]));
    assert_eq!(document["billmanager"]["operations"][0]["command"], "suspend");
    assert!(page.stdout.contains(&format!("Queue {key} is paused.")), "{}", page.stdout);
    assert!(page.stdout.contains("waiting in queue"), "the log tells it too: {}", page.stdout);
    let waits = page.stdout.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.starts_with(&[&key, "waiting", "1", "suspend"])
    });
    assert!(waits, "{}", page.stdout);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    world.bill.run(&["queue", "resume", &key]);
    assert!(suspend.wait_with_output().unwrap().status.success());
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_told() {
    type Loss = (fn(&TestWorld), &'static str, &'static str);
    let losses: [(&str, Loss); 4] = [
        (
            "VMmanager",
            (
                |world| world.bill.set_handler(world.handler, "url", "http://127.0.0.1:1"),
                "VMmanager: could not be asked: vm6_connect",
                "vmmanager",
            ),
        ),
        (
            "the database",
            (
                |world| {
                    let file = world.bill.root().join("etc/billmgr.conf.d/db.conf");
                    fs::write(file, "DBType sqlite\nDBName var/nothing.db\n").unwrap();
                },
                "BILLmanager: could not be read: db",
                "billmanager",
            ),
        ),
        (
            "the journal",
            (
                |world| fs::remove_file(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap(),
                "Journal: could not be read: state",
                "journal",
            ),
        ),
        (
            "a damaged journal",
            (
                |world| fs::write(world.bill.root().join("var/pmvmmanager6/journal.db"), [7; 5000]).unwrap(),
                "Journal: could not be read: state",
                "journal",
            ),
        ),
    ];
    each(&losses, |(lose, told, member)| {
        let world = TestWorld::start();
        let item = world.opened();
        lose(&world);
        if *member == "journal" {
            world.waive(Invariant::NothingForgotten, "the journal is lost");
        }
        let (page, document) = (world.show(item, &[]), world.show(item, &["--json"]));
        assert_eq!((page.status, document.status), (Some(1), Some(1)));
        assert!(page.stdout.contains(told), "{}", page.stdout);
        let document: Value = serde_json::from_str(&document.stdout).unwrap();
        assert_eq!(document["complete"], false);
        assert!(document[member]["error"].is_string(), "{document:#}");
        let parts = ["billmanager", "journal", "vmmanager", "queue"];
        let lost: Vec<&str> = parts.into_iter().filter(|part| document[part]["error"].is_string()).collect();
        // Without the database nobody knows where VMmanager is.
        let expected = if *member == "billmanager" { vec![*member, "vmmanager"] } else { vec![*member] };
        assert_eq!(lost, expected, "{document:#}");
        assert!(!document["log"].as_array().unwrap().is_empty());
    });
}

#[test]
fn a_service_that_is_not_ours_is_one_line() {
    let world = TestWorld::start();
    let item = world.opened();
    let missing = world.show(4_000_000, &[]);
    assert_eq!((missing.status, missing.stdout.as_str()), (Some(1), ""));
    let line = "pmvmmanager6: bad_argument (item): BILLmanager's database has no service with the id 4000000\n";
    assert_eq!(missing.stderr, line);
    world.bill.exec("UPDATE processingmodule SET module = 'pmvmmgr6'", &[]);
    let foreign = world.show(item, &["--json"]);
    assert_eq!((foreign.status, foreign.stdout.as_str()), (Some(1), ""));
    assert!(foreign.stderr.contains("belongs to the module pmvmmgr6") && foreign.stderr.lines().count() == 1);
    for arguments in [&["show"][..], &["show", "--item", "x"], &["show", "--item", "1", "--json", "--bundle", "f"]] {
        assert_eq!(world.bill.run(arguments).status, Some(2), "{arguments:?}");
    }
}

/// Files of an archive by their names without the folder; each readable for its owner only.
fn unpack(file: &Path) -> BTreeMap<String, String> {
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o600);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(file).unwrap()));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o600);
        let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (name, text)
    });
    entries.collect()
}

#[test]
fn a_bundle_holds_the_report_and_no_secret() {
    let world = TestWorld::start();
    let item = world.bill.order(&world.usual_order().secret("password", "Ordered-pass-4711"));
    world.succeed(item, "open");
    let host = world.host_of(item);
    // Secrets where nobody should have put them: the client's own words, a parameter in clear, a failed operation.
    world.alter(host.id, |vm| vm.comment.push_str(" my root password is Ordered-pass-4711, mail bob@example.org"));
    world.bill.set_param(item, "root_password", "In-clear-4711");
    world.bill.exec(
        "INSERT INTO processingparam (processingmodule, intname, value) VALUES (?, 'api_token', 'Tok-4711')",
        &[&world.handler.to_string()],
    );
    let operation = world.bill.operation(item, "changepassword");
    let told = "<doc><error type=\"vm6_api\" value=\"Ordered-pass-4711 is too short\"/></doc>";
    world.bill.exec("UPDATE runningoperation SET errorxml = ? WHERE id = ?", &[told, &operation.to_string()]);
    world.waive(Invariant::NoSecret, "the test has written the password into an errorxml");
    let file = world.bill.root().join("report.tar.gz");
    let run = world.show(item, &["--bundle", file.to_str().unwrap()]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stdout.starts_with(&format!("{}: the report of service {item}", file.display())), "{}", run.stdout);
    let files = unpack(&file);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = [
        "features.xml",
        "handler.json",
        "history.json",
        "log.txt",
        "queue.json",
        "report.json",
        "report.txt",
        "versions.json",
        "vm.json",
    ];
    assert_eq!(names, expected);
    for (name, text) in &files {
        assert_no_secret_in(&world, name, text.as_bytes());
        for secret in [
            "Ordered-pass-4711",
            "In-clear-4711",
            "Tok-4711",
            "alice@example.com",
            "bob@example.org",
            "admin@example.net",
        ] {
            assert!(!text.contains(secret), "{secret} is in {name}: {text}");
        }
    }
    let read =
        |name: &str| serde_json::from_str::<Value>(&files[name]).unwrap_or_else(|error| panic!("{name}: {error}"));
    let report = read("report.json");
    assert_eq!(report["service"], item);
    assert_eq!(report["billmanager"]["client"]["email"], "a***@example.com");
    assert_eq!(report["billmanager"]["parameters"]["root_password"], "***");
    assert_eq!(report["billmanager"]["operations"][0]["error"], "vm6_api: *** is too short");
    assert_eq!(read("vm.json")["list"][0]["id"], host.id);
    assert_eq!(read("vm.json")["list"][0]["account"]["email"], "a***@example.com");
    let history = read("history.json");
    let created = history["list"].as_array().unwrap().iter().find(|task| task["name"] == "host_create");
    assert_eq!(created.unwrap()["state"], "complete");
    assert_eq!(read("handler.json")["settings"]["password"], "***");
    assert_eq!(read("handler.json")["settings"]["api_token"], "***");
    assert_eq!(read("handler.json")["settings"]["cluster"], "1");
    assert_eq!(read("versions.json")["module"], env!("CARGO_PKG_VERSION"));
    assert!(read("versions.json")["vmmanager"].is_string());
    assert_eq!(read("queue.json")["queues"], serde_json::json!([]));
    assert!(files["report.txt"].starts_with(&format!("Service {item}\n")));
    assert!(files["log.txt"].contains(&format!("--command open item={item} ")), "{}", files["log.txt"]);
    assert_eq!(files["features.xml"], world.bill.run(&["--command", "features"]).stdout);
    // Once more to the same place: refused, and what is there stays.
    let before = fs::read(&file).unwrap();
    let again = world.show(item, &["--bundle", file.to_str().unwrap()]);
    assert_eq!((again.status, again.stdout.as_str()), (Some(1), ""));
    assert!(again.stderr.contains("exists already; name another file"), "{}", again.stderr);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_bundle_is_whole_or_not_there() {
    let world = TestWorld::start();
    let item = world.opened();
    world.bill.set_handler(world.handler, "url", "http://127.0.0.1:1");
    let file = world.bill.root().join("partial.tar.gz");
    assert_eq!(world.show(item, &["--bundle", file.to_str().unwrap()]).status, Some(1), "a part is missing");
    let files = unpack(&file);
    for name in ["vm.json", "history.json"] {
        assert!(files[name].contains("vm6_connect"), "{}", files[name]);
    }
    let nowhere = world.bill.root().join("missing/report.tar.gz");
    let run = world.show(item, &["--bundle", nowhere.to_str().unwrap()]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("cannot be written") && run.stderr.lines().count() == 1, "{}", run.stderr);
    let left = fs::read_dir(world.bill.root()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().ends_with(".part")));
}
