//! `audit`: what has drifted apart is told, each with one line to be pasted, which works; what is right, or changing
//! right now, is not.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sandbox::bill::{Database, Handler, Run};
use sandbox::vmm::{Action, Fault};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::processes::program_in;
use crate::support::world::TestWorld;

/// What a planted fault is found as, and what becomes of it.
struct Case {
    plant: fn(&TestWorld, u64),
    kind: &'static str,
    /// The command without the root; what a person has to do where there is none.
    remedy: &'static str,
    after: After,
}

/// What the remedy leads to.
#[derive(Clone, Copy, PartialEq)]
enum After {
    /// The next audit finds nothing.
    Clean,
    /// The next audit finds this, and its remedy leads to a clean one.
    Then(&'static str),
    /// A person has to do it.
    ByHand,
}

use After::{ByHand, Clean, Then};

impl TestWorld {
    /// The audit's document; its exit status must fit.
    #[track_caller]
    fn audit(&self) -> Value {
        let run = self.bill.run(&["audit", "--json"]);
        let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
        let wrong = document["partial"] == true || findings(&document).iter().any(|row| row["note"] == false);
        assert_eq!(run.status, Some(i32::from(wrong)), "{run:#?}");
        document
    }

    /// Runs a remedy as a person would, pasted into a shell.
    #[track_caller]
    fn paste(&self, command: &str) -> Run {
        let program = command.split(' ').next().unwrap_or_default();
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        if program.ends_with("pmvmmanager6") {
            return self.bill.run(&arguments);
        }
        let started = Instant::now();
        let output = Command::new(program).args(arguments).output().unwrap();
        Run::new(&output, started.elapsed())
    }

    /// The remedy of the only finding is run and must succeed.
    #[track_caller]
    fn cure(&self, document: &Value) {
        for row in findings(document) {
            let run = self.paste(row["command"].as_str().unwrap_or_else(|| panic!("no command: {row}")));
            assert_eq!(run.status, Some(0), "{row}: {run:#?}\n{}", self.bill.log());
        }
    }

    fn stop_by_hand(&self, item: u64, state: &str) {
        let host = self.host_of(item).id;
        self.alter(host, |vm| state.clone_into(&mut vm.state));
    }
}

fn findings(document: &Value) -> &Vec<Value> {
    document["findings"].as_array().expect("findings")
}

/// Kinds that were found.
fn kinds(document: &Value) -> Vec<&str> {
    findings(document).iter().map(|row| row["kind"].as_str().unwrap_or_default()).collect()
}

const CASES: &[(&str, Case)] = &[
    (
        "the VM was deleted in VMmanager",
        Case {
            plant: |world, item| {
                let host = world.host_of(item).id;
                world.vmm.change(|platform| platform.remove_host(host));
            },
            kind: "no_vm",
            remedy: "processing/pmvmmanager6 --command reopen --item {item}",
            after: Clean,
        },
    ),
    (
        "BILLmanager names the VM of another service",
        Case {
            plant: |world, item| {
                let other = world.host_of(world.opened()).id;
                world.bill.set_param(item, "panelid", &other.to_string());
            },
            kind: "shared_vm",
            remedy: "sbin/mgrctl -m billmgr service.dropparam elid={item} name=panelid sok=ok",
            after: Then("panelid"),
        },
    ),
    (
        "BILLmanager names a VM of somebody else",
        Case {
            plant: |world, item| {
                let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
                let other = world.make_by_hand("by-hand", stranger);
                world.bill.set_param(item, "panelid", &other.to_string());
            },
            kind: "foreign_vm",
            remedy: "sbin/mgrctl -m billmgr service.dropparam elid={item} name=panelid sok=ok",
            after: Then("unsold_vm panelid"),
        },
    ),
    (
        "mark and journal are lost",
        Case {
            plant: |world, item| {
                world.alter(world.host_of(item).id, |vm| vm.comment.clear());
                fs::remove_dir_all(world.bill.root().join("var/pmvmmanager6")).unwrap();
            },
            kind: "foreign_vm",
            remedy: "pmvmmanager6 link --item {item} --vm {vm} --yes",
            after: Clean,
        },
    ),
    (
        "the client has cloned the VM",
        Case {
            plant: |world, item| {
                let (account, mark) = (world.host_of(item).account, world.mark(item));
                let copy = world.make_by_hand("copy", account);
                world.alter(copy, |vm| vm.comment = mark);
                world.waive(Invariant::OneVm, "the client's copy has the same mark");
            },
            kind: "duplicate_mark",
            remedy: "out of the comment of VM",
            after: ByHand,
        },
    ),
    (
        "the service is closed, its VM is left",
        Case {
            plant: |world, item| world.bill.set_item(item, "status", 4),
            kind: "no_service",
            remedy: "processing/pmvmmanager6 --command close --item {item}",
            after: Clean,
        },
    ),
    (
        "the service is gone from BILLmanager",
        Case {
            plant: |world, item| {
                let mark = world.mark(990);
                world.alter(world.host_of(item).id, |vm| vm.comment = mark);
                for sql in
                    ["DELETE FROM item WHERE id = ? OR parent = ?", "DELETE FROM itemparam WHERE item = ? OR item = ?"]
                {
                    world.bill.exec(sql, &[&item.to_string(), &item.to_string()]);
                }
                world.waive(Invariant::NothingForgotten, "the VM's service is gone");
            },
            kind: "no_service",
            remedy: "delete VM {vm} in VMmanager",
            after: ByHand,
        },
    ),
    (
        "the client has started the VM of a suspended service",
        Case {
            plant: |world, item| {
                world.succeed(item, "suspend");
                world.stop_by_hand(item, "active");
            },
            kind: "suspended_running",
            remedy: "pmvmmanager6 audit --repair suspended_running --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "the VM was given to another account",
        Case {
            plant: |world, item| {
                let bob = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
                world.alter(world.host_of(item).id, |vm| vm.account = bob);
            },
            kind: "owner",
            remedy: "in VMmanager give VM {vm} to alice@example.com",
            after: ByHand,
        },
    ),
    (
        "the service was given to another client",
        Case {
            plant: |world, item| world.bill.set_item(item, "account", i64::try_from(world.bob).unwrap()),
            kind: "client",
            remedy: "in VMmanager give VM {vm} to bob@example.org",
            after: ByHand,
        },
    ),
    (
        "the account was deleted",
        Case {
            plant: |world, item| {
                let host = world.host_of(item);
                world.vmm.change(|platform| platform.accounts.remove(&host.account));
            },
            kind: "account_gone",
            remedy: "in VMmanager make the account, then give VM {vm} to alice@example.com",
            after: ByHand,
        },
    ),
    (
        "the client has edited the comment",
        Case {
            plant: |world, item| world.alter(world.host_of(item).id, |vm| "my shop".clone_into(&mut vm.comment)),
            kind: "lost_mark",
            remedy: "pmvmmanager6 audit --repair lost_mark --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "BILLmanager names a VM that is gone, the marked one is there",
        Case {
            plant: |world, item| world.bill.set_param(item, "panelid", "9999"),
            kind: "panelid",
            remedy: "pmvmmanager6 audit --repair panelid --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "the VM's id in BILLmanager is no number",
        Case {
            plant: |world, item| world.bill.set_param(item, "panelid", "twelve"),
            kind: "panelid",
            remedy: "sbin/mgrctl -m billmgr service.dropparam elid={item} name=panelid sok=ok",
            after: Then("panelid"),
        },
    ),
    (
        "the order is not a number",
        Case {
            plant: |world, item| {
                let tariff = world.bill.item(item).pricelist.unwrap().to_string();
                world.bill.exec(
                    "INSERT INTO pricelistparam (pricelist, intname, value) VALUES (?, 'ncpu', 'many')",
                    &[&tariff],
                );
            },
            kind: "order",
            remedy: "correct the tariff or the order in BILLmanager",
            after: ByHand,
        },
    ),
    (
        "an order that was never carried out",
        Case {
            plant: |world, item| world.bill.set_addon(item, "ncpu", 4),
            kind: "size",
            remedy: "processing/pmvmmanager6 --command setparam --item {item}",
            after: Clean,
        },
    ),
    (
        "the same at a VM that can grow while it runs",
        Case {
            plant: |world, item| {
                world.alter(world.host_of(item).id, |vm| (vm.hot_plug, vm.live_resize) = (true, true));
                world.bill.set_addon(item, "ncpu", 4);
                world.bill.set_addon(item, "disk disc", 30_720);
            },
            kind: "size",
            remedy: "pmvmmanager6 audit --repair size --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "the disk is bigger than ordered",
        Case {
            plant: |world, item| {
                let disk = world.disk(world.host_of(item).id);
                world.vmm.change(|platform| platform.disks.get_mut(&disk).unwrap().size_mib = 40_960);
            },
            kind: "size",
            remedy: "order at least 40960 MiB of disk in BILLmanager",
            after: ByHand,
        },
    ),
    (
        "another size of a VM with snapshots",
        Case {
            plant: |world, item| {
                world.alter(world.host_of(item).id, |vm| vm.snapshot_count = 1);
                world.bill.set_addon(item, "mem", 4096);
            },
            kind: "size",
            remedy: "remove the snapshots of VM {vm} in VMmanager, then run: pmvmmanager6 --command setparam --item {item}",
            after: ByHand,
        },
    ),
    (
        "another number of addresses of a VM with snapshots",
        Case {
            plant: |world, item| {
                world.alter(world.host_of(item).id, |vm| vm.snapshot_count = 1);
                world.bill.set_addon(item, "ip", 2);
            },
            kind: "address_count",
            remedy: "remove the snapshots of VM {vm} in VMmanager, then run: pmvmmanager6 --command setparam --item {item}",
            after: ByHand,
        },
    ),
    (
        "the client has installed another OS",
        Case {
            plant: |world, item| {
                let host = world.host_of(item).id;
                let other = world.vmm.look(|p| {
                    let is = p.hosts[&host].os;
                    p.os.values().find(|os| Some(os.id) != is && os.clusters.contains(&1)).unwrap().id
                });
                world.alter(host, |vm| vm.os = Some(other));
            },
            kind: "os",
            remedy: "pmvmmanager6 audit --repair os --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "an address that was paid for is missing",
        Case {
            plant: |world, item| world.bill.set_addon(item, "ip", 2),
            kind: "address_count",
            remedy: "processing/pmvmmanager6 --command setparam --item {item}",
            after: Clean,
        },
    ),
    (
        "BILLmanager has another main address",
        Case {
            plant: |world, item| world.bill.set_param(item, "ip", "192.0.2.99"),
            kind: "addresses",
            remedy: "pmvmmanager6 audit --repair addresses --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "a slot lost its address",
        Case {
            plant: |world, item| {
                let slot = world.bill.slots(item)[0].0.to_string();
                world.bill.exec("UPDATE ip SET name = '', status = 1 WHERE id = ?", &[&slot]);
            },
            kind: "addresses",
            remedy: "pmvmmanager6 audit --repair addresses --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "a slot holds an address that the VM does not have",
        Case {
            plant: |world, item| {
                let slot = world.bill.slots(item)[0].0.to_string();
                world.bill.exec("UPDATE ip SET name = '192.0.2.99' WHERE id = ?", &[&slot]);
            },
            kind: "stale_slot",
            remedy: "processing/pmvmmanager6 --command delip --item {item} --ip",
            after: Clean,
        },
    ),
    (
        "the VM was renamed",
        Case {
            plant: |world, item| world.alter(world.host_of(item).id, |vm| "shop".clone_into(&mut vm.name)),
            kind: "name",
            remedy: "pmvmmanager6 audit --repair name --item {item} --yes",
            after: Clean,
        },
    ),
    (
        "the VM of an active service is stopped",
        Case {
            plant: |world, item| world.stop_by_hand(item, "stopped"),
            kind: "state",
            remedy: "processing/pmvmmanager6 --command start --item {item}",
            after: Clean,
        },
    ),
    (
        "a client's VM without a service",
        Case {
            plant: |world, item| {
                let account = world.host_of(item).account;
                world.make_by_hand("by-hand", account);
            },
            kind: "unsold_vm",
            remedy: "processing/pmvmmanager6 --command import --module 1 --searchstring",
            after: Clean,
        },
    ),
];

#[test]
fn each_fault_is_found_with_a_remedy_that_works() {
    each(CASES, |case| {
        let world = TestWorld::start();
        let item = world.opened();
        let vm = world.host_of(item).id;
        assert!(findings(&world.audit()).is_empty(), "{}", world.audit());
        (case.plant)(&world, item);
        world.forget();
        let document = world.audit();
        let found = findings(&document);
        let row =
            found.iter().find(|row| row["kind"] == case.kind).unwrap_or_else(|| panic!("not found: {document:#}"));
        assert!(case.after == Then("unsold_vm panelid") || found.len() == 1, "{document:#}");
        assert_eq!(row["note"] == true, ["state", "unsold_vm"].contains(&case.kind));
        let told = row["command"].as_str().or(row["advice"].as_str()).unwrap_or_default();
        let wanted = case.remedy.replace("{item}", &item.to_string()).replace("{vm}", &vm.to_string());
        assert!(told.contains(&wanted), "{told} is not {wanted}");
        assert_eq!(row["command"].is_null(), case.after == ByHand, "{row}");
        assert_eq!(world.mutations(), Vec::<String>::new(), "an audit changes nothing");
        assert_eq!(world.panel_calls(), Vec::<String>::new(), "an audit changes nothing");
        let run = match case.after {
            ByHand => return,
            _ => world.paste(told),
        };
        assert_eq!(run.status, Some(0), "{told}: {run:#?}\n{}", world.bill.log());
        if let Then(kinds_then) = case.after {
            let next = world.audit();
            let mut expected: Vec<&str> = kinds_then.split(' ').collect();
            let mut is = kinds(&next);
            expected.sort_unstable();
            is.sort_unstable();
            assert_eq!(is, expected, "{next:#}");
            world.cure(&next);
        }
        let last = world.audit();
        let left: Vec<&str> = kinds(&last).into_iter().filter(|kind| *kind != "unsold_vm").collect();
        assert_eq!(left, Vec::<&str>::new(), "{last:#}");
    });
}

/// Compares with a file of `tests/data/audit`; what differs from world to world is replaced.
#[track_caller]
fn golden(world: &TestWorld, name: &str, text: &str) {
    let root = world.bill.root().display().to_string();
    let mark = world.mark(1);
    let installation = mark.split(':').nth(1).unwrap();
    let text = text.replace(&root, "/usr/local/mgr5").replace(installation, "0123456789ab");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audit").join(name);
    let wanted = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, wanted, "{} differs; what was printed:\n{text}", file.display());
}

/// A handler with a healthy service, three that have drifted apart, one being changed, and a VM without a service.
fn drifted() -> TestWorld {
    let world = TestWorld::start();
    let [_healthy, stopped, grown, renamed, busy] = [(); 5].map(|()| world.opened());
    world.stop_by_hand(stopped, "stopped");
    world.bill.set_addon(grown, "ncpu", 4);
    world.alter(world.host_of(renamed).id, |vm| "Магазин\u{1b}[2J".clone_into(&mut vm.name));
    let gone = world.host_of(busy).id;
    world.vmm.change(|platform| platform.remove_host(gone));
    world.bill.operation(busy, "reopen");
    world.forget();
    world
}

#[test]
fn what_people_see() {
    let world = drifted();
    let run = world.bill.run(&["audit"]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    golden(&world, "drifted.txt", &run.stdout);
    assert_eq!(run.stderr, "");
    assert_eq!(world.mutations(), Vec::<String>::new());
    assert_eq!(world.panel_calls(), Vec::<String>::new());
}

#[test]
fn what_programs_see() {
    let world = drifted();
    let run = world.bill.run(&["audit", "--json", "--module", &world.handler.to_string()]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    golden(&world, "drifted.json", &run.stdout);
}

#[test]
fn a_healthy_world_and_an_empty_one_have_no_findings() {
    let world = TestWorld::start();
    golden(&world, "empty.txt", &world.bill.run(&["audit"]).stdout);
    let item = world.opened_as(&world.usual_order().ips(2));
    world.opened();
    world.succeed(item, "suspend");
    world.forget();
    let run = world.bill.run(&["audit"]);
    assert_eq!(run.status, Some(0), "{run:#?}");
    golden(&world, "healthy.txt", &run.stdout);
    let page = |list: &str| format!("GET /vm/v3/{list}?limit=0,500&orderby=id%20asc");
    // The list of VMs ends where nothing follows its last one, the second.
    let mut asked = vec![page("host"), page("host").replace("0,500", "1,500"), "GET /auth/v4/whoami?".to_owned()];
    asked.extend(["account", "os", "preset"].map(page));
    assert_eq!(world.counted(), asked, "whole lists, our role and nothing else");
}

#[test]
fn the_same_on_a_real_server() {
    let world = TestWorld::on(Database::MariaDb);
    let item = world.opened();
    world.opened();
    assert_eq!(kinds(&world.audit()), Vec::<&str>::new());
    world.bill.set_param(item, "panelid", "9999");
    world.bill.set_addon(item, "ip", 2);
    assert_eq!(kinds(&world.audit()), ["panelid", "address_count"]);
    world.bill.set_item(item, "status", 4);
    assert_eq!(kinds(&world.audit()), ["no_service"]);
}

#[test]
fn what_is_right_at_the_second_look_is_not_told() {
    let world = TestWorld::start();
    world.opened();
    let nothing = || Action::Status { code: 200, body: r#"{"list": []}"#.to_owned() };
    world.vmm.fault(Fault::on("GET", "/vm/v3/host").act(nothing()));
    assert_eq!(kinds(&world.audit()), Vec::<&str>::new());
    world.vmm.fault(Fault::on("GET", "/vm/v3/host").always().act(nothing()));
    assert_eq!(kinds(&world.audit()), ["no_vm"]);
}

#[test]
fn a_service_under_an_operation_is_left_out_and_counted() {
    let world = TestWorld::start();
    let [item, other] = [(); 2].map(|()| world.opened());
    for service in [item, other] {
        world.bill.set_addon(service, "ncpu", 4);
    }
    world.bill.operation(item, "setparam");
    let document = world.audit();
    assert_eq!(document["handlers"][0]["skipped"], 1, "{document:#}");
    assert_eq!(findings(&document).iter().map(|row| &row["service"]).collect::<Vec<_>>(), [&Value::from(other)]);
    world.drop_operations();
    let log = world.bill.root().join("hold.log");
    let args = ["queue-hold", "--key", "k", "--service", &other.to_string(), "--log", log.to_str().unwrap()];
    let mut holder = program_in(world.bill.root()).args(args).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let held = || fs::read_to_string(&log).is_ok_and(|text| text.contains("start"));
    while !held() {
        assert!(holder.try_wait().unwrap().is_none(), "the holder is gone");
        std::thread::yield_now();
    }
    let document = world.audit();
    assert_eq!(document["handlers"][0]["skipped"], 1, "{document:#}");
    assert_eq!(findings(&document).iter().map(|row| &row["service"]).collect::<Vec<_>>(), [&Value::from(item)]);
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
}

#[test]
fn a_handler_that_cannot_be_reached_leaves_the_others() {
    let world = TestWorld::start();
    let item = world.opened();
    world.alter(world.host_of(item).id, |vm| "shop".clone_into(&mut vm.name));
    let away = Handler::new("http://127.0.0.1:1", "admin@example.net", "Adm1n-secret-pass", "1").named("Away");
    let away = world.bill.add_handler(&away);
    let run = world.bill.run(&["audit"]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    golden(&world, "partial.txt", &run.stdout);
    let document = world.audit();
    assert_eq!((document["partial"] == true, kinds(&document)), (true, vec!["name"]), "{document:#}");
    let run = world.bill.run(&["audit", "--module", &away.to_string()]);
    assert_eq!(run.status, Some(1), "no findings, but nothing was audited: {run:#?}");
}

#[test]
fn a_handler_that_is_not_ours_is_one_line() {
    let world = TestWorld::start();
    let other = Handler { module: "pmvmmgr6".to_owned(), ..Handler::new("https://x.example", "a", "b", "1") };
    let other = world.bill.add_handler(&other).to_string();
    for (module, text) in [(other.as_str(), "belongs to the module pmvmmgr6"), ("999", "no handler with the id 999")] {
        let run = world.bill.run(&["audit", "--module", module]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{run:#?}");
        assert!(run.stderr.contains(text) && run.stderr.lines().count() == 1, "{run:#?}");
    }
}

#[test]
fn only_safe_kinds_are_repaired() {
    let world = TestWorld::start();
    for wrong in [&["audit", "--repair", "no_vm"][..], &["audit", "--yes"], &["audit", "--item", "1"]] {
        let run = world.bill.run(wrong);
        assert_eq!(run.status, Some(2), "{run:#?}");
    }
    for yes in [&[][..], &["--yes"]] {
        let run = world.bill.run(&[&["audit", "--repair", "name", "--item", "999"], yes].concat());
        let told = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.status, Some(1), "{run:#?}");
        assert!(told.contains("no service with the id 999"), "{run:#?}");
    }
    let run = world.bill.run(&["audit", "--repair", "no_vm", "--yes"]);
    assert!(
        run.stderr.contains("suspended_running, lost_mark, panelid, size, os, backup, addresses, name"),
        "{run:#?}"
    );
}

#[test]
fn a_repair_is_shown_first_and_done_for_all_with_yes() {
    let world = TestWorld::start();
    let items = [(); 3].map(|()| world.opened());
    for item in &items[..2] {
        world.alter(world.host_of(*item).id, |vm| "shop".clone_into(&mut vm.name));
    }
    world.stop_by_hand(items[2], "stopped");
    let run = world.bill.run(&["audit", "--repair", "name"]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    golden(&world, "intention.txt", &run.stdout);
    assert_eq!(kinds(&world.audit()), ["name", "name", "state"]);
    let run = world.bill.run(&["audit", "--repair", "name", "--yes"]);
    assert_eq!(run.status, Some(0), "{run:#?}");
    golden(&world, "repaired.txt", &run.stdout);
    assert_eq!(kinds(&world.audit()), ["state"]);
    let run = world.bill.run(&["audit", "--repair", "name"]);
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert!(run.stdout.ends_with("There is nothing to repair.\n"), "{run:#?}");
}

#[test]
fn a_repair_neither_restarts_nor_touches_a_vm_that_is_not_proved() {
    let world = TestWorld::start();
    let [grown, other] = [(); 2].map(|()| world.opened());
    world.bill.set_addon(grown, "ncpu", 4);
    let run = world.bill.run(&["audit", "--repair", "size", "--yes"]);
    assert_eq!(run.status, Some(1), "what needs a restart is left: {run:#?}");
    let run = world.bill.run(&["audit", "--repair", "size", "--item", &grown.to_string(), "--yes"]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    assert!(run.stdout.contains(&format!("--command setparam --item {grown} restarts it")), "{run:#?}");
    let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
    world.alter(world.host_of(other).id, |vm| vm.account = stranger);
    for kind in ["lost_mark", "name", "addresses", "os", "panelid", "suspended_running", "size"] {
        let run = world.bill.run(&["audit", "--repair", kind, "--item", &other.to_string(), "--yes"]);
        assert_eq!(run.status, Some(1), "{kind}: {run:#?}");
        assert!(run.stdout.contains("is not proved to be service"), "{kind}: {run:#?}");
    }
    assert_eq!(world.mutations(), Vec::<String>::new());
}

#[test]
fn a_copied_installation_repairs_nothing() {
    let world = TestWorld::start();
    let item = world.opened();
    world.alter(world.host_of(item).id, |vm| "shop".clone_into(&mut vm.name));
    world.bill.do_nothing(true);
    let run = world.bill.run(&["audit", "--repair", "name", "--yes"]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    assert!(run.stdout.contains("DoNothing"), "{run:#?}");
    assert_eq!(kinds(&world.audit()), ["name"]);
}

#[test]
fn an_additional_interface_is_no_drift() {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "cluster", "3");
    world.bill.set_handler(world.handler, "additional_interface", "on");
    let item = world.opened_as(&world.usual_order().ips(2));
    assert_eq!(world.addresses(world.host_of(item).id, 4).len(), 3, "two are sold, one is of the other interface");
    assert_eq!(findings(&world.audit()), &Vec::<Value>::new());
    let slot = world.bill.slots(item)[1].0.to_string();
    world.bill.exec("UPDATE ip SET name = '', status = 1 WHERE id = ?", &[&slot]);
    let document = world.audit();
    assert_eq!(kinds(&document), ["addresses"], "{document:#}");
    world.cure(&document);
    assert_eq!(findings(&world.audit()), &Vec::<Value>::new());
}
