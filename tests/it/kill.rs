//! The program may be killed at any line and started again. Every fault point that there is is tried in every
//! operation, so a new point is tested without a new test. The client has a service on another VMmanager whose VM and
//! account have the same ids: it stays as it is.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use pmvmmanager6::fault;
use sandbox::bill::{Addon, Order, Tariff};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::invariants::{assert_nothing_forgotten, assert_one_vm_a_service};
use crate::support::service::KEY;
use crate::support::sites;
use crate::support::world::TestWorld;
use crate::support::{hostile_life, random_life};

/// Points of the queue and of the session cache have tests of their own.
const ELSEWHERE: [&str; 3] = ["queue.", "session.", "statistics."];

/// The life of a service, in this order.
const LIFE: [&str; 8] = ["open", "setparam", "addip", "delip", "changepassword", "suspend", "resume", "close"];

/// What the service must be after each operation.
#[derive(Clone, Copy)]
struct Expected {
    sizes: (u64, u64, u64),
    addresses: usize,
    state: Option<&'static str>,
    status: i64,
    /// Starts of the VM so far: a needless reboot shows here.
    starts: u64,
}

const EXPECTED: [Expected; 8] = {
    let open = Expected { sizes: (2, 2048, 20_480), addresses: 1, state: Some("active"), status: 2, starts: 1 };
    let grown = Expected { sizes: (4, 4096, 40_960), addresses: 2, starts: 2, ..open };
    let added = Expected { addresses: 3, ..grown };
    let suspended = Expected { state: Some("stopped"), status: 3, ..grown };
    let resumed = Expected { starts: 3, ..grown };
    [open, grown, added, grown, grown, suspended, resumed, Expected { state: None, status: 4, ..resumed }]
};

#[test]
fn killed_at_every_point_and_run_again() {
    let points = points();
    let reached = Mutex::new(BTreeSet::new());
    let cases: Vec<(&str, &str)> = points.iter().map(|point| (*point, *point)).collect();
    each(&cases, |point| {
        // Slow enough that the next run begins while VMmanager is still at work.
        let world = TestWorld::with(|scene| {
            scene.more.push(sites::another());
            scene.vmm.timing.other = Duration::from_millis(350);
            scene.vmm.timing.create = Duration::from_millis(500);
        });
        let twin = world.opened_on(1, world.alice);
        let untouched = format!("{:?} {:?}", world.placed(twin), world.billing(twin));
        let item = ordered_with_backups(&world);
        for (command, expected) in LIFE.into_iter().zip(EXPECTED) {
            let extra = prepare(&world, item, command);
            let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
            let killed = world.attempt(item, command, &extra, &[("PMVMMANAGER6_FAULT", point)]);
            if killed.status.is_none() {
                reached.lock().unwrap().insert((*point).to_owned());
                assert_one_vm_a_service(&world);
                assert_nothing_forgotten(&world);
                if !world.bill.running(item).is_empty() {
                    let run = world.attempt(item, command, &extra, &[]);
                    assert!(run.done, "{command} after a kill: {run:#?}\n{}", world.bill.log());
                }
            } else {
                assert!(killed.done, "{command} without reaching the point: {killed:#?}\n{}", world.bill.log());
            }
            check(&world, item, command, expected);
            check_backups(&world, item, command);
            let keys = world
                .vmm
                .look(|platform| platform.accounts.values().map(|account| account.ssh_keys.len()).collect::<Vec<_>>());
            assert_eq!(keys, [0, 1], "the client's key once, after {command}");
            let now = format!("{:?} {:?}", world.placed(twin), world.billing(twin));
            assert_eq!(now, untouched, "after {command}");
        }
    });
    let reached = reached.into_inner().unwrap();
    let missed: Vec<&&str> = points.iter().filter(|point| !reached.contains(**point)).collect();
    assert!(missed.is_empty(), "no operation reaches {missed:?}");
}

/// The same while the remains of a creation that failed in VMmanager are removed.
#[test]
fn killed_while_remains_are_removed() {
    let points: Vec<&str> = points().into_iter().filter(|point| point.starts_with("delete.")).collect();
    let cases: Vec<(&str, &str)> = points.iter().map(|point| (*point, *point)).collect();
    each(&cases, |point| {
        let world = TestWorld::start();
        let action = Action::FailTask { word: "failed", text: "no space left".to_owned() };
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
        let item = world.ordered();
        assert!(world.killed_at(item, "open", &[], point), "the point is not reached");
        assert_nothing_forgotten(&world);
        // The first of them may be told of the failure, which nobody has reported yet.
        world.bill.perform_until_done(item, "open", 2);
        check(&world, item, "open", EXPECTED[0]);
    });
}

/// A service that has its VM in a backup schedule, where the platform's schedules are known.
fn ordered_with_backups(world: &TestWorld) -> u64 {
    let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let tariff = Tariff::sized("VPS with backups", 2, 2048, 20_480).handler(world.handler);
    let tariff = tariff.addon(Addon::amount("cpu_weight", "", 200)).addon(Addon::amount("coffee", "", 1));
    let tariff = world.bill.add_tariff(&tariff.addon(Addon::choice("backup_schedule", &["daily", "weekly"])));
    world.bill.order(&Order::new(world.alice, tariff, world.handler).secret("ssh_key", KEY))
}

fn points() -> Vec<&'static str> {
    let elsewhere = |point: &str| ELSEWHERE.iter().any(|prefix| point.starts_with(prefix));
    fault::POINTS.iter().copied().filter(|point| !elsewhere(point)).collect()
}

/// What the client does before the operation; further arguments of it.
fn prepare(world: &TestWorld, item: u64, command: &str) -> Vec<String> {
    let last_slot = || world.bill.slots(item).last().map(|slot| slot.0.to_string()).unwrap_or_default();
    match command {
        "setparam" => {
            for (addon, value) in [("ncpu", 4), ("mem", 4096), ("disk disc", 40_960), ("ip", 2)] {
                world.bill.set_addon(item, addon, value);
            }
            world.bill.set_addon(item, "cpu_weight", 900);
            world.bill.set_addon(item, "backup_schedule", "weekly");
            Vec::new()
        }
        "addip" => {
            world.bill.set_addon(item, "ip", 3);
            vec!["--ip".to_owned(), last_slot()]
        }
        "delip" => {
            let slot = last_slot();
            world.bill.set_addon(item, "ip", 2);
            vec!["--ip".to_owned(), slot]
        }
        _ => Vec::new(),
    }
}

#[track_caller]
fn check_backups(world: &TestWorld, item: u64, command: &str) {
    let lists = world.vmm.look(|platform| [1, 2].map(|id| platform.schedules[&id].hosts.clone()));
    let vm: Vec<u64> = world.hosts_of(item).iter().map(|host| host.id).collect();
    let expected = if command == "open" { [vm, Vec::new()] } else { [Vec::new(), vm] };
    assert_eq!(lists, expected, "after {command}:\n{}", world.bill.log());
    let weight = if command == "open" { 200 } else { 900 };
    for host in world.hosts_of(item) {
        assert_eq!(host.tuning.cpu_weight, Some(weight), "after {command}:\n{}", world.bill.log());
    }
    let told = world.bill.rows("SELECT COUNT(*) FROM problem", &[])[0][0].clone();
    assert!(told.is_some_and(|told| ["1", "2"].contains(&told.as_str())), "staff is told of what is not delivered");
}

#[track_caller]
fn check(world: &TestWorld, item: u64, command: &str, expected: Expected) {
    let log = || format!("after {command}:\n{}", world.bill.log());
    assert_eq!(world.bill.running(item), [], "{}", log());
    assert_eq!(world.bill.item(item).status, expected.status, "{}", log());
    for (vmm, _) in world.platforms() {
        assert_eq!(vmm.look(|platform| platform.accounts.len()), 2, "one administrator, one client, {}", log());
    }
    assert!(world.placed(item).iter().all(|(site, _)| *site == 0), "{}", log());
    let Some(state) = expected.state else {
        assert_eq!(world.hosts_of(item).len(), 0, "{}", log());
        assert_eq!(world.bill.slots(item), [], "{}", log());
        return;
    };
    let host = world.host_of(item);
    assert_eq!(host.state, state, "{}", log());
    assert_eq!((host.starts, host.installs), (expected.starts, 1), "{}", log());
    assert_eq!(world.sizes(host.id), expected.sizes, "{}", log());
    let mut held = world.used_slots(item);
    let mut given: Vec<String> = world.addresses(host.id, 4).into_iter().map(|(_, address)| address).collect();
    held.sort();
    given.sort();
    assert_eq!(held, given, "{}", log());
    assert_eq!(given.len(), expected.addresses, "{}", log());
    assert_eq!(world.bill.params(item)["panelid"], host.id.to_string(), "{}", log());
    assert_eq!(world.bill.secret(item, "password"), Some(host.password), "{}", log());
}

/// A short walk of what `make soak` does for long.
#[test]
fn random_lives_with_random_disturbances() {
    for seed in 0..2 {
        random_life::round(seed, 2, 6);
    }
}

/// The same on two platforms with hostile clients.
#[test]
fn random_lives_with_hostile_clients() {
    hostile_life::rounds(20, 5, 3);
}
