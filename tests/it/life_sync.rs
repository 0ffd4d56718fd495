//! What only looks: `sync_item` brings BILLmanager's picture in line and holds a suspension, `check_param` and
//! `check_addon` answer forms, `reopen` repairs. None of them changes a VM that is as it should be.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Behaviour, Order, Run};
use sandbox::vmm::{Action, Fault};
use serde_json::json;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::service::{ACTIVE, Arrange, FREE, NOTHING, SUSPENDED, post};
use crate::support::world::TestWorld;

const SYNC: &str = "sync_item";

#[track_caller]
fn synced(world: &TestWorld, item: u64) {
    let run = world.aside(item, SYNC);
    assert!(run.done && run.stdout.is_empty(), "{run:#?}\n{}", world.bill.log());
}

#[test]
fn what_billmanager_has_lost_is_read_back() {
    let world = TestWorld::start();
    let item = world.opened_as(&world.usual_order().ips(2));
    let host = world.host_of(item).id;
    let before = world.billing(item);
    world.bill.exec("DELETE FROM itemparam WHERE intname IN ('panelid', 'serverid', 'ip')", &[]);
    world.bill.exec("UPDATE ip SET name = '', status = 1", &[]);
    world.alter(host, |vm| "shop".clone_into(&mut vm.name));
    synced(&world, item);
    let (mut params, slots) = world.billing(item);
    assert_eq!(params.insert("serverid".to_owned(), format!("vps{item}")).as_deref(), Some("shop"));
    assert_eq!((params, slots), before);
    assert_eq!(world.asked(), NOTHING);
    assert!(world.bill.log().contains("2 cores, 2048 MiB, disk 20480 MiB"), "{}", world.bill.log());
}

#[test]
fn addresses_that_came_by_hand_fill_free_slots_and_the_main_one_is_followed() {
    let world = TestWorld::start();
    let item = world.opened_as(&world.usual_order());
    let host = world.host_of(item).id;
    let (main, old) = world.addresses(host, 4).remove(0);
    world.vmm.change(|platform| "203.0.113.99".clone_into(&mut platform.ips.get_mut(&main).unwrap().ip_addr));
    world.bill.set_addon(item, "ip", 2);
    synced(&world, item);
    assert_eq!(world.bill.params(item)["ip"], "203.0.113.99");
    assert_eq!(world.used_slots(item), [old, "203.0.113.99".to_owned()]);
    assert_eq!(world.asked(), NOTHING);
}

#[test]
fn what_is_in_order_is_left_alone() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    for state in ["active", "stopped"] {
        world.alter(host, |vm| state.clone_into(&mut vm.state));
        let before = world.snapshot(item);
        world.forget();
        synced(&world, item);
        assert_eq!(world.asked(), NOTHING, "the power of a VM is its client's");
        assert_eq!(world.panel_calls(), [""; 0]);
        assert_eq!(world.snapshot(item), before);
        assert_eq!(world.bill.item(item).status, ACTIVE);
    }
}

#[test]
fn a_suspended_vm_that_runs_is_stopped_again_and_counted() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.succeed(item, "suspend");
    for time in 1..=3 {
        world.alter(host, |vm| "active".clone_into(&mut vm.state));
        world.forget();
        synced(&world, item);
        assert_eq!(world.asked(), [post(format!("host/{host}/stop"), json!({}))]);
        assert_eq!(world.host_of(item).state, "stopped");
        assert!(world.bill.log().contains(&format!("stopped again (number {time})")), "{}", world.bill.log());
    }
    world.forget();
    synced(&world, item);
    assert_eq!(world.asked(), NOTHING);
    assert_eq!((world.bill.item(item).status, world.panel_calls()), (SUSPENDED, vec![]));
}

/// A panel that takes no address must not keep a VM running that is not paid for.
#[test]
fn a_suspension_is_held_before_anything_else() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.succeed(item, "suspend");
    world.alter(host, |vm| "active".clone_into(&mut vm.state));
    world.bill.exec("UPDATE ip SET name = '', status = 1", &[]);
    world.bill.behave(Behaviour { ip_add_refuses: true, ..Behaviour::default() });
    assert_eq!(Refusal::of(&world.aside(item, SYNC)).kind, Kind::Mgrctl);
    assert_eq!(world.host_of(item).state, "stopped");
    world.bill.behave(Behaviour::default());
    synced(&world, item);
    assert_eq!(world.used_slots(item).len(), 1);
}

#[test]
fn an_interrupted_sync_is_finished_by_the_next() {
    let points = ["power.before_request", "power.after_request", "power.waited", "open.slot_added"];
    each(&points.map(|point| (point, point)), |point| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        world.succeed(item, "suspend");
        world.alter(host, |vm| "active".clone_into(&mut vm.state));
        world.bill.exec("UPDATE ip SET name = '', status = 1", &[]);
        assert!(world.killed_at(item, SYNC, &[], point), "{}", world.bill.log());
        synced(&world, item);
        assert_eq!(world.host_of(item).state, "stopped");
        assert_eq!(world.used_slots(item).len(), 1);
    });
}

#[test]
fn a_sync_without_a_vm_or_without_vmmanager_fails_and_changes_nothing() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.succeed(item, "suspend");
    let before = (world.billing(item), world.bill.item(item));
    world.vmm.fault(Fault::on("GET", "/vm/v3/host").times(4).act(Action::CloseBefore));
    assert_eq!(Refusal::of(&world.aside(item, SYNC)).kind, Kind::Vm6Connect);
    assert_eq!(world.bill.problems().len(), 1, "staff is told that VMmanager is away");
    world.vmm.clear_faults();
    world.vmm.change(|platform| platform.remove_host(host));
    Refusal::of(&world.aside(item, SYNC)).is(Kind::Vm6NotFound, &format!("service {item}"), &[&host.to_string()]);
    assert_eq!((world.billing(item), world.bill.item(item)), before);
}

/// A question of a form, asked as for the service, for none, or for number 0 as while ordering.
fn ask(world: &TestWorld, command: &str, item: Option<u64>, name: &str, value: &str) -> Run {
    let item = item.map(|item| item.to_string());
    let mut args = vec!["--command", command, "--param", name, "--value", value, "--level", "16", "--lang", "ru"];
    args.extend(item.iter().flat_map(|item| ["--item", item]));
    world.run_with_input(&args, "<doc><item>not for us</item></doc>")
}

#[track_caller]
fn accepted(run: &Run) {
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert!(run.stdout.ends_with("<doc><ok/></doc>\n") || run.stdout.ends_with("<doc><ok/></doc>"), "{run:#?}");
}

#[test]
fn a_domain_is_checked_by_its_form_and_nothing_else_is() {
    let world = TestWorld::start();
    let item = world.opened();
    for item in [Some(item), Some(0), None, Some(9_999)] {
        for good in ["shop.example.com", "SHOP.Example.com.", "пример.рф", "xn--e1afmkfd.xn--p1ai", ""] {
            accepted(&ask(&world, "check_param", item, "domain", good));
        }
        for bad in ["under_score.com", "a b", "-a.com", "http://a.com/", "1.2.3.4", "a..b"] {
            Refusal::of(&ask(&world, "check_param", item, "domain", bad)).is(Kind::BadParam, "domain", &[bad]);
        }
        for (name, value) in [("ip", "not an address"), ("username", "-"), ("panelid", "x"), ("", ""), ("what", "ever")]
        {
            accepted(&ask(&world, "check_param", item, name, value));
        }
    }
    assert_eq!(world.vmm.requests().len(), 0, "a form does not wait for the network");
    assert_eq!(world.panel_calls(), [""; 0]);
}

#[test]
fn an_add_on_is_refused_only_when_it_is_certainly_impossible() {
    let world = TestWorld::start();
    let item = world.opened_as(&Order::new(world.alice, world.tariffs.small, world.handler));
    let waiting = world.bill.order(&Order::new(world.alice, world.tariffs.small, world.handler));
    world.vmm.change(|platform| {
        platform.pools.get_mut(&1).unwrap().ranges.retain_mut(|range| {
            range.count = 3;
            range.family() == 4
        });
        platform.pools.get_mut(&2).unwrap().ranges.clear();
    });
    // The disk is counted in GiB, the VM has 10; the pools have two addresses left.
    for (name, value) in [("disk disc", "9"), ("disk", "1"), ("disc", "0")] {
        let refused = Refusal::of(&ask(&world, "check_addon", Some(item), name, value));
        refused.is(Kind::DiskShrink, name, &["10240 MiB"]);
    }
    Refusal::of(&ask(&world, "check_addon", Some(item), "ip", "4")).is(Kind::BadParam, "ip", &["3 more", "2 left"]);
    let fine = [
        ("disk disc", "10"),
        ("disk", "200"),
        ("ip", "1"),
        ("ip", "3"),
        ("ip", "0"),
        ("ncpu", "1"),
        ("mem", "1"),
        ("disk", "-5"),
        ("disk", "much"),
        ("coffee", "3"),
        ("", ""),
    ];
    for (name, value) in fine {
        accepted(&ask(&world, "check_addon", Some(item), name, value));
    }
    for item in [Some(waiting), Some(0), Some(9_999), None] {
        for (name, value) in [("disk", "1"), ("ip", "100")] {
            accepted(&ask(&world, "check_addon", item, name, value));
        }
    }
    assert_eq!(world.asked(), NOTHING);
}

/// In doubt the form accepts; the operation itself will refuse.
#[test]
fn doubts_accept_an_add_on() {
    let cases: [(&str, Arrange); 6] = [
        ("VMmanager is away", |world, _| {
            world.vmm.fault(Fault::on("*", "/vm/v3/host").always().act(Action::CloseBefore));
        }),
        ("VMmanager is asleep", |world, _| {
            world.vmm.fault(Fault::on("*", "/vm/v3/host").always().act(Action::Refuse503 { retry_after: None }));
        }),
        ("the password is wrong", |world, _| {
            world
                .vmm
                .change(|platform| "Another-pass-1".clone_into(&mut platform.accounts.get_mut(&1).unwrap().password));
            world.vmm.expire_sessions();
        }),
        ("the VM is not ours", |world, item| {
            let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
            let host = world.host_of(item).id;
            world.alter(host, |vm| vm.account = stranger);
        }),
        ("the VM id is no number", |world, item| world.bill.set_param(item, "panelid", "vps one")),
        ("the pool of the tariff is no number", |world, item| {
            let tariff = world.bill.item(item).pricelist.unwrap().to_string();
            let sql = "INSERT INTO pricelistparam (pricelist, intname, value) VALUES (?, 'ippool', 'blue')";
            world.bill.exec(sql, &[&tariff]);
        }),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let item = world.opened();
        arrange(&world, item);
        accepted(&ask(&world, "check_addon", Some(item), "ip", "100000"));
        assert!(world.bill.log().contains("could not be checked and is accepted"), "{}", world.bill.log());
        assert_eq!(world.asked(), NOTHING);
    });
}

/// A question changes nothing, not even a mark that was lost.
#[test]
fn questions_do_not_touch_the_vm() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.alter(host, |vm| "my shop".clone_into(&mut vm.comment));
    accepted(&ask(&world, "check_addon", Some(item), "disk", "30720"));
    assert_eq!(world.asked(), NOTHING);
    let run = world.aside(item, "transition_controlpanel");
    assert!(run.done, "{run:#?}");
    assert_eq!(world.vmm.look(|platform| platform.hosts[&host].comment.clone()), "my shop");
    synced(&world, item);
}

/// `reopen` repairs what BILLmanager knows; the VM is not installed again, and runs afterwards as after an opening.
#[test]
fn reopen_repairs_the_picture_and_keeps_the_vm() {
    each(&["active", "stopped"].map(|state| (state, state)), |state| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        let before = world.billing(item);
        world.alter(host, |vm| (*state).clone_into(&mut vm.state));
        world.bill.exec("DELETE FROM itemparam WHERE intname IN ('panelid', 'serverid', 'ip')", &[]);
        world.bill.exec("UPDATE ip SET name = '', status = 1", &[]);
        world.succeed(item, "reopen");
        assert_eq!(world.billing(item), before);
        let start = (*state == "stopped").then(|| post(format!("host/{host}/start"), json!({})));
        assert_eq!(world.asked(), start.into_iter().collect::<Vec<_>>());
        let vm = world.host_of(item);
        assert_eq!((vm.id, vm.state.as_str(), vm.installs), (host, "active", 1));
    });
}

/// VMmanager called the creation failed, staff saved the VM, the client lives in it, and the journal is lost.
#[test]
fn a_vm_in_use_is_not_removed_for_how_it_began() {
    each(&["open", "reopen"].map(|command| (command, command)), |command| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        world.vmm.change(|platform| {
            let made = platform.tasks.values_mut().filter(|task| task.name == "host_create");
            made.for_each(|task| "failed".clone_into(&mut task.status));
        });
        std::fs::remove_file(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
        world.perform(item, command);
        let vm = world.host_of(item);
        assert_eq!((vm.id, vm.state.as_str()), (host, "active"), "{}", world.bill.log());
    });
}

#[test]
fn reopen_finishes_an_interrupted_opening() {
    let points =
        ["account.after_request", "create.after_request", "create.recorded", "open.slot_added", "open.params_saved"];
    each(&points.map(|point| (point, point)), |point| {
        let world = TestWorld::start();
        let item = world.ordered();
        assert!(world.killed_at(item, "open", &[], point), "{point}");
        world.drop_operations();
        assert!(world.bill.slots(item).iter().all(|(_, _, status)| *status == FREE));
        world.succeed(item, "reopen");
        let vm = world.host_of(item);
        assert_eq!((vm.starts, vm.installs), (1, 1));
        assert_eq!(world.bill.item(item).status, ACTIVE);
        assert_eq!(world.bill.params(item)["panelid"], vm.id.to_string());
        assert_eq!(world.used_slots(item).len(), 1);
        assert_eq!(world.bill.secret(item, "password"), Some(vm.password));
    });
}
