//! Backup schedules: VMs enter, move and leave; nobody else's entry is lost; failures; what the audit says.

use std::process::Child;

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Tariff};
use sandbox::vmm::{Action, Fault, Schedules};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::world::TestWorld;

/// VMs that staff have put into `daily` and `weekly`; they exist nowhere here, and are nobody's business.
const STAFFS: [u64; 2] = [7001, 7002];
const CHOICES: [&str; 4] = ["off", "daily", "weekly", "hourly"];

/// A world whose platform has proved its schedules, and whose tariff sells them.
fn world() -> TestWorld {
    let world = TestWorld::start();
    world.vmm.change(|platform| {
        for id in [1, 2] {
            platform.schedules.get_mut(&id).unwrap().hosts = STAFFS.to_vec();
        }
    });
    verify(&world);
    world.forget();
    world
}

#[track_caller]
fn verify(world: &TestWorld) {
    let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
}

fn tariff(world: &TestWorld) -> u64 {
    let tariff = Tariff::sized("VPS with backups", 2, 2048, 20_480).handler(world.handler);
    world.bill.add_tariff(&tariff.addon(Addon::choice("backup_schedule", &CHOICES)))
}

fn ordered(world: &TestWorld, schedule: &str) -> u64 {
    let order = sandbox::bill::Order::new(world.alice, tariff(world), world.handler);
    world.bill.order(&order.addon("backup_schedule", schedule))
}

fn opened(world: &TestWorld, schedule: &str) -> (u64, u64) {
    let item = ordered(world, schedule);
    world.succeed(item, "open");
    world.forget();
    (item, world.host_of(item).id)
}

fn choose(world: &TestWorld, item: u64, schedule: &str) {
    world.bill.set_addon(item, "backup_schedule", schedule);
}

/// VMs in a schedule, those of staff left out: these are always there.
#[track_caller]
fn vms(world: &TestWorld, schedule: u64) -> Vec<u64> {
    let (theirs, ours) = world.vmm.look(|platform| {
        platform.schedules[&schedule].hosts.iter().copied().partition::<Vec<u64>, _>(|vm| STAFFS.contains(vm))
    });
    assert_eq!(theirs, STAFFS, "an entry of staff is lost");
    ours
}

fn writes(world: &TestWorld) -> Vec<String> {
    world.mutations().into_iter().filter(|request| request.contains("/schedule/")).collect()
}

/// The findings about backups: what is, what should be.
fn audit(world: &TestWorld) -> Vec<(String, String)> {
    let run = world.bill.run(&["audit", "--module", &world.handler.to_string(), "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "backup");
    let staffs = |finding: &&Value| !STAFFS.iter().any(|vm| finding["vm"] == *vm);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.filter(staffs).map(|finding| (text(&finding["is"]), text(&finding["should"]))).collect()
}

#[track_caller]
fn repair(world: &TestWorld, item: u64) {
    let run = world.bill.run(&["audit", "--repair", "backup", "--item", &item.to_string(), "--yes"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
}

#[test]
fn a_vm_enters_moves_and_leaves() {
    let world = world();
    let before = world.vmm.look(|platform| platform.schedules.clone());
    let (item, vm) = opened(&world, "daily");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![vm], vec![]));
    let page = world.bill.run(&["show", "--item", &item.to_string()]).stdout;
    assert!(page.contains(&format!("\"daily\", 1 in VMmanager (VM {vm})")), "{page}");
    choose(&world, item, "weekly");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![vm]));
    assert_eq!(writes(&world), ["POST /vm/v3/schedule/2", "POST /vm/v3/schedule/1"], "first in, then out");
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!(world.mutations(), [""; 0], "it is where it should be");
    choose(&world, item, "off");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![]));
    choose(&world, item, "daily");
    world.succeed(item, "setparam");
    world.forget();
    world.succeed(item, "close");
    assert_eq!(world.mutations(), ["POST /vm/v3/schedule/1".to_owned(), format!("DELETE /vm/v3/host/{vm}")]);
    assert_eq!(world.vmm.look(|platform| platform.schedules.clone()), before, "nothing else was touched");
    assert_eq!(audit(&world), []);
}

/// Without the platform's own word nothing is asked of its schedules.
#[test]
fn a_platform_that_has_not_proved_its_schedules() {
    let world = TestWorld::start();
    let item = ordered(&world, "daily");
    world.succeed(item, "open");
    let asked = |world: &TestWorld| world.vmm.requests().iter().any(|request| request.path.contains("schedule"));
    assert!(!asked(&world));
    assert_eq!(audit(&world), []);
    for schedules in [Schedules::Missing, Schedules::Whole, Schedules::Parts] {
        world.vmm.change(|platform| platform.variant.schedules = schedules);
        verify(&world);
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!(asked(&world), schedules == Schedules::Parts, "{schedules:?}");
    }
    assert_eq!(world.vmm.look(|platform| platform.schedules[&1].hosts.clone()), [world.host_of(item).id]);
    // A list that is not shown could not be written back.
    let list = json!({"list": [{"id": 1, "name": "daily", "host_count": 2}]}).to_string();
    world.vmm.fault(Fault::on("GET", "/vm/v3/schedule").always().act(Action::Status { code: 200, body: list }));
    verify(&world);
    world.forget();
    world.succeed(item, "close");
    assert!(!asked(&world));
    world.vmm.change(|platform| platform.schedules.get_mut(&1).unwrap().hosts.clear());
}

#[test]
fn a_schedule_that_does_not_exist() {
    let world = world();
    let item = ordered(&world, "hourly");
    let refusal = world.refuse(item, "open");
    refusal.is(Kind::BadParam, "backup_schedule", &["\"hourly\"", "possible: \"daily\", \"weekly\"", "add-on"]);
    assert_eq!(world.mutations(), [""; 0]);
    choose(&world, item, "daily");
    world.succeed(item, "open");
    world.forget();
    // One that belongs to VM configurations, and one that is for other clusters, are no choices either.
    world.vmm.change(|platform| platform.schedules.get_mut(&2).unwrap().clusters = vec![2]);
    for name in ["hourly", "weekly"] {
        choose(&world, item, name);
        world.bill.set_addon(item, "mem", 4096);
        world.refuse(item, "setparam").is(Kind::BadParam, "backup_schedule", &["possible: \"daily\"", name]);
        assert_eq!(world.mutations(), [""; 0], "{name}");
    }
    choose(&world, item, "daily");
    world.succeed(item, "setparam");
}

#[test]
fn names_of_schedules() {
    let world = world();
    let rename = |id: u64, name: &str| {
        let name = name.to_owned();
        world.vmm.change(move |platform| platform.schedules.get_mut(&id).unwrap().name = name);
    };
    let (item, vm) = opened(&world, "daily");
    // The same schedule under a name that the order does not know.
    rename(1, "every night");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), writes(&world).len()), (vec![vm], 0));
    let found = audit(&world);
    assert!(found.len() == 1 && found[0].0.contains("is called \"every night\" now"), "{found:?}");
    rename(1, "Daily");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), writes(&world).len()), (vec![vm], 0), "the case of letters is forgiven");
    // Another one has the name now: it is what was ordered.
    rename(2, "daily");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![vm]));
    rename(1, "daily");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![vm]), "it is in one of that name");
    let refusal = world.refuse(ordered(&world, "daily"), "open");
    refusal.is(Kind::BadParam, "backup_schedule", &["several", "\"daily\""]);
}

/// Real processes, as BILLmanager starts them.
#[test]
fn twenty_orders_at_once_lose_no_entry() {
    let world = world();
    let items: Vec<u64> = (0..20).map(|n| ordered(&world, if n % 2 == 0 { "daily" } else { "weekly" })).collect();
    let start = |command: &str| -> Vec<Child> {
        let operation = |item: u64| match world.bill.running(item).first() {
            Some(running) => running.id,
            None => world.bill.operation(item, command),
        };
        items.iter().map(|item| world.begin(*item, command, operation(*item))).collect()
    };
    world.all_succeed(start("open"));
    let of = |parity: usize| {
        let mut vms: Vec<u64> = items.iter().skip(parity).step_by(2).map(|item| world.host_of(*item).id).collect();
        vms.sort_unstable();
        vms
    };
    let sorted = |schedule: u64| {
        let mut vms = vms(&world, schedule);
        vms.sort_unstable();
        vms
    };
    assert_eq!((sorted(1), sorted(2)), (of(0), of(1)));
    for (n, item) in items.iter().enumerate() {
        choose(&world, *item, if n % 2 == 0 { "weekly" } else { "daily" });
    }
    world.all_succeed(start("setparam"));
    assert_eq!((sorted(1), sorted(2)), (of(1), of(0)));
    world.all_succeed(start("close"));
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![]));
}

/// An answer that is lost is looked up; what was not done is asked for again by the next try.
#[test]
fn lost_answers() {
    each(&[("done", true), ("not done", false)], |is_done| {
        let action = if *is_done { Action::LoseAnswer } else { Action::Status { code: 500, body: "{}".to_owned() } };
        let world = world();
        let (item, vm) = opened(&world, "daily");
        choose(&world, item, "weekly");
        world.vmm.fault(Fault::on("POST", "/vm/v3/schedule/2").act(action));
        if *is_done {
            world.succeed(item, "setparam");
            assert_eq!(writes(&world).len(), 2, "each list is written once");
        } else {
            let refusal = world.fail(item, "setparam");
            assert!(refusal.value.contains("the next try looks again"), "{refusal:?}");
            assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![vm], vec![]), "never without backups");
            world.succeed(item, "setparam");
        }
        assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![vm]));
    });
}

#[test]
fn a_build_that_changes_schedules_in_tasks() {
    let world = world();
    world.vmm.change(|platform| platform.variant.schedule_tasks = true);
    let (item, vm) = opened(&world, "daily");
    assert_eq!(vms(&world, 1), [vm]);
    world.vmm.fault(
        Fault::on("POST", "/vm/v3/schedule/2")
            .act(Action::FailTask { word: "failed", text: "no backup location".to_owned() }),
    );
    choose(&world, item, "weekly");
    let refusal = world.fail(item, "setparam");
    assert!(refusal.value.contains("no backup location") && refusal.value.contains("\"weekly\""), "{refusal:?}");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![vm]));
    world.succeed(item, "close");
}

/// What the description does not tell: the first VM shows it, and no second one does the same.
#[test]
fn a_build_that_unsets_what_is_not_sent() {
    let world = world();
    world.vmm.change(|platform| platform.variant.schedules = Schedules::Resetting);
    let (first, second) = (ordered(&world, "daily"), ordered(&world, "weekly"));
    let refusal = world.fail(first, "open");
    refusal.is(Kind::Vm6Api, "schedule 1", &["other settings", "\"daily\"", "nothing more is done"]);
    world.succeed(first, "open");
    world.succeed(second, "open");
    let limits = world.vmm.look(|platform| [1, 2].map(|id| platform.schedules[&id].limit_count));
    assert_eq!(limits, [0, 7]);
    world.vmm.change(|platform| platform.variant.schedules = Schedules::Parts);
    verify(&world);
    world.succeed(first, "close");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![], vec![]));
}

/// The form that changes an add-on asks whether it may.
#[test]
fn a_choice_is_checked_in_the_form() {
    let world = world();
    let (item, _) = opened(&world, "daily");
    let check = |value: &str| {
        let item = item.to_string();
        let words = ["--command", "check_addon", "--item", &item, "--param", "backup_schedule", "--value", value];
        world.run(&words)
    };
    for possible in ["weekly", "Daily", "2", "none"] {
        assert_eq!(check(possible).status, Some(0), "{possible}");
    }
    let refusal = crate::support::refusal::Refusal::of(&check("hourly"));
    refusal.is(Kind::BadParam, "backup_schedule", &["possible: \"daily\", \"weekly\""]);
}

/// Somebody else writes the list without us.
#[test]
fn a_list_that_others_write_too() {
    let world = world();
    let forget_ours = |platform: &mut sandbox::vmm::Platform| {
        platform.schedules.get_mut(&1).unwrap().hosts = STAFFS.to_vec();
    };
    world.vmm.after("POST", "/vm/v3/schedule/1", 1, forget_ours);
    let (item, vm) = opened(&world, "daily");
    assert_eq!(vms(&world, 1), [vm], "written again");
    // What staff have written before our reading stays, of whatever VM it is.
    world.vmm.before("GET", "/vm/v3/schedule", 1, |platform| {
        platform.schedules.get_mut(&2).unwrap().hosts.push(7003);
    });
    choose(&world, item, "weekly");
    world.succeed(item, "setparam");
    assert_eq!(vms(&world, 2), [7003, vm]);
    for n in 1..=3 {
        world.vmm.after("POST", "/vm/v3/schedule/1", n, forget_ours);
    }
    choose(&world, item, "daily");
    let refusal = world.fail(item, "setparam");
    refusal.is(Kind::Vm6Busy, "schedule 1", &["somebody else writes"]);
    assert_eq!(vms(&world, 2), [7003, vm], "it keeps the backups that it has");
    world.succeed(item, "setparam");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![vm], vec![7003]));
    world.vmm.change(|platform| platform.schedules.get_mut(&2).unwrap().hosts.retain(|vm| *vm != 7003));
}

/// The VM works and is paid for: a schedule that fails does not keep the service from being opened.
#[test]
fn a_service_opens_without_its_backups() {
    for (name, reason) in [("gone", "is gone from VMmanager"), ("refused", "no backup location")] {
        let world = world();
        let item = ordered(&world, "daily");
        if name == "gone" {
            world.vmm.before("POST", "/vm/v3/schedule/1", 1, |platform| drop(platform.schedules.remove(&1)));
        } else {
            let action = Action::Error { status: 400, code: 5000, msg: reason.to_owned() };
            world.vmm.fault(Fault::on("POST", "/vm/v3/schedule/1").act(action));
        }
        world.succeed(item, "open");
        assert_eq!(world.bill.item(item).status, 2, "{name}");
        let problems = world.bill.problems();
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        let text = format!("{:?}", problems[0]);
        let expected = [reason, "opens without its backups", "audit --repair backup --item"];
        assert!(expected.iter().all(|part| text.contains(part)), "{name}: {text}");
        let found = audit(&world);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        if name == "refused" {
            repair(&world, item);
            assert_eq!((vms(&world, 1), audit(&world).len()), (vec![world.host_of(item).id], 0));
        }
    }
}

/// What may pass is tried again, and at the last try the service opens too.
#[test]
fn a_platform_that_is_away_while_the_vm_gets_its_schedule() {
    let world = world();
    let item = ordered(&world, "daily");
    world
        .vmm
        .fault(Fault::on("POST", "/vm/v3/schedule/1").times(2).act(Action::Status { code: 500, body: "{}".into() }));
    world.fail(item, "open");
    let vm = world.host_of(item).id;
    world.bill.exec("UPDATE runningoperation SET trycount = 10", &[]);
    world.succeed(item, "open");
    assert_eq!((vms(&world, 1), world.bill.problems().len()), (vec![], 1));
    repair(&world, item);
    assert_eq!((vms(&world, 1), world.host_of(item).id), (vec![vm], vm));
}

/// An entry that cannot be taken out does not keep the VM, but the service.
#[test]
fn a_service_that_leaves_an_entry_is_not_closed() {
    let world = world();
    let (item, vm) = opened(&world, "daily");
    let action = Action::Error { status: 400, code: 5000, msg: "the schedule runs".to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/schedule/1").act(action));
    let refusal = world.fail(item, "close");
    assert!(refusal.value.contains("the schedule runs") && refusal.value.contains("\"daily\""), "{refusal:?}");
    assert_eq!((world.hosts_of(item).len(), vms(&world, 1)), (0, vec![vm]));
    world.succeed(item, "close");
    assert_eq!(vms(&world, 1), [0; 0]);
}

#[test]
fn what_the_audit_says() {
    let world = world();
    let (item, vm) = opened(&world, "daily");
    let put = |schedule: u64, is_in: bool| {
        world.vmm.change(|platform| {
            let hosts = &mut platform.schedules.get_mut(&schedule).unwrap().hosts;
            hosts.retain(|it| *it != vm);
            hosts.extend(is_in.then_some(vm));
        });
    };
    assert_eq!(audit(&world), []);
    let only = "in the backup schedule \"daily\" alone".to_owned();
    put(1, false);
    assert_eq!(audit(&world), [("in no backup schedule".to_owned(), only.clone())]);
    put(2, true);
    assert_eq!(audit(&world), [("in the backup schedule \"weekly\"".to_owned(), only.clone())], "moved by staff");
    repair(&world, item);
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![vm], vec![vm]), "staff's own entry is not ours to take");
    assert_eq!(audit(&world), [("in the backup schedule \"daily\", \"weekly\"".to_owned(), only)]);
    put(2, false);
    choose(&world, item, "off");
    assert_eq!(audit(&world), [("in the backup schedule \"daily\"".to_owned(), "no backup schedule".to_owned())]);
    repair(&world, item);
    put(2, true);
    assert_eq!(audit(&world), [], "nothing is sold: staff may do as they like");
    put(2, false);
    choose(&world, item, "hourly");
    let found = audit(&world);
    assert!(found.len() == 1 && found[0].0.contains("has no backup schedule \"hourly\""), "{found:?}");
    choose(&world, item, "off");
    world.vmm.change(|platform| platform.schedules.get_mut(&2).unwrap().hosts.push(4242));
    let found = audit(&world);
    assert!(found.len() == 1 && found[0].0.contains("VM 4242, which does not exist"), "{found:?}");
    world.vmm.change(|platform| platform.schedules.get_mut(&2).unwrap().hosts.retain(|vm| *vm != 4242));
}

/// Schedules become choices of the add-on; what clients have already stays one.
#[test]
fn schedules_become_choices() {
    let world = TestWorld::start();
    let items = || -> Vec<String> {
        let rows = world.bill.rows("SELECT intname FROM enumerationitem ORDER BY id", &[]);
        rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
    };
    let sync = || {
        let run = world.run(&["--command", "sync_server", "--module", &world.handler.to_string()]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}");
    };
    let tariff = Tariff::sized("VPS with backups", 2, 2048, 20_480).handler(world.handler);
    world.bill.add_tariff(&tariff.addon(Addon::choice("backup_schedule", &["none", "hourly", "2"])));
    sync();
    assert_eq!(items(), ["none", "hourly", "2"], "nothing is offered that is not proved to be delivered");
    verify(&world);
    sync();
    sync();
    // 2 is the id of "weekly"; "monthly" belongs to a VM configuration.
    assert_eq!(items(), ["none", "hourly", "2", "daily"]);
    let log = world.bill.log();
    assert!(log.contains("\"hourly\" is offered as a backup schedule, but is none in VMmanager"), "{log}");
    assert!(!log.contains("\"none\" is offered"), "{log}");
    world.vmm.change(|platform| platform.schedules.get_mut(&1).unwrap().name = "nightly".to_owned());
    sync();
    assert_eq!(items(), ["none", "hourly", "2", "daily", "nightly"]);
}

#[test]
fn a_plan_foretells_the_schedule() {
    let world = world();
    let item = ordered(&world, "daily");
    let plan = |command: &str| {
        let run = world.bill.run(&["plan", "--item", &item.to_string(), "--command", command]);
        assert_eq!(run.status, Some(0), "{run:?}");
        run.stdout
    };
    let text = plan("open");
    assert!(text.contains("POST /vm/v3/schedule/1") && text.contains("hosts=[7001,7002,\"<new VM>\"]"), "{text}");
    world.succeed(item, "open");
    choose(&world, item, "weekly");
    let text = plan("setparam");
    let vm = world.host_of(item).id;
    let steps = [
        "POST /vm/v3/schedule/2".to_owned(),
        format!("backup schedule \"weekly\": VM {vm} is put into it"),
        "POST /vm/v3/schedule/1".to_owned(),
        format!("backup schedule \"daily\": VM {vm} is taken out of it"),
    ];
    let places: Vec<_> = steps.iter().map(|step| text.find(step.as_str())).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    assert_eq!((vms(&world, 1), vms(&world, 2)), (vec![vm], vec![]), "nothing was sent");
    let refusal = {
        choose(&world, item, "hourly");
        world.bill.run(&["plan", "--item", &item.to_string()])
    };
    assert!(refusal.status == Some(1) && refusal.stdout.contains("possible: \"daily\", \"weekly\""), "{refusal:?}");
    choose(&world, item, "weekly");
    assert!(plan("close").contains("POST /vm/v3/schedule/1"));
}
