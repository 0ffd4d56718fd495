//! The same operation started several times at once: one does the work, the others find it done.

use std::process::Child;
use std::time::Duration;

use sandbox::bill::Order;

use crate::support::cases::each;
use crate::support::world::TestWorld;

/// Waits for all; each must have ended well and silently.
#[track_caller]
fn all_succeed(world: &TestWorld, children: Vec<Child>) {
    for run in world.all_succeed(children) {
        assert_eq!(run.stdout, "", "{run:#?}");
    }
}

fn patient() -> TestWorld {
    TestWorld::with(|scene| {
        scene.vmm.timing.create = Duration::from_millis(400);
        scene.vmm.timing.other = Duration::from_millis(200);
    })
}

#[test]
fn one_operation_started_several_times() {
    each(&[("twice", 2), ("ten times", 10)], |&times| {
        let world = patient();
        let item = world.ordered();
        let mut id = None;
        for (command, status, state) in [
            ("open", 2, Some("active")),
            ("suspend", 3, Some("stopped")),
            ("resume", 2, Some("active")),
            ("close", 4, None),
        ] {
            let running = world.bill.running(item).first().map(|operation| operation.id);
            let operation = running.unwrap_or_else(|| world.bill.operation(item, command));
            let children = (0..times).map(|_| world.begin(item, command, operation)).collect();
            all_succeed(&world, children);
            assert_eq!(world.bill.item(item).status, status, "{command}");
            assert_eq!(world.bill.running(item), [], "{command}");
            let host = world.hosts_of(item).pop();
            assert_eq!(host.as_ref().map(|host| host.state.as_str()), state, "{command}");
            if let Some(host) = host {
                assert_eq!(*id.get_or_insert(host.id), host.id, "{command}");
            }
        }
        let id = id.unwrap();
        let work = [
            "POST /vm/v3/account".to_owned(),
            "POST /vm/v3/host".to_owned(),
            format!("POST /vm/v3/host/{id}/stop"),
            format!("POST /vm/v3/host/{id}/start"),
            format!("DELETE /vm/v3/host/{id}"),
        ];
        assert_eq!(world.mutations(), work, "each change is asked for once");
    });
}

#[test]
fn several_orders_of_one_new_client() {
    let world = patient();
    let order = Order { client: world.bob, ..world.usual_order() };
    let items: Vec<u64> = (0..6).map(|_| world.bill.order(&order)).collect();
    let operation = |item: &u64| world.bill.running(*item)[0].id;
    all_succeed(&world, items.iter().map(|item| world.begin(*item, "open", operation(item))).collect());
    let owners: Vec<u64> = items.iter().map(|item| world.host_of(*item).account).collect();
    assert!(owners.iter().all(|owner| *owner == owners[0]), "{owners:?}");
    assert_eq!(world.mutations().iter().filter(|change| *change == "POST /vm/v3/account").count(), 1);
    assert_eq!(world.vmm.look(|platform| platform.accounts.len()), 2);
    assert_eq!(world.vmm.logins(), 1, "one login for all processes");
}

/// Operations that contradict each other run one after the other, in the order of their arrival.
#[test]
fn close_waits_for_open() {
    let world = patient();
    let item = world.ordered();
    let open = world.begin(item, "open", world.bill.running(item)[0].id);
    assert!(world.vmm.wait_for_request(Duration::from_secs(10), |request| request.path == "/vm/v3/os"));
    let close = world.begin(item, "close", world.bill.operation(item, "close"));
    all_succeed(&world, vec![open, close]);
    assert_eq!(world.bill.item(item).status, 4);
    assert!(world.hosts_of(item).is_empty());
}

/// The process that holds the service dies; the one that waits continues.
#[test]
fn a_waiter_goes_on_when_the_first_is_killed() {
    let world = patient();
    let item = world.ordered();
    let operation = world.bill.running(item)[0].id;
    let mut first = world.begin(item, "open", operation);
    assert!(world.vmm.wait_for_request(Duration::from_secs(10), |r| r.method == "POST" && r.path == "/vm/v3/host"));
    let second = world.begin(item, "open", operation);
    first.kill().unwrap();
    first.wait().unwrap();
    all_succeed(&world, vec![second]);
    assert_eq!(world.mutations(), ["POST /vm/v3/account", "POST /vm/v3/host"]);
    assert_eq!(world.bill.item(item).status, 2);
}
