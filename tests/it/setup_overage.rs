//! Traffic overage: speeds are capped when the included traffic is used up, without a restart, and given back.

use sandbox::bill::{Addon, Order, Tariff};
use sandbox::vmm::{Action, Fault};

use crate::setup_stat::{counted, used};
use crate::support::world::TestWorld;

const GIB: u64 = 1 << 30;

/// An open service: 100 Mbit/s both ways ordered, 10 GiB included each way, capped to 5 in and 3 out.
fn limited(world: &TestWorld, addons: &[Addon], hot: bool) -> u64 {
    let tariff = Tariff::sized("VPS with a cap", 1, 1024, 10_240).handler(world.handler);
    let tariff = tariff.param("overage_in_mbitps", "5").param("overage_out_mbitps", "3");
    let tariff = addons.iter().cloned().fold(tariff, Tariff::addon);
    let tariff = world.bill.add_tariff(&tariff);
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
    world.succeed(item, "open");
    let vm = world.host_of(item).id;
    world.vmm.change(|platform| platform.hosts.get_mut(&vm).unwrap().hot_speeds = hot);
    world.forget();
    item
}

fn speeds_ordered() -> Vec<Addon> {
    vec![Addon::amount("inbound", "mbit/s", 100), Addon::amount("outbound", "mbit/s", 100)]
}

fn by_direction() -> Vec<Addon> {
    [speeds_ordered(), vec![Addon::statistic("in", "gib", 10), Addon::statistic("out", "gib", 10)]].concat()
}

fn speeds(world: &TestWorld, item: u64) -> [Option<u64>; 2] {
    let tuning = world.host_of(item).tuning;
    [tuning.net_in_mbitps, tuning.net_out_mbitps]
}

#[test]
fn each_direction_is_capped_by_its_own_limit_and_given_back() {
    let world = TestWorld::start();
    let item = limited(&world, &by_direction(), true);
    used(&world, item, Some(10 * GIB), Some(10 * GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(100); 2], "all of it may be used");
    used(&world, item, Some(10 * GIB), Some(11 * GIB));
    counted(&world, "2025-06-11");
    assert_eq!(speeds(&world, item), [Some(100), Some(3)]);
    assert!(world.bill.log().contains("used up"), "{}", world.bill.log());
    used(&world, item, Some(12 * GIB), Some(11 * GIB));
    counted(&world, "2025-06-12");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
    // Nothing more is asked for while nothing changes.
    used(&world, item, Some(13 * GIB), Some(13 * GIB));
    counted(&world, "2025-06-13");
    assert_eq!(world.mutations(), [""; 0]);
    used(&world, item, Some(GIB), Some(GIB));
    counted(&world, "2025-07-01");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
    assert_eq!(world.host_of(item).starts, 1, "no restart");
    world.succeed(item, "setparam");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
}

/// At the maximum BILLmanager suspends by itself; what a client has ordered beyond the tariff is included for him.
#[test]
fn the_cap_begins_where_the_included_traffic_ends() {
    let world = TestWorld::start();
    let limit = |name| Addon::statistic(name, "gib", 10).max(50);
    let item = limited(&world, &[speeds_ordered(), vec![limit("in"), limit("out")]].concat(), true);
    used(&world, item, Some(10 * GIB), Some(0));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
    used(&world, item, Some(11 * GIB), Some(0));
    counted(&world, "2025-06-11");
    assert_eq!(speeds(&world, item), [Some(5), Some(100)]);
    world.bill.set_addon(item, "in", 15);
    counted(&world, "2025-06-12");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
    used(&world, item, Some(16 * GIB), Some(0));
    counted(&world, "2025-06-13");
    assert_eq!(speeds(&world, item), [Some(5), Some(100)]);
}

#[test]
fn a_common_limit_counts_both_directions() {
    let world = TestWorld::start();
    let item = limited(&world, &[speeds_ordered(), vec![Addon::statistic("in out", "gib", 10)]].concat(), true);
    used(&world, item, Some(6 * GIB), Some(4 * GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
    used(&world, item, Some(6 * GIB), Some(5 * GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
}

#[test]
fn a_cap_that_needs_a_stop_waits_for_one() {
    let world = TestWorld::start();
    let item = limited(&world, &by_direction(), false);
    used(&world, item, Some(11 * GIB), Some(GIB));
    counted(&world, "2025-06-10");
    counted(&world, "2025-06-11");
    assert_eq!(world.mutations(), [""; 0], "asked for once");
    assert_eq!((speeds(&world, item), world.host_of(item).starts), ([Some(100); 2], 1));
    // A change of the client's own does not restart the VM for the cap's sake.
    world.bill.set_addon(item, "ip", 2);
    world.succeed(item, "setparam");
    assert_eq!(world.host_of(item).starts, 1);
    world.succeed(item, "stop");
    assert!(world.vmm.wait_until(std::time::Duration::from_secs(5), |platform| {
        platform.hosts.values().any(|host| host.tuning.net_in_mbitps == Some(5))
    }));
    world.succeed(item, "start");
    assert_eq!(speeds(&world, item), [Some(5), Some(100)]);
}

#[test]
fn a_vm_without_ordered_speeds_gets_back_what_it_had() {
    let world = TestWorld::start();
    let item = limited(&world, &[Addon::statistic("in out", "gib", 10)], true);
    used(&world, item, Some(11 * GIB), Some(GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
    used(&world, item, Some(0), Some(0));
    counted(&world, "2025-07-01");
    assert_eq!(speeds(&world, item), [Some(0); 2], "0 is no limit");
}

#[test]
fn who_has_less_than_the_cap_keeps_it() {
    let world = TestWorld::start();
    let slow = vec![Addon::amount("inbound", "mbit/s", 2), Addon::amount("outbound", "mbit/s", 2)];
    let item = limited(&world, &[slow, vec![Addon::statistic("in out", "gib", 1)]].concat(), true);
    used(&world, item, Some(2 * GIB), Some(GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(2); 2]);
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn without_a_speed_in_the_tariff_nothing_is_capped() {
    let world = TestWorld::start();
    let item = limited(&world, &by_direction(), true);
    world.bill.exec("DELETE FROM pricelistparam WHERE intname LIKE ?", &["overage%"]);
    used(&world, item, Some(99 * GIB), Some(99 * GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
}

#[test]
fn what_is_not_known_changes_nothing() {
    let world = TestWorld::start();
    let item = limited(&world, &[speeds_ordered(), vec![Addon::statistic("in out", "gib", 10)]].concat(), true);
    used(&world, item, Some(6 * GIB), Some(5 * GIB));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
    used(&world, item, Some(6 * GIB), None);
    counted(&world, "2025-06-11");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)], "half a sum does not lift a cap");
    used(&world, item, Some(11 * GIB), None);
    counted(&world, "2025-06-12");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn a_wrong_speed_in_one_tariff_does_not_hold_up_the_others() {
    let world = TestWorld::start();
    let [wrong, right] = [(); 2].map(|()| limited(&world, &by_direction(), true));
    let tariff = world.bill.item(wrong).pricelist.unwrap().to_string();
    world
        .bill
        .exec("UPDATE pricelistparam SET value = 'slow' WHERE pricelist = ? AND intname LIKE 'overage%'", &[&tariff]);
    for item in [wrong, right] {
        used(&world, item, Some(11 * GIB), Some(11 * GIB));
    }
    counted(&world, "2025-06-10");
    assert_eq!([speeds(&world, wrong), speeds(&world, right)], [[Some(100); 2], [Some(5), Some(3)]]);
    assert!(world.bill.log().contains("\"slow\", not a speed"), "{}", world.bill.log());
}

/// A cap that could not be asked for is asked for again, and remembers the speeds of before.
#[test]
fn a_cap_that_failed_is_tried_again() {
    let world = TestWorld::start();
    let item = limited(&world, &[Addon::statistic("in out", "gib", 10)], true);
    let vm = world.host_of(item).id;
    world.vmm.change(|platform| platform.hosts.get_mut(&vm).unwrap().tuning.net_in_mbitps = Some(70));
    used(&world, item, Some(11 * GIB), Some(GIB));
    let fault = Fault::on("POST", &format!("/vm/v3/host/{vm}/resource")).times(2);
    world.vmm.fault(fault.act(Action::Error { status: 400, code: 3006, msg: "no such bridge".into() }));
    counted(&world, "2025-06-10");
    assert_eq!(speeds(&world, item), [Some(70), None]);
    assert!(world.bill.log().contains("no such bridge"), "{}", world.bill.log());
    counted(&world, "2025-06-11");
    assert_eq!(speeds(&world, item), [Some(5), Some(3)]);
    used(&world, item, Some(0), Some(0));
    counted(&world, "2025-07-01");
    assert_eq!(speeds(&world, item), [Some(70), Some(0)]);
}

/// A change that VMmanager takes and then cannot make in the running VM is made at its next stop, like one that it refuses.
#[test]
fn a_cap_that_fails_in_its_task_waits_for_a_stop() {
    let world = TestWorld::start();
    let item = limited(&world, &by_direction(), false);
    world.vmm.change(|platform| platform.variant.hot_limits_in_task = true);
    used(&world, item, Some(11 * GIB), Some(GIB));
    counted(&world, "2025-06-10");
    assert_eq!((speeds(&world, item), world.host_of(item).starts), ([Some(100); 2], 1));
    world.succeed(item, "stop");
    world.succeed(item, "start");
    assert_eq!(speeds(&world, item), [Some(5), Some(100)]);
}

/// The month ends before the VM has stopped: the cap must not come afterwards.
#[test]
fn a_cap_that_is_over_does_not_come_at_the_next_stop() {
    let world = TestWorld::start();
    let item = limited(&world, &by_direction(), false);
    used(&world, item, Some(11 * GIB), Some(GIB));
    counted(&world, "2025-06-10");
    used(&world, item, Some(0), Some(0));
    counted(&world, "2025-07-01");
    world.succeed(item, "stop");
    world.succeed(item, "start");
    assert_eq!(speeds(&world, item), [Some(100); 2]);
}
