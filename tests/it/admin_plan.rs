//! `plan`: what it says is what the operation then does, and the plan itself changes nothing anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sandbox::bill::{Addon, Call, Handler, Order, Run, Tariff};
use sandbox::vmm::{Action, Fault, Platform};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::golden;
use crate::support::invariants::assert_sound;
use crate::support::service::NOTHING;
use crate::support::world::{IMPATIENCE, TestWorld};

/// Makes a world ready; the service and the operation, nothing for the one that `plan` takes by itself.
type Scenario = fn(&TestWorld) -> (u64, Option<&'static str>);

fn goldens() -> Vec<(&'static str, Scenario)> {
    vec![
        ("open", |world| (world.ordered(), None)),
        ("setparam-hot", |world| (grown(world, (true, true), &["ncpu", "mem"]), None)),
        ("setparam-restart", |world| (grown(world, (false, false), &["ncpu", "mem", "disk disc"]), None)),
        ("disk", |world| (grown(world, (true, true), &["disk disc"]), None)),
        ("tariff-shrinks", |world| {
            let item = world.opened();
            world.bill.change_tariff(item, world.tariffs.small);
            (item, Some("setparam"))
        }),
        ("close", |world| (world.opened(), Some("close"))),
        ("nothing", |world| (world.opened(), None)),
        ("speeds", |world| {
            let tariff = Tariff::sized("speeds", 2, 2048, 20_480).addon(Addon::amount("inbound", "mbit/s", 100));
            let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
            let item = world.opened_as(&Order::new(world.alice, tariff, world.handler));
            world.bill.set_addon(item, "inbound", 200);
            (item, None)
        }),
    ]
}

fn openings() -> Vec<(&'static str, Scenario)> {
    vec![
        ("a client with an account, a recipe and a host name", |world| {
            world.opened();
            world.bill.set_handler(world.handler, "use_recipes", "on");
            let order = world
                .usual_order()
                .param("recipe", "ISPsystem__Docker")
                .param("domain", "shop.example.com")
                .secret("password", "0rdered-pass");
            (world.bill.order(&order), Some("open"))
        }),
        ("several addresses and IPv6", |world| {
            let tariff = Tariff::sized("ipv6", 1, 1024, 10_240).addon(Addon::amount("ipv6", "", 0));
            let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
            let order = Order::new(world.alice, tariff, world.handler).ips(3).ips6(1).addon("ipv6", "1");
            (world.bill.order(&order), None)
        }),
        ("two interfaces", |world| {
            world.bill.set_handler(world.handler, "cluster", "3");
            world.bill.set_handler(world.handler, "additional_interface", "on");
            (world.bill.order(&world.usual_order().ips(3)), None)
        }),
        ("a VM configuration", |world| {
            (world.bill.order(&Order::new(world.alice, world.tariffs.preset, world.handler)), None)
        }),
        ("an OS that VMmanager does not have", |world| {
            (world.bill.order(&world.usual_order().param("ostempl", "ISPsystem__Plan 9")), None)
        }),
    ]
}

fn changes() -> Vec<(&'static str, Scenario)> {
    vec![
        ("a stopped VM grows", |world| {
            let item = grown(world, (false, false), &["ncpu", "mem", "disk disc"]);
            world.succeed(item, "stop");
            (item, None)
        }),
        ("memory that has grown too often while it ran", |world| {
            let item = grown(world, (true, true), &["mem", "disk disc"]);
            world.alter(world.host_of(item).id, |vm| vm.hot_plug_cell_counter = 16);
            (item, None)
        }),
        ("a VM with snapshots", |world| {
            let item = grown(world, (true, true), &["mem", "disk disc"]);
            world.alter(world.host_of(item).id, |vm| vm.snapshot_count = 1);
            (item, None)
        }),
        ("memory in an odd step", |world| {
            let item = grown(world, (true, true), &["disk disc"]);
            world.bill.set_addon(item, "mem", 2560);
            (item, None)
        }),
        ("what waits for a stop is ordered no longer", |world| {
            let item = world.opened();
            world.alter(world.host_of(item).id, |vm| vm.ram_mib_new = 8192);
            (item, None)
        }),
        ("a mark that is lost", |world| {
            let item = grown(world, (false, false), &["ncpu"]);
            world.alter(world.host_of(item).id, |vm| "my shop".clone_into(&mut vm.comment));
            (item, None)
        }),
        ("more addresses", |world| {
            let item = world.opened();
            world.bill.set_addon(item, "ip", 3);
            (item, None)
        }),
        ("fewer addresses", |world| {
            let item = world.opened_as(&world.usual_order().ips(3));
            world.give_up_slot(world.bill.slots(item)[1].0);
            world.bill.set_addon(item, "ip", 2);
            (item, None)
        }),
        ("another host name", |world| {
            let item = world.opened();
            world.bill.set_param(item, "domain", "new.example.com");
            (item, None)
        }),
        ("a tariff that grows", |world| {
            let item = world.opened();
            world.bill.change_tariff(item, world.tariffs.medium);
            (item, Some("setparam"))
        }),
    ]
}

fn power_and_ends() -> Vec<(&'static str, Scenario)> {
    vec![
        ("reopen", |world| (world.opened(), Some("reopen"))),
        ("suspend", |world| (world.opened(), Some("suspend"))),
        ("resume", |world| (world.ready_for("resume"), None)),
        ("reboot", |world| (world.opened(), Some("reboot"))),
        ("hardreboot", |world| (world.opened(), Some("hardreboot"))),
        ("start of what is stopped", |world| {
            let item = world.opened();
            world.succeed(item, "stop");
            (item, Some("start"))
        }),
        ("the stop of what is on its way to another node", |world| {
            let item = world.opened();
            world.alter(world.host_of(item).id, |vm| "migrating".clone_into(&mut vm.state));
            (item, Some("suspend"))
        }),
        ("the growth of what is on its way to another node", |world| {
            let item = grown(world, (true, true), &["ncpu"]);
            world.alter(world.host_of(item).id, |vm| "migrating".clone_into(&mut vm.state));
            (item, None)
        }),
        ("the close of what is protected", |world| {
            let item = world.opened();
            world.alter(world.host_of(item).id, |vm| vm.is_protected = true);
            (item, Some("close"))
        }),
        ("the close of what is gone", |world| {
            let item = world.opened();
            let host = world.host_of(item).id;
            world.vmm.change(|platform| platform.remove_host(host));
            (item, Some("close"))
        }),
        ("the VM of somebody else", |world| {
            let item = world.opened();
            let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
            world.alter(world.host_of(item).id, |vm| vm.account = stranger);
            (item, Some("close"))
        }),
        ("a suspended service that the client has started", |world| {
            let item = world.ready_for("resume");
            world.alter(world.host_of(item).id, |vm| "active".clone_into(&mut vm.state));
            (item, Some("sync_item"))
        }),
    ]
}

/// An open service whose add-ons have grown, and whether its VM can grow while it runs.
fn grown(world: &TestWorld, hot: (bool, bool), addons: &[&str]) -> u64 {
    let item = world.opened();
    world.alter(world.host_of(item).id, |vm| (vm.hot_plug, vm.live_resize) = hot);
    for (name, amount) in [("ncpu", 4), ("mem", 4096), ("disk disc", 30_720)] {
        if addons.contains(&name) {
            world.bill.set_addon(item, name, amount);
        }
    }
    item
}

/// What the plan may not touch: VMmanager's state, BILLmanager's rows, the journal.
#[derive(Debug, PartialEq)]
struct Everything {
    vmmanager: String,
    rows: Vec<sandbox::bill::Row>,
    journal: Option<Vec<u8>>,
}

impl Everything {
    fn of(world: &TestWorld) -> Self {
        let vmmanager =
            world.vmm.look(|p| format!("{:?}\n{:?}\n{:?}\n{:?}\n{:?}", p.hosts, p.disks, p.accounts, p.ips, p.tasks));
        let tables = ["item", "itemparam", "itemcryptedparam", "ip", "runningoperation", "task", "problem"];
        let rows = tables.iter().flat_map(|table| world.bill.rows(&format!("SELECT * FROM {table}"), &[]));
        let journal = fs::read(world.bill.root().join("var/pmvmmanager6/journal.db")).ok();
        Everything { vmmanager, rows: rows.collect(), journal }
    }
}

fn arguments<'a>(item: &'a str, command: Option<&'a str>) -> Vec<&'a str> {
    let command = command.into_iter().flat_map(|command| ["--command", command]);
    ["plan", "--item", item].into_iter().chain(command).collect()
}

/// Plans without leaving a trace; text and document.
#[track_caller]
fn planned(world: &TestWorld, item: u64, command: Option<&str>) -> (Run, Value) {
    world.forget();
    let (before, item) = (Everything::of(world), item.to_string());
    let mut arguments = arguments(&item, command);
    let text = world.bill.run(&arguments);
    arguments.push("--json");
    let json = world.bill.run(&arguments);
    assert_eq!(world.asked(), NOTHING, "something was sent");
    assert_eq!(world.panel_calls(), [""; 0], "BILLmanager was called");
    assert_eq!(Everything::of(world), before);
    assert_eq!(text.status, json.status);
    let document = serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:#?}"));
    (text, document)
}

/// The operation does what was planned, to the letter.
#[track_caller]
fn assert_done_as_planned(world: &TestWorld, item: u64, plan: &Value, run: &Run) {
    let of = |party: &str| -> Vec<(String, Value)> {
        let steps = plan["steps"].as_array().unwrap().iter().filter(|step| step["to"] == party);
        steps.map(|step| (step["request"].as_str().unwrap().to_owned(), step["body"].clone())).collect()
    };
    let mut names = BTreeMap::new();
    let unpredictable = !plan["unpredictable"].is_null();
    let called = world.bill.calls().into_iter().filter(|call| !REPORTS.contains(&call.function.as_str()));
    let called: Vec<(String, Value)> = called.map(|call| (call.function.clone(), params(&call))).collect();
    for (planned, mut done) in [(of("VMmanager"), world.asked()), (of("BILLmanager"), called)] {
        if unpredictable {
            assert!(done.len() >= planned.len(), "planned {planned:#?}\ndone {done:#?}");
            done.truncate(planned.len());
        }
        let fits = planned.len() == done.len()
            && planned.iter().zip(&done).all(|(planned, done)| {
                is(&json!(planned.0), &json!(done.0), &mut names) && is(&planned.1, &done.1, &mut names)
            });
        assert!(fits, "planned {planned:#?}\ndone {done:#?}\n{}", world.bill.log());
    }
    match plan["error"].as_object() {
        Some(error) => {
            assert_eq!(run.status, Some(1), "{run:#?}");
            assert!(run.stdout.contains(&format!("type=\"{}\"", error["type"].as_str().unwrap())), "{run:#?}");
        }
        None if unpredictable => {}
        None => assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log()),
    }
    assert_sound(world);
    for name in ["password", "userpassword"] {
        let secret = world.bill.secret(item, name);
        assert!(secret.is_none_or(|secret| !plan.to_string().contains(&secret)), "{name} is in {plan:#}");
    }
}

/// How a failure is reported to BILLmanager is no part of the plan.
const REPORTS: [&str; 5] =
    ["runningoperation.edit", "runningoperation.setmanual", "task.gettype", "task.edit", "problems.register"];

fn params(call: &Call) -> Value {
    call.params.iter().map(|param| (param.name.clone(), Value::from(param.value.clone()))).collect()
}

/// Whether `done` is what was planned, every name in angle brackets standing for one thing.
fn is(planned: &Value, done: &Value, names: &mut BTreeMap<String, String>) -> bool {
    match (planned, done) {
        (Value::Object(planned), Value::Object(done)) => {
            planned.len() == done.len()
                && planned.iter().all(|(name, value)| done.get(name).is_some_and(|done| is(value, done, names)))
        }
        (Value::Array(planned), Value::Array(done)) => {
            planned.len() == done.len() && planned.iter().zip(done).all(|(planned, done)| is(planned, done, names))
        }
        (Value::String(planned), done) if planned == "***" => done.as_str().is_some_and(|done| !done.is_empty()),
        (Value::String(planned), done) if planned.contains('<') => {
            let done = done.as_str().map_or_else(|| done.to_string(), str::to_owned);
            let (before, rest) = planned.split_once('<').unwrap();
            let (name, after) = rest.split_once('>').unwrap();
            let found = done.strip_prefix(before).and_then(|done| done.strip_suffix(after));
            let one_of_many = name.starts_with("its ") || name.starts_with("id of ");
            found.is_some_and(|found| {
                one_of_many || names.entry(name.to_owned()).or_insert_with(|| found.to_owned()) == found
            })
        }
        (planned, done) => planned == done,
    }
}

/// Compares with the file in `tests/data/plan`.
#[track_caller]
fn assert_planned(world: &TestWorld, file: &str, text: &str) {
    golden::assert_golden(
        &format!("plan/{file}"),
        &golden::unmarked(world, text).replace(&world.vmm.url(), "VMMANAGER"),
    );
}

#[test]
fn the_operation_does_what_was_planned() {
    let cases: Vec<(&str, Scenario)> = [goldens(), openings(), changes(), power_and_ends()].concat();
    each(&cases, |scenario| {
        let world = TestWorld::start();
        let (item, command) = scenario(&world);
        let (_, plan) = planned(&world, item, command);
        let run = match plan["command"].as_str().unwrap() {
            "sync_item" => world.aside(item, "sync_item"),
            command => world.perform(item, command),
        };
        assert_done_as_planned(&world, item, &plan, &run);
    });
}

#[test]
fn the_plan_is_shown_as_ever() {
    let cases: Vec<(&str, (&str, Scenario))> =
        goldens().into_iter().map(|(name, scenario)| (name, (name, scenario))).collect();
    each(&cases, |(name, scenario)| {
        let world = TestWorld::start();
        let (item, command) = scenario(&world);
        let (run, plan) = planned(&world, item, command);
        assert_eq!(run.status, Some(i32::from(!plan["error"].is_null())));
        assert_planned(&world, &format!("{name}.txt"), &run.stdout);
        assert_planned(&world, &format!("{name}.json"), &format!("{plan:#}\n"));
    });
}

/// What an interrupted try has left is taken into account.
#[test]
fn an_operation_that_was_interrupted_goes_on_as_planned() {
    let points = [
        ("account.before_request", "open"),
        ("account.recorded", "open"),
        ("create.after_intent", "open"),
        ("create.after_request", "open"),
        ("create.recorded", "open"),
        ("open.params_saved", "open"),
        ("open.slot_added", "open"),
        ("open.slots_filled", "open"),
        ("resize.before_restart", "setparam"),
        ("power.after_request", "suspend"),
        ("delete.after_request", "close"),
        ("close.slots_freed", "close"),
    ];
    let cases = points.map(|(point, command)| (point, (point, command)));
    each(&cases, |(point, command)| {
        let world = TestWorld::start();
        let item = match *command {
            "open" => world.ordered(),
            "setparam" => grown(&world, (false, false), &["ncpu", "disk disc"]),
            _ => world.opened(),
        };
        assert!(world.killed_at(item, command, &[], point), "{point} is not on the way");
        // VMmanager has done what it was asked for when the next try comes.
        let calm = |p: &Platform| p.tasks.values().all(|task| task.status != "running");
        assert!(world.vmm.wait_until(IMPATIENCE, calm), "VMmanager does not end its tasks");
        let (_, plan) = planned(&world, item, None);
        assert_eq!(plan["command"], *command);
        let run = world.perform(item, command);
        assert_done_as_planned(&world, item, &plan, &run);
    });
}

#[test]
fn the_plan_ends_where_the_operation_has_to_wait() {
    let world = TestWorld::with(|scene| scene.vmm.timing.create = Duration::from_mins(1));
    let item = world.ordered();
    assert!(world.killed_at(item, "open", &[], "create.recorded"));
    let alone = |p: &Platform| p.tasks.values().all(|task| task.name == "host_create" || task.status != "running");
    assert!(world.vmm.wait_until(IMPATIENCE, alone), "more than the creation goes on");
    let (run, plan) = planned(&world, item, None);
    assert_eq!(run.status, Some(0));
    assert!(plan["unpredictable"].as_str().unwrap().contains("would have to wait"), "{plan:#}");
    assert!(run.stdout.contains("From here on the plan cannot be predicted: the operation would have to wait"));
    assert!(run.took < IMPATIENCE, "{:?}", run.took);
    let run = world.attempt(item, "open", &[], &[("PMVMMANAGER6_LIMITS", "create=1,panel=8")]);
    assert_done_as_planned(&world, item, &plan, &run);
}

/// Operations in any order, each planned before.
#[test]
fn a_life_goes_as_planned() {
    let cases: Vec<(String, u64)> = (0..4).map(|seed| (format!("seed {seed}"), seed)).collect();
    let cases: Vec<(&str, u64)> = cases.iter().map(|(name, seed)| (name.as_str(), *seed)).collect();
    each(&cases, |&seed| {
        let mut random = StdRng::seed_from_u64(seed);
        let world = TestWorld::start();
        let item = world.ordered();
        let mut command = "open";
        let (mut disk, mut addresses) = (20_480, 1);
        for _ in 0..10 {
            let (_, plan) = planned(&world, item, Some(command));
            let run = world.perform(item, command);
            assert_done_as_planned(&world, item, &plan, &run);
            let host = world.host_of(item);
            world.alter(host.id, |vm| (vm.hot_plug, vm.live_resize) = (random.gen_bool(0.5), random.gen_bool(0.5)));
            let suspended = world.bill.item(item).status == 3;
            let sensible: &[&str] =
                if suspended { &["resume", "setparam"] } else { &["suspend", "setparam", "reboot"] };
            command = sensible.choose(&mut random).copied().unwrap();
            disk += random.gen_range(0..2) * 1024;
            addresses += i64::from(addresses < 4 && random.gen_bool(0.3));
            for (name, value) in [("ncpu", random.gen_range(1..6)), ("mem", random.gen_range(4..10) * 512)] {
                world.bill.set_addon(item, name, value);
            }
            world.bill.set_addon(item, "disk disc", disk);
            world.bill.set_addon(item, "ip", addresses);
        }
        let (_, plan) = planned(&world, item, Some("close"));
        let run = world.perform(item, "close");
        assert_done_as_planned(&world, item, &plan, &run);
    });
}

/// One line that says what happened, nothing on standard output, whether JSON is asked for or not.
#[track_caller]
fn assert_refused(world: &TestWorld, item: u64, parts: &[&str]) {
    for json in [&[][..], &["--json"]] {
        let item = item.to_string();
        let run = world.bill.run(&[&["plan", "--item", &item], json].concat());
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{run:#?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
        for part in parts {
            assert!(run.stderr.contains(part), "\"{part}\" is missing: {run:#?}");
        }
    }
}

#[test]
fn what_cannot_be_planned_is_said_in_one_line() {
    let world = TestWorld::start();
    let item = world.opened();
    assert_refused(&world, 999, &["bad_argument (item)", "999"]);

    let url = world.vmm.url();
    let foreign = Handler { module: "pmvmmgr6".into(), ..Handler::new(&url, "a@b.c", "x", "1") };
    let foreign = world.bill.add_handler(&foreign);
    let foreign = world.bill.order(&Order { handler: foreign, ..world.usual_order() });
    assert_refused(&world, foreign, &["unsupported_module (pmvmmgr6)", &foreign.to_string()]);

    world.bill.set_item(item, "status", 77);
    assert_refused(&world, item, &["unknown status 77", "--command"]);
    world.bill.set_item(item, "status", 2);

    world.bill.set_handler(world.handler, "url", "http://127.0.0.1:1");
    assert_refused(&world, item, &["vm6_connect", "127.0.0.1:1"]);
    world.bill.set_handler(world.handler, "url", &url);

    world.bill.do_nothing(true);
    assert_refused(&world, item, &["billmgr.DoNothing"]);
    world.bill.do_nothing(false);

    let options = world.bill.root().join("etc/billmgr.conf.d/db.conf");
    fs::write(options, "DBType sqlite\nDBName /nonexistent/absent.db\n").unwrap();
    assert_refused(&world, item, &["db (/nonexistent/absent.db)"]);
    assert_eq!(world.asked(), NOTHING);
}

/// VMmanager goes away in the middle: what was planned until then is shown.
#[test]
fn a_plan_that_breaks_off_says_so() {
    let world = TestWorld::start();
    let item = world.ordered();
    let gone = Action::Status { code: 403, body: "{\"error\": {\"code\": 3001}}".to_owned() };
    world.vmm.fault(Fault::on("GET", "/vm/v3/account").always().act(gone));
    let (run, plan) = planned(&world, item, None);
    assert_eq!((run.status, &plan["error"]["type"]), (Some(1), &json!("vm6_permission")));
    assert_eq!(plan["steps"][0]["request"], "service.saveparam");
    assert!(run.stdout.contains("The operation would fail: vm6_permission"), "{}", run.stdout);
}

#[test]
fn wrong_usage_is_status_two_and_does_nothing() {
    let world = TestWorld::start();
    let item = world.opened().to_string();
    for arguments in [
        &["plan"][..],
        &["plan", "--item", "x"],
        &["plan", "--item", &item, "--command", "delete"],
        &["plan", "--item", &item, "--command"],
        &["queue", "--command", "close", "--item", &item],
    ] {
        let run = world.bill.run(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:#?}");
    }
    assert_eq!(world.asked(), NOTHING);
    assert_eq!(world.panel_calls(), [""; 0]);
}

/// A reader of the log must not take the plan for the operation.
#[test]
fn the_log_says_that_nothing_is_done() {
    let world = TestWorld::start();
    let item = world.opened();
    let before = world.bill.log().len();
    planned(&world, item, Some("close"));
    let log = world.bill.log().split_off(before);
    assert!(log.contains("removing VM"), "{log}");
    assert!(log.lines().all(|line| line.contains("(plan, nothing is done)")), "{log}");
}
