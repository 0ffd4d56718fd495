//! Ids mean nothing outside their VMmanager: a service lives on one, its client has an account on each, and a handler
//! that leads elsewhere changes nothing.

use std::time::Instant;

use pmvmmanager6::error::Kind;
use pmvmmanager6::queue::{self, Scope};
use sandbox::bill::Run;
use sandbox::vmm::{Host, UserLists};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::processes::until;
use crate::support::refusal::Refusal;
use crate::support::service::{Arrange, NOTHING, SUSPENDED};
use crate::support::sites::{STRANGER, start_two, two};
use crate::support::world::TestWorld;

const ADMINISTRATOR: &str = "admin@example.net";

/// What must not be done to a VM that is not the service's.
const CHANGING: [&str; 5] = ["close", "open", "reopen", "suspend", "setparam"];

/// How a service comes to another VMmanager than its own, and back.
type Detour = (Arrange, Arrange);

const DETOURS: [(&str, Detour); 3] = [
    (
        "the handler has another address",
        (
            |world, _| world.bill.set_handler_url(world.handler, &world.site(1).url()),
            |world, _| world.bill.set_handler_url(world.handler, &world.vmm.url()),
        ),
    ),
    (
        "the service has another handler",
        (
            |world, item| world.bill.move_service(item, world.handler_on(1)),
            |world, item| world.bill.move_service(item, world.handler),
        ),
    ),
    (
        "another VMmanager has the old address",
        (
            |world, _| world.site(1).take_over(&world.vmm).unwrap(),
            |world, _| world.bill.set_handler_url(world.handler, &world.vmm.url()),
        ),
    ),
];

/// Everything is refused for this reason, and nothing is changed on either side.
#[track_caller]
fn assert_refused(world: &TestWorld, item: u64, kind: Kind) {
    world.forget();
    for command in CHANGING {
        let refusal = world.refuse(item, command);
        assert_eq!(refusal.kind, kind, "{command}: {refusal:?}\n{}", world.bill.log());
        world.drop_operations();
    }
    assert_eq!(Refusal::of(&world.ask_link(item, &[])).kind, kind);
    assert_eq!(world.asked(), NOTHING);
}

/// An open service of Alice's lives on to its end.
#[track_caller]
fn assert_lives(world: &TestWorld, item: u64) {
    world.bill.set_addon(item, "ncpu", 3);
    for command in ["setparam", "suspend", "resume"] {
        world.succeed(item, command);
    }
    assert_eq!(world.host_of(item).cpu_number, 3);
    assert_eq!(world.enters(item).1, "alice@example.com");
    world.succeed(item, "close");
    assert_eq!(world.placed(item).len(), 0);
}

#[test]
fn a_client_has_an_account_on_each_vmmanager() {
    let world = start_two();
    let items = [0, 1].map(|site| world.opened_on(site, world.alice));
    for (site, item) in items.into_iter().enumerate() {
        let [(at, host)] = &world.placed(item)[..] else { panic!("one VM: {:#?}", world.placed(item)) };
        assert_eq!(*at, site);
        assert_eq!(Some(host.account), world.account_on(site, "alice@example.com"));
        assert_eq!(world.enters(item), (world.site(site).url(), "alice@example.com".to_owned()));
    }
    assert_eq!(world.account_on(0, "alice@example.com"), world.account_on(1, STRANGER), "ids of accounts collide");
    assert_eq!(world.host_of(items[0]).id, world.host_of(items[1]).id, "ids of VMs collide");
    for item in items {
        assert_lives(&world, item);
    }
}

#[test]
fn a_service_lives_on_its_own_vmmanager() {
    let collide = [false, true].into_iter();
    let cases = collide.flat_map(|collides| DETOURS.map(|(name, detour)| (name, (detour, collides))));
    each(&cases.collect::<Vec<_>>(), |((away, back), collides)| {
        let world = start_two();
        let item = world.opened_on(0, world.alice);
        if *collides {
            world.site(1).after("POST", "/vm/v3/host", 1, |platform| {
                let hosts = platform.hosts.values_mut();
                hosts.for_each(|host| "2024-05-05 05:05:05".clone_into(&mut host.create_date));
            });
            let other = world.opened_on(1, world.bob);
            assert_eq!(world.host_of(other).id, world.host_of(item).id);
            world.bill.set_addon(other, "ncpu", 3);
            world.succeed(other, "setparam");
        }
        away(&world, item);
        assert_refused(&world, item, Kind::Vm6Platform);
        back(&world, item);
        assert_lives(&world, item);
    });
}

/// The ids of VM and account are the same on both platforms, and both VMs were made in one second.
#[test]
fn vms_of_one_id_and_one_second_are_two() {
    let states = [("complete", None), ("accepted", Some("create.recorded"))].into_iter();
    let cases = states.flat_map(|(state, point)| DETOURS.map(|(name, detour)| ((name, state), (detour, point))));
    let cases: Vec<(String, _)> = cases.map(|((name, state), case)| (format!("{name}, {state}"), case)).collect();
    let cases: Vec<(&str, _)> = cases.iter().map(|(name, case)| (name.as_str(), case)).collect();
    each(&cases, |((away, back), point)| {
        let world = TestWorld::with(two);
        let item = world.opened_on(0, world.alice);
        let date = world.host_of(item).create_date;
        world.site(1).after("POST", "/vm/v3/host", 1, move |platform| {
            platform.hosts.values_mut().for_each(|host| host.create_date.clone_from(&date));
        });
        let other = world.bill.order(&world.order_on(1, world.alice));
        match point {
            Some(point) => assert!(world.killed_at(other, "open", &[], point)),
            None => drop(world.succeed(other, "open")),
        }
        let same = |host: Host| (host.id, host.account, host.create_date);
        assert_eq!(same(world.host_of(item)), same(world.host_of(other)));
        // What is alike is no proof; these are different.
        for site in [0, 1] {
            world.opened_on(site, world.alice);
        }
        away(&world, item);
        assert_refused(&world, item, Kind::Vm6Platform);
        back(&world, item);
        assert_lives(&world, item);
        world.bill.set_handler_url(world.handler_on(1), &world.site(1).url());
        if point.is_some() {
            world.succeed_with(other, "open", &[]);
        }
        assert_lives(&world, other);
    });
}

/// Staff have confirmed a VMmanager on which nothing was ordered yet; then a known one has its address.
#[test]
fn a_platform_without_vms_is_not_united_away() {
    let world = TestWorld::with(two);
    let item = world.opened_on(0, world.alice);
    let second = world.handler_on(1);
    assert_eq!(world.bill.run(&["platform", "confirm", "--module", &second.to_string(), "--yes"]).status, Some(0));
    world.site(0).take_over(world.site(1)).unwrap();
    world.bill.move_service(item, second);
    world.succeed(item, "suspend");
    let listed = world.bill.run(&["platform", "--json"]).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let names = |row: &Value| row["clusters"][0]["name"].as_str().unwrap().ends_with("-fra");
    let rows = listed["platforms"].as_array().unwrap().iter().map(|row| (names(row), row["services"].as_u64()));
    assert_eq!(rows.collect::<Vec<_>>(), [(false, Some(1)), (true, Some(0))]);
}

#[test]
fn an_unfinished_opening_makes_no_second_vm_elsewhere() {
    let points = ["create.before_request", "create.after_request", "create.recorded"].into_iter();
    let by_staff = &DETOURS[..2];
    let cases = points.flat_map(|point| by_staff.iter().map(move |(name, detour)| (*name, (point, detour))));
    each(&cases.collect::<Vec<_>>(), |(point, (away, back))| {
        let world = start_two();
        let item = world.bill.order(&world.order_on(0, world.alice));
        assert!(world.killed_at(item, "open", &[], point));
        away(&world, item);
        for command in ["open", "close"] {
            assert_eq!(world.fail(item, command).kind, Kind::Vm6Platform, "{command}");
        }
        assert!(world.site(1).look(|platform| platform.hosts.is_empty()));
        back(&world, item);
        world.succeed_with(item, "open", &[]);
        assert_eq!(world.placed(item).len(), 1);
        assert_eq!(world.placed(item)[0].0, 0);
    });
}

#[test]
fn the_same_vmmanager_at_a_new_address_is_known() {
    let world = start_two();
    let item = world.opened_on(0, world.alice);
    let before = world.vmm.url();
    world.vmm.move_to(0).unwrap();
    world.bill.set_handler_url(world.handler, &world.vmm.url());
    world.succeed(item, "suspend");
    let (log, url) = (world.bill.log(), world.vmm.url());
    assert!(log.contains(&format!("is at {url} now")) && url != before, "{log}");
    world.succeed(item, "resume");
    assert_eq!(world.bill.log().matches("now").count(), log.matches("now").count(), "it is logged once");
    assert_lives(&world, item);
}

#[test]
fn an_administrator_who_lost_his_role_is_believed_nothing() {
    let cases: [(&str, Arrange); 3] = [
        ("whoami tells", |_, _| ()),
        ("there is no whoami", |world, _| world.vmm.change(|platform| platform.variant.whoami = false)),
        ("lists are refused", |world, _| {
            world.vmm.change(|platform| platform.variant.user_lists = UserLists::Refused);
        }),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let (item, order) = (world.opened(), world.ordered());
        world.forget();
        assert!(world.vmm.demote(ADMINISTRATOR));
        arrange(&world, item);
        for (item, command) in [(item, "close"), (item, "suspend"), (item, "reopen"), (order, "open"), (order, "close")]
        {
            let refusal = world.refuse(item, command);
            assert_eq!(refusal.kind, Kind::Vm6Permission, "{command}: {refusal:?}");
        }
        assert_eq!(world.asked(), NOTHING);
        world.drop_operations();
        assert!(world.vmm.change(|platform| platform.give_role(ADMINISTRATOR, "@admin")));
        world.succeed(item, "close");
        world.succeed(order, "open");
        assert_eq!(world.hosts_of(item).len(), 0);
    });
}

/// An old VMmanager: our role is in the list of accounts.
#[test]
fn without_whoami_a_vm_that_is_gone_is_still_known_to_be_gone() {
    let world = TestWorld::start();
    world.vmm.change(|platform| platform.variant.whoami = false);
    let item = world.opened();
    let host = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(host));
    world.succeed(item, "close");
}

/// What a run sees that waited in the queue while `meanwhile` happened.
fn waited(world: &TestWorld, item: u64, command: &str, meanwhile: impl FnOnce()) -> Run {
    let runtime = world.bill.root().join("var/pmvmmanager6/run");
    let key = Scope::Key(world.handler.to_string());
    assert!(queue::pause(&runtime, &key).unwrap());
    let started = Instant::now();
    let child = world.begin(item, command, world.bill.operation(item, command));
    until("the waiting operation", || {
        let waiting = queue::list(&runtime).unwrap();
        waiting.iter().any(|entry| entry.key == world.handler.to_string()).then_some(())
    });
    meanwhile();
    assert!(queue::resume(&runtime, &key).unwrap());
    world.remember(Run::new(&child.wait_with_output().unwrap(), started.elapsed()))
}

#[test]
fn the_handler_counts_as_it_is_after_the_wait() {
    each(&DETOURS, |(away, back)| {
        let world = start_two();
        world.bill.set_handler(world.handler, "queue_enabled", "on");
        let item = world.opened_on(0, world.alice);
        let run = waited(&world, item, "suspend", || away(&world, item));
        assert_eq!(Refusal::of(&run).kind, Kind::Vm6Platform, "{}", world.bill.log());
        assert_eq!(world.host_of(item).state, "active");
        world.drop_operations();
        back(&world, item);
        world.succeed(item, "suspend");
        assert_eq!(world.bill.item(item).status, SUSPENDED);
    });
}
