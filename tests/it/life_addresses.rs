//! Addresses: `addip`, `delip` and what `setparam` does about IPv4, IPv6 and reverse names. An address that the client
//! did not give up is never taken, and none is asked for twice.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Behaviour, CallFault, Order, Tariff};
use sandbox::vmm::{Action, Fault};
use serde_json::json;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::service::{Arrange, FREE, NOTHING, USED, delete, post, refusal, slow};
use crate::support::world::TestWorld;

/// An address that an administrator has given a VM.
const BY_HAND: &str = "198.51.100.7";
/// An address of a further interface.
const PRIVATE: &str = "10.0.0.5";

/// A world with a service that has one address and room for more.
fn one_address(world: &TestWorld) -> u64 {
    world.opened_as(&world.usual_order().param("domain", "shop.example.com"))
}

/// The client buys one more address: a free slot; its id.
fn buy(world: &TestWorld, item: u64) -> u64 {
    let slots = world.bill.slots(item).len();
    world.bill.set_addon(item, "ip", i64::try_from(slots + 1).unwrap());
    world.bill.slots(item).last().unwrap().0
}

/// Addresses of the service's VM, the main one first.
fn held(world: &TestWorld, item: u64) -> Vec<String> {
    let host = world.host_of(item).id;
    world.addresses(host, 4).into_iter().map(|(_, address)| address).collect()
}

/// Every address of the VM is in a slot of its own, and the other way round.
#[track_caller]
fn assert_agreed(world: &TestWorld, item: u64, count: usize) {
    let (mut at_vmm, mut slots) = (held(world, item), world.used_slots(item));
    assert_eq!(at_vmm.len(), count, "{}", world.bill.log());
    at_vmm.sort();
    slots.sort();
    assert_eq!(at_vmm, slots, "{}", world.bill.log());
}

/// Every spelling that the panel may use for the slot [protocol 7.1], and none at all.
#[test]
fn a_bought_slot_gets_an_address_however_it_is_named() {
    let world = TestWorld::start();
    let item = one_address(&world);
    let host = world.host_of(item).id;
    let names = ["--ip", "--ip_id", "--ipid", "--param", "--value", "--id", "--elid", "--addon", ""];
    for (count, name) in (2..).zip(names) {
        let slot = buy(&world, item).to_string();
        world.forget();
        let args = [name, slot.as_str()];
        world.succeed_with(item, "addip", if name.is_empty() { &[] } else { &args });
        assert_eq!(world.asked(), [post(format!("host/{host}/ip"), json!({ "ipv4_number": 1 }))], "{name}");
        assert_eq!(world.panel_calls(), ["service.ip.add", "service.ip.add.commit"], "{name}");
        assert_agreed(&world, item, count);
    }
    let added = world.bill.calls().into_iter().find(|call| call.function == "service.ip.add").unwrap();
    let told = ["mask", "gateway", "domain"].map(|name| added.param(name).unwrap_or_default().to_owned());
    assert_eq!(told, ["255.255.255.0", "203.0.113.1", "shop.example.com"]);
}

#[test]
fn an_address_is_added_for_the_named_slot_only_and_only_once() {
    let world = TestWorld::start();
    let item = one_address(&world);
    let (first, second) = (buy(&world, item), buy(&world, item));
    world.succeed_with(item, "addip", &["--ip", &second.to_string()]);
    let states: Vec<(u64, i64)> =
        world.bill.slots(item).into_iter().map(|(id, _, status)| (id, status)).skip(1).collect();
    assert_eq!(states, [(first, FREE), (second, USED)]);
    assert_agreed(&world, item, 2);
    world.forget();
    let again = world.run(&["--command", "addip", "--item", &item.to_string(), "--ip", &second.to_string()]);
    assert!(again.done, "{again:#?}");
    assert_eq!(world.asked(), NOTHING);
    assert_agreed(&world, item, 2);
}

#[test]
fn an_ipv6_slot_switches_ipv6_on_and_off() {
    let world = TestWorld::start();
    let order = Order::new(world.alice, world.tariffs.dual_stack, world.handler).addon("ipv6", "0");
    let item = world.opened_as(&order);
    let host = world.host_of(item).id;
    world.bill.set_addon(item, "ipv6", 1);
    let slot = world.bill.slots(item).last().unwrap().0;
    world.succeed_with(item, "addip", &["--ip", &slot.to_string()]);
    let path = format!("host/{host}/ip");
    assert_eq!(world.asked(), [post(&path, json!({ "ipv6_enabled": true }))]);
    let address = world.addresses(host, 6)[0].1.split('/').next().unwrap().to_owned();
    assert_eq!(world.bill.slots(item).last().unwrap(), &(slot, address, USED));

    world.forget();
    world.succeed_with(item, "delip", &["--ip", &slot.to_string()]);
    assert_eq!(world.asked(), [post(&path, json!({ "ipv6_enabled": false }))]);
    assert_eq!(world.addresses(host, 6), []);
    assert_agreed(&world, item, 1);
}

#[test]
fn a_new_address_gets_the_name_of_the_service_and_comes_from_the_tariffs_pool() {
    let world = TestWorld::start();
    let tariff = Tariff::sized("pool 2", 1, 1024, 10_240).param("ippool", "2");
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.opened_as(&Order::new(world.alice, tariff, world.handler).param("domain", "old.example.com"));
    world.bill.set_param(item, "domain", "New.example.com");
    let slot = buy(&world, item);
    world.succeed_with(item, "addip", &["--ip", &slot.to_string()]);
    let host = world.host_of(item).id;
    let (id, address) = world.addresses(host, 4).pop().unwrap();
    assert_eq!(
        world.asked(),
        [
            post(format!("host/{host}/ip"), json!({ "ipv4_number": 1, "ipv4_pool": [2] })),
            post(format!("ip/{id}/ptr"), json!({ "domain": "new.example.com" })),
        ]
    );
    assert!(address.starts_with("198.18."), "{address} is not of pool 2");
    assert_eq!(world.ptr(id), "new.example.com");
    let told = world.bill.calls().into_iter().find(|call| call.function == "service.ip.add").unwrap();
    assert_eq!(told.param("domain"), Some("new.example.com"));
}

#[test]
fn an_address_that_billmanager_refuses_is_taken_back() {
    let world = TestWorld::start();
    let item = one_address(&world);
    let slot = buy(&world, item);
    let args = ["--ip", &slot.to_string()];
    world.bill.behave(Behaviour { ip_add_refuses: true, ..Behaviour::default() });
    let run = world.perform_with(item, "addip", &args);
    let refused = Refusal::of(&run);
    assert_eq!(refused.kind, Kind::Mgrctl, "{refused:?}");
    assert!(refused.value.contains("was taken from the VM again"), "{refused:?}");
    assert_eq!(world.mutations().len(), 2, "given and taken: {:?}", world.asked());
    assert_agreed(&world, item, 1);
    assert_eq!(world.bill.slots(item).last().map(|slot| slot.2), Some(FREE));

    world.bill.behave(Behaviour::default());
    world.succeed_with(item, "addip", &args);
    assert_agreed(&world, item, 2);
}

#[test]
fn an_exhausted_pool_is_named_and_leaves_nothing() {
    let world = TestWorld::start();
    let item = one_address(&world);
    let slot = buy(&world, item);
    let args = ["--ip", &slot.to_string()];
    let ranges = world.vmm.change(|platform| {
        let pools = platform.pools.values_mut().filter(|pool| pool.clusters.iter().any(|cluster| cluster.id == 1));
        pools.map(|pool| (pool.id, std::mem::take(&mut pool.ranges))).collect::<Vec<_>>()
    });
    let run = world.perform_with(item, "addip", &args);
    let refused = Refusal::of(&run);
    assert_eq!(refused.kind, Kind::Vm6Task);
    assert!(refused.value.contains("no free IP address"), "{refused:?}");
    assert_agreed(&world, item, 1);
    for (id, ranges) in ranges {
        world.vmm.change(|platform| platform.pools.get_mut(&id).unwrap().ranges = ranges);
    }
    world.succeed_with(item, "addip", &args);
    assert_agreed(&world, item, 2);
}

/// VMmanager changes no addresses of a VM with snapshots: said before it is asked, done when they are gone.
#[test]
fn a_vm_with_snapshots_keeps_its_addresses_until_they_are_gone() {
    let cases = [
        ("a bought slot", ("addip", false)),
        ("a slot that was given up", ("delip", false)),
        ("more ordered", ("setparam", false)),
        ("fewer ordered", ("setparam", true)),
    ];
    each(&cases, |&(command, fewer)| {
        let world = TestWorld::start();
        let (item, slots) = several(&world, 2);
        let mut slot = slots[1].0;
        if fewer {
            world.give_up_slot(slot);
            world.bill.set_addon(item, "ip", 1);
        } else if command != "delip" {
            slot = buy(&world, item);
        }
        let slot = slot.to_string();
        let args: &[&str] = if command == "setparam" { &[] } else { &["--ip", &slot] };
        let host = world.host_of(item).id;
        world.alter(host, |vm| vm.snapshot_count = 3);
        let before = world.snapshot(item);
        let refused = Refusal::of(&world.perform_with(item, command, args));
        refused.is(Kind::VmHasSnapshots, &format!("VM {host}"), &["3 snapshots"]);
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(world.snapshot(item), before);
        world.alter(host, |vm| vm.snapshot_count = 0);
        world.succeed_with(item, command, args);
        assert_agreed(&world, item, if command == "delip" || fewer { 1 } else { 3 });
    });
}

#[test]
fn slots_of_others_are_refused() {
    let world = TestWorld::start();
    let (mine, other) = (one_address(&world), world.opened());
    let (free, used) = (buy(&world, other), world.bill.slots(other)[0].0);
    buy(&world, mine);
    let before = (world.snapshot(mine), world.snapshot(other));
    for (command, slot) in [("addip", free), ("delip", used), ("delip", free), ("addip", 9_999), ("delip", 9_999)] {
        let run = world.perform_with(mine, command, &["--ip", &slot.to_string()]);
        let refused = Refusal::of(&run);
        refused.is(Kind::BadParam, "ip", &[&slot.to_string()]);
        world.drop_operations();
    }
    let run = world.perform_with(mine, "delip", &[]);
    assert_eq!(Refusal::of(&run).kind, Kind::BadParam, "which one is not said");
    world.drop_operations();
    assert_eq!(world.asked(), NOTHING);
    assert_eq!((world.snapshot(mine), world.snapshot(other)), before);
}

/// Opens a service with this many addresses; the slots in order.
fn several(world: &TestWorld, count: u32) -> (u64, Vec<(u64, String)>) {
    let item = world.opened_as(&world.usual_order().ips(count));
    let slots = world.bill.slots(item).into_iter().map(|(id, address, _)| (id, address)).collect();
    (item, slots)
}

/// VMmanager's id of an address.
fn id_of(world: &TestWorld, item: u64, address: &str) -> u64 {
    let host = world.host_of(item).id;
    world.addresses(host, 4).into_iter().find(|(_, text)| text == address).unwrap().0
}

#[test]
fn a_slot_that_is_given_up_frees_its_own_address_however_it_is_named() {
    let names = ["--ip", "--ip_id", "--ipid", "--param", "--value", "--id", "--elid", "--addon"];
    let world = TestWorld::start();
    let (item, slots) = several(&world, 9);
    for (left, (name, (slot, address))) in names.iter().zip(slots.iter().rev()).enumerate() {
        let id = id_of(&world, item, address);
        world.forget();
        world.succeed_with(item, "delip", &[name, &slot.to_string()]);
        assert_eq!(world.asked(), [delete(format!("ip/{id}"))], "{name}");
        assert_eq!(world.panel_calls(), ["service.ip.del"], "{name}");
        assert_agreed(&world, item, 8 - left);
    }
}

#[test]
fn the_main_address_is_never_given_up() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 2);
    let before = world.snapshot(item);
    let run = world.perform_with(item, "delip", &["--ip", &slots[0].0.to_string()]);
    let refused = Refusal::of(&run);
    refused.is(Kind::BadParam, "ip", &[&slots[0].1, "main address"]);
    assert_eq!(world.asked(), NOTHING);
    assert_eq!(world.snapshot(item), before);
    assert_agreed(&world, item, 2);
}

#[test]
fn an_address_that_is_gone_already_only_frees_its_slot() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 2);
    let id = id_of(&world, item, &slots[1].1);
    world.vmm.change(|platform| platform.ips.remove(&id));
    world.succeed_with(item, "delip", &["--ip", &slots[1].0.to_string()]);
    let empty = buy(&world, item);
    world.succeed_with(item, "delip", &["--ip", &empty.to_string()]);
    assert_eq!(world.asked(), NOTHING);
    assert_agreed(&world, item, 1);
    assert_eq!(world.bill.slots(item).len(), 1);
}

/// The address is gone, the panel does not take the slot back yet: only that is repeated.
#[test]
fn a_slot_that_billmanager_keeps_is_freed_by_the_next_try() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 2);
    let args = ["--ip", &slots[1].0.to_string()];
    world.bill.fail_call("service.ip.del", CallFault::Error { exit: 0, kind: "internal".to_owned() }, 1);
    assert_eq!(world.perform_with(item, "delip", &args).status, Some(1));
    assert_eq!(world.mutations().len(), 1);
    world.forget();
    world.succeed_with(item, "delip", &args);
    assert_eq!(world.asked(), NOTHING);
    assert_agreed(&world, item, 1);
}

#[test]
fn interrupted_changes_are_finished_without_a_second_request() {
    let cases = [
        ("addip", ("addip", "addresses.before_request")),
        ("addip", ("addip", "addresses.after_request")),
        ("addip", ("addip", "open.slot_added")),
        ("delip", ("delip", "addresses.before_request")),
        ("delip", ("delip", "addresses.after_request")),
        ("setparam", ("setparam", "addresses.before_request")),
        ("setparam", ("setparam", "addresses.after_request")),
        ("setparam", ("setparam", "open.slot_added")),
    ];
    each(&cases, |&(command, point)| {
        let world = TestWorld::with(slow);
        let (item, mut slots) = several(&world, 2);
        if command != "delip" {
            slots.push((buy(&world, item), String::new()));
        }
        let slot = slots.last().unwrap().0.to_string();
        let args: &[&str] = if command == "setparam" { &[] } else { &["--ip", &slot] };
        assert!(world.killed_at(item, command, args, point), "{point}");
        world.succeed_with(item, command, args);
        assert_eq!(world.mutations().len(), 1, "{point}: {:?}\n{}", world.asked(), world.bill.log());
        assert_agreed(&world, item, if command == "delip" { 1 } else { 3 });
    });
}

#[test]
fn a_lost_answer_is_looked_up() {
    let actions = [Action::LoseAnswer, Action::CloseBefore, Action::HalfAnswer, Action::Garbage];
    let commands = ["addip", "delip", "setparam"];
    let cases: Vec<(&str, (&str, Action))> = commands
        .iter()
        .flat_map(|command| actions.iter().map(|action| (*command, (*command, action.clone()))))
        .collect();
    each(&cases, |(command, action)| {
        let world = TestWorld::with(slow);
        let (item, mut slots) = several(&world, 2);
        if *command != "delip" {
            slots.push((buy(&world, item), String::new()));
        }
        let slot = slots.last().unwrap().0.to_string();
        let args: &[&str] = if *command == "setparam" { &[] } else { &["--ip", &slot] };
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/ip").act(action.clone()));
        world.vmm.fault(Fault::on("DELETE", "/vm/v3/ip/*").act(action.clone()));
        let lost = matches!(action, Action::CloseBefore);
        let first = world.perform_with(item, command, args);
        // A request that never arrived is asked for by the next try, the others are found to have worked.
        assert_eq!(first.done, !lost, "{action:?}: {first:#?}\n{}", world.bill.log());
        if lost {
            world.succeed_with(item, command, args);
        }
        assert_agreed(&world, item, if *command == "delip" { 1 } else { 3 });
    });
}

#[test]
fn more_addresses_are_added_at_once_and_fill_their_slots() {
    let world = TestWorld::start();
    let item = one_address(&world);
    let main = held(&world, item);
    world.bill.set_addon(item, "ip", 3);
    world.succeed(item, "setparam");
    let host = world.host_of(item).id;
    assert_eq!(world.asked(), [post(format!("host/{host}/ip"), json!({ "ipv4_number": 2 }))]);
    assert_agreed(&world, item, 3);
    assert_eq!(held(&world, item)[0], main[0], "the main address stays the main one");
    assert_eq!(world.bill.params(item)["ip"], main[0]);
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!(world.asked(), NOTHING);
}

/// Only what the client gave up goes, in whatever order he gave it up.
#[test]
fn fewer_addresses_take_exactly_the_ones_given_up() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 4);
    for gone in [2, 1] {
        world.give_up_slot(slots[gone].0);
    }
    world.bill.set_addon(item, "ip", 2);
    let ids: Vec<u64> = [1, 2].iter().map(|at: &usize| id_of(&world, item, &slots[*at].1)).collect();
    world.succeed(item, "setparam");
    assert_eq!(world.asked(), [delete(format!("ip/{}", ids[0])), delete(format!("ip/{}", ids[1]))]);
    assert_eq!(held(&world, item), [slots[0].1.clone(), slots[3].1.clone()]);
    assert_agreed(&world, item, 2);
}

#[test]
fn addresses_that_nobody_gave_up_stay() {
    let cases: [(&str, Arrange); 4] = [
        ("all slots are held", |_, _| ()),
        ("the slot of the main address was given up", |world, item| world.give_up_slot(world.bill.slots(item)[0].0)),
        ("there is no slot at all", |world, item| {
            world.bill.slots(item).into_iter().for_each(|(slot, _, _)| world.give_up_slot(slot));
        }),
        ("the tariff gives no address any more", |world, item| world.bill.set_addon(item, "ip", 0)),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let (item, _) = several(&world, 3);
        world.bill.set_addon(item, "ip", 1);
        arrange(&world, item);
        let before = held(&world, item);
        world.succeed(item, "setparam");
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(held(&world, item), before);
        assert!(world.bill.log().contains("none was given up; they stay"), "{}", world.bill.log());
    });
}

/// Whatever the order of VMmanager's list: only what was sold goes, and never the service's own address.
#[test]
fn only_addresses_that_were_sold_are_given_up() {
    each(&[("main first", false), ("main last", true)], |&last| {
        let world = TestWorld::start();
        let (item, slots) = several(&world, 3);
        let host = world.host_of(item).id;
        world.vmm.change(|p| {
            p.variant.main_address_last = last;
            p.add_address(host, BY_HAND.parse().unwrap(), 0);
            p.add_address(host, PRIVATE.parse().unwrap(), 1);
        });
        assert_eq!(world.aside(item, "sync_item").status, Some(0));
        let kept = [&slots[0].1, &slots[2].1, BY_HAND, PRIVATE].map(str::to_owned);
        for (gone, left) in [(1, 2), (0, 1)] {
            world.give_up_slot(slots[gone].0);
            world.bill.set_addon(item, "ip", left);
            world.succeed(item, "setparam");
            assert_eq!(held(&world, item), kept, "{}", world.bill.log());
        }
        assert_eq!(world.bill.params(item)["ip"], slots[0].1);
        assert_eq!(world.used_slots(item), [slots[2].1.clone()]);
    });
}

/// What was sold before this module remembered it is not known to be sold: it stays.
#[test]
fn what_is_not_known_to_be_sold_stays() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 3);
    let journal = rusqlite::Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    journal.execute("UPDATE service SET sold = ''", []).unwrap();
    world.give_up_slot(slots[2].0);
    world.bill.set_addon(item, "ip", 2);
    world.succeed(item, "setparam");
    assert_eq!(world.asked(), NOTHING);
    world.give_up_slot(slots[1].0);
    world.bill.set_addon(item, "ip", 1);
    world.succeed(item, "setparam");
    assert_eq!(held(&world, item), [slots[0].1.clone(), slots[2].1.clone()], "the other one was seen in its slot");
}

/// The service's own address is the recorded one, not the one that VMmanager lists first.
#[test]
fn the_own_address_stays_the_own_one_in_another_order() {
    let world = TestWorld::start();
    let (item, slots) = several(&world, 2);
    world.vmm.change(|p| p.variant.main_address_last = true);
    assert_eq!(world.aside(item, "sync_item").status, Some(0));
    assert_eq!(world.bill.params(item)["ip"], slots[0].1);
    let refused = Refusal::of(&world.perform_with(item, "delip", &["--ip", &slots[0].0.to_string()]));
    refused.is(Kind::BadParam, "ip", &[&slots[0].1, "main address"]);
    world.drop_operations();
    world.succeed_with(item, "delip", &["--ip", &slots[1].0.to_string()]);
    assert_eq!(held(&world, item), [slots[0].1.clone()]);
    assert_agreed(&world, item, 1);
}

/// The handler knows nothing of a further interface, an administrator has added one: its address is not sold.
#[test]
fn an_address_of_a_further_interface_is_not_sold() {
    each(&["addip", "setparam"].map(|command| (command, command)), |command| {
        let world = TestWorld::start();
        let item = one_address(&world);
        let host = world.host_of(item).id;
        world.vmm.change(|p| p.add_address(host, PRIVATE.parse().unwrap(), 1));
        let slot = buy(&world, item).to_string();
        assert_eq!(world.aside(item, "sync_item").status, Some(0));
        assert_eq!(world.used_slots(item).len(), 1, "nothing is sold yet");
        let args: &[&str] = if *command == "addip" { &["--ip", &slot] } else { &[] };
        world.succeed_with(item, command, args);
        assert_eq!(world.asked(), [post(format!("host/{host}/ip"), json!({ "ipv4_number": 1 }))]);
        let sold = world.used_slots(item);
        assert!(sold.len() == 2 && !sold.contains(&PRIVATE.to_owned()), "{sold:?}");
    });
}

#[test]
fn ipv6_follows_the_order() {
    let world = TestWorld::start();
    let order = Order::new(world.alice, world.tariffs.dual_stack, world.handler).addon("ipv6", "0");
    let item = world.opened_as(&order);
    let host = world.host_of(item).id;
    let path = format!("host/{host}/ip");
    for (wanted, on) in [(1, true), (0, false), (1, true)] {
        world.bill.set_addon(item, "ipv6", wanted);
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!(world.asked(), [post(&path, json!({ "ipv6_enabled": on }))]);
        assert_eq!(!world.addresses(host, 6).is_empty(), on);
        assert_eq!(world.host_of(item).starts, 1, "no restart for an address");
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!(world.asked(), NOTHING);
    }
    assert_eq!(world.addresses(host, 4).len(), 1);
}

fn with_prefix(world: &TestWorld, order: impl FnOnce(Order) -> Order) -> u64 {
    let tariff = Tariff::sized("prefix", 1, 1024, 10_240).addon(Addon::amount("ipv6", "", 0)).addon(Addon::amount(
        "ipv6subnet_prefix",
        "",
        80,
    ));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    world.opened_as(&order(Order::new(world.alice, tariff, world.handler)))
}

#[test]
fn an_ipv6_network_has_the_ordered_length() {
    let world = TestWorld::start();
    let item = with_prefix(&world, |order| order);
    let host = world.host_of(item).id;
    world.bill.set_addon(item, "ipv6", 1);
    world.succeed(item, "setparam");
    assert_eq!(world.asked(), [post(format!("host/{host}/ip"), json!({ "ipv6_enabled": true, "ipv6_prefix": 80 }))]);
    assert_eq!(world.host_of(item).ipv6_prefix, Some(80));
}

/// A VMmanager that says "done" and keeps the old network is not believed; the client's network stays.
#[test]
fn an_ipv6_network_that_keeps_its_length_is_an_error() {
    let world = TestWorld::start();
    let item = with_prefix(&world, |order| order.ips6(1));
    let host = world.host_of(item).id;
    let network = world.addresses(host, 6);
    world.bill.set_addon(item, "ipv6subnet_prefix", 96);
    let refused = world.fail(item, "setparam");
    refused.is(Kind::Vm6Task, &format!("VM {host}"), &["96"]);
    assert_eq!(world.asked(), [post(format!("host/{host}/ip"), json!({ "ipv6_enabled": true, "ipv6_prefix": 96 }))]);
    assert_eq!(world.addresses(host, 6), network);
}

#[test]
fn a_lost_answer_about_ipv6_is_looked_up() {
    let cases = [("lost", (Action::LoseAnswer, true)), ("never arrived", (Action::CloseBefore, false))];
    each(&cases, |(action, arrived)| {
        let world = TestWorld::with(slow);
        let item = with_prefix(&world, |order| order);
        let host = world.host_of(item).id;
        world.bill.set_addon(item, "ipv6", 1);
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/ip").act(action.clone()));
        assert_eq!(world.perform(item, "setparam").done, *arrived, "{}", world.bill.log());
        if !arrived {
            world.succeed(item, "setparam");
        }
        assert_eq!(world.addresses(host, 6).len(), 1);
        assert_eq!(world.bill.slots(item).last().map(|slot| slot.2), Some(USED));
    });
}

/// The names of the service's addresses follow the domain of the order; nothing restarts.
#[test]
fn a_new_domain_renames_every_address() {
    let faults = [None, Some(Action::LoseAnswer), Some(Action::CloseBefore)];
    let cases = faults.map(|fault| ("domain", fault));
    each(&cases, |fault| {
        let world = TestWorld::start();
        let item = world.opened_as(&world.usual_order().ips(2).param("domain", "old.example.com"));
        let host = world.host_of(item).id;
        let addresses = world.addresses(host, 4);
        world.bill.set_param(item, "domain", "New.Example.com.");
        if let Some(action) = fault {
            world.vmm.fault(Fault::on("POST", "/vm/v3/ip/*/ptr").act(action.clone()));
        }
        world.succeed(item, "setparam");
        let named = |(id, _): &(u64, String)| post(format!("ip/{id}/ptr"), json!({ "domain": "new.example.com" }));
        let expected: Vec<_> = addresses.iter().map(named).collect();
        let mut asked = world.asked();
        asked.dedup();
        assert_eq!(asked, expected);
        assert!(addresses.iter().all(|(id, _)| world.ptr(*id) == "new.example.com"));
        assert_eq!(world.host_of(item).starts, 1);
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!(world.asked(), NOTHING);
        assert!(world.counted().len() <= 2, "{:#?}", world.counted());
    });
}

/// Somebody else's name stays, whoever it was; one that is empty or was ours before is replaced, however often.
#[test]
fn names_that_others_chose_stay() {
    let world = TestWorld::start();
    let item = world.opened_as(&world.usual_order().ips(4).param("domain", "old.example.com"));
    let host = world.host_of(item).id;
    let ids: Vec<u64> = world.addresses(host, 4).into_iter().map(|(id, _)| id).collect();
    let set = |id: u64, name: &str| world.vmm.change(|p| name.clone_into(&mut p.ips.get_mut(&id).unwrap().domain));
    set(ids[1], "mail.alice.example");
    set(ids[2], "");
    let (by_hand, second) = world.vmm.change(|p| {
        (p.add_address(host, BY_HAND.parse().unwrap(), 0), p.add_address(host, PRIVATE.parse().unwrap(), 1))
    });
    for name in ["new.example.com", "newer.example.com", "old.example.com"] {
        world.bill.set_param(item, "domain", name);
        world.succeed(item, "setparam");
        let names: Vec<String> = ids.iter().map(|id| world.ptr(*id)).collect();
        assert_eq!(names, [name, "mail.alice.example", name, name], "{}", world.bill.log());
        assert_eq!([by_hand, second].map(|id| world.ptr(id)), ["old.example.com", "old.example.com"]);
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!(world.asked(), NOTHING);
    }
}

/// Killed between two names: what has the new name and what has the one before are both ours.
#[test]
fn names_are_finished_by_the_next_try() {
    let cases =
        [("refused", Action::Error { status: 400, code: 3006, msg: "busy".to_owned() }), ("lost", Action::CloseBefore)];
    each(&cases, |action| {
        let world = TestWorld::start();
        let item = world.opened_as(&world.usual_order().ips(3).param("domain", "old.example.com"));
        for name in ["new.example.com", "newer.example.com"] {
            world.bill.set_param(item, "domain", name);
            world.vmm.fault(Fault::on("POST", "/vm/v3/ip/*/ptr").nth(2).times(2).act(action.clone()));
            world.fail(item, "setparam");
            world.vmm.clear_faults();
            world.succeed(item, "setparam");
            let host = world.host_of(item).id;
            assert!(world.addresses(host, 4).into_iter().all(|(id, _)| world.ptr(id) == name));
        }
    });
}

#[test]
fn a_refused_name_fails_with_vmmanagers_words() {
    let world = TestWorld::start();
    let item = one_address(&world);
    world.bill.set_param(item, "domain", "new.example.com");
    world.vmm.fault(refusal("POST", "/vm/v3/ip/*/ptr", "The zone is not ours"));
    let refused = world.fail(item, "setparam");
    assert_eq!(refused.kind, Kind::Vm6Api);
    assert!(refused.value.contains("The zone is not ours"), "{refused:?}");
    world.succeed(item, "setparam");
}
