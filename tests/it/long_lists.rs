//! Lists of VMmanager are read to their end: a VM that is not seen would be made a second time.

use mockito::{Matcher, Server};
use pmvmmanager6::error::Kind;
use pmvmmanager6::journal::Phase;
use sandbox::vmm::{Lists, Platform, Size};
use serde_json::json;

use crate::support::cases::each;
use crate::support::world::TestWorld;

/// VMs of others before the service's own.
const OTHERS: u64 = 45;

/// A service whose VM was asked for, but whose id never arrived: only the list of all VMs shows it, at its end.
fn with_a_lost_answer(world: &TestWorld) -> u64 {
    for n in 0..OTHERS {
        world.make_by_hand(&format!("other{n}"), 1);
    }
    let item = world.ordered();
    let run = world.attempt(item, "open", &[], &[("PMVMMANAGER6_FAULT", "create.after_request")]);
    assert_ne!(run.status, Some(0));
    world.assert_phase(item, Phase::Requested);
    item
}

/// The next run finds the VM and makes no other; every world asserts that when it ends.
fn finds_its_vm(world: &TestWorld, item: u64) {
    world.succeed(item, "open");
    assert_eq!(world.vmm.look(|platform| platform.hosts.values().filter(|host| host.account != 1).count()), 1);
}

#[test]
fn pages_of_every_kind() {
    let capped = |cap| Lists { cap: Some(cap), ..Lists::default() };
    let cases = [
        ("a cap", capped(7)),
        ("a cap of one", capped(1)),
        ("short pages", Lists { short_pages: true, ..Lists::default() }),
        ("a cap without size", Lists { size: Size::Absent, ..capped(20) }),
        ("a small cap without size", Lists { size: Size::Absent, ..capped(7) }),
        ("short pages without size", Lists { size: Size::Absent, short_pages: true, ..capped(40) }),
        ("a cap, and the size of the page", Lists { size: Size::Page, ..capped(20) }),
        ("a cap of one, and the size of the page", Lists { size: Size::Page, ..capped(1) }),
        ("short pages, and the size of the page", Lists { size: Size::Page, short_pages: true, ..capped(40) }),
    ];
    each(&cases, |lists| {
        let world = TestWorld::start();
        let item = with_a_lost_answer(&world);
        world.vmm.change(|platform| platform.lists = lists.clone());
        finds_its_vm(&world, item);
    });
}

#[test]
fn vms_that_are_deleted_between_two_pages() {
    let cases = [("with size", Size::Total), ("without size", Size::Absent)];
    each(&cases, |size| {
        let world = TestWorld::start();
        let item = with_a_lost_answer(&world);
        world.vmm.change(|platform| platform.lists = Lists { cap: Some(20), size: *size, ..Lists::default() });
        for request in 1..30 {
            world.vmm.before("GET", "/vm/v3/host", request, remove_first_two);
        }
        finds_its_vm(&world, item);
    });
}

fn remove_first_two(platform: &mut Platform) {
    let others = platform.hosts.values().filter(|host| host.account == 1).map(|host| host.id);
    for host in others.take(2).collect::<Vec<_>>() {
        platform.remove_host(host);
    }
}

/// A list that never ends is an error, not a hang.
#[test]
fn a_list_without_an_end() {
    let world = TestWorld::start();
    let mut server = Server::new();
    let session = json!({ "id": 1, "token": "a-token", "confirmed": true }).to_string();
    server.mock("POST", Matcher::Any).with_status(201).with_body(session).create();
    let endless = server.mock("GET", Matcher::Any).expect_at_least(2).with_body_from_request(|request| {
        let limit = request.path_and_query().split("limit=").nth(1);
        let offset: u64 = limit.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or_default();
        let list: Vec<_> = (offset + 1..=offset + 500).map(|id| json!({ "id": id, "name": "x" })).collect();
        json!({ "list": list, "size": 1_000_000_000 }).to_string().into_bytes()
    });
    let endless = endless.create();
    world.bill.set_handler_url(world.handler, &server.url());
    let refusal = world.fail(world.ordered(), "open");
    endless.assert();
    assert_eq!(refusal.kind, Kind::Vm6Api, "{refusal:?}");
    assert!(refusal.value.contains("does not end"), "{refusal:?}");
}

/// A field that nobody has foreseen, in a VM of somebody else, stops nothing.
#[test]
fn a_vm_with_unforeseen_fields_is_no_obstacle() {
    let fields = json!({
        "ram_mib": { "total": 1024 }, "cpu_number": -1, "ip4": "192.0.2.1", "account": ["none"], "cluster": "x", "disk": 7.5,
        "name": ["odd"], "create_date": 17, "comment": { "text": "odd" }, "state": null, "os": "x", "hot_plug": "perhaps",
    });
    let world = TestWorld::start();
    let odd = world.make_by_hand("odd", 1);
    world.alter(odd, |host| host.unforeseen = fields.as_object().unwrap().clone());
    let item = with_a_lost_answer(&world);
    finds_its_vm(&world, item);
    // The journal is lost: only the mark leads to the VM.
    std::fs::remove_file(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    world.bill.set_param(item, "panelid", "");
    for command in ["suspend", "resume", "close"] {
        world.succeed(item, command);
    }
    let handler = world.handler.to_string();
    assert_eq!(world.run(&["--command", "stat", "--module", &handler]).status, Some(0), "{}", world.bill.log());
}
