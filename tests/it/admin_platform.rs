//! `pmvmmanager6 platform`: which VMmanager is where, and what staff say of an address. The command lines that errors
//! show are those that cure them.

use pmvmmanager6::error::Kind;
use serde_json::{Value, json};

use crate::support::invariants::Invariant;
use crate::support::sites::{another, start_two, two};
use crate::support::world::TestWorld;

fn listed(world: &TestWorld, more: &[&str]) -> (Option<i32>, Value) {
    let run = world.bill.run(&[&["platform", "--json"], more].concat());
    (run.status, serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}")))
}

/// Where the handlers lead, as it is recorded and as it is found.
fn handlers(list: &Value) -> Vec<(Option<u64>, Option<u64>)> {
    let handlers = list["handlers"].as_array().unwrap();
    handlers.iter().map(|row| (row["recorded"].as_u64(), row["checked"].as_u64())).collect()
}

/// An open service on the first VMmanager, whose VM was created at another time than all later ones.
fn opened_long_ago(world: &TestWorld) -> u64 {
    world.site(0).after("POST", "/vm/v3/host", 1, |platform| {
        platform.hosts.values_mut().for_each(|host| "2025-01-01 00:00:00".clone_into(&mut host.create_date));
    });
    world.opened_on(0, world.alice)
}

#[test]
fn the_list_names_platforms_and_where_handlers_lead() {
    let world = start_two();
    assert_eq!(handlers(&listed(&world, &[]).1), [(None, None); 2]);
    assert!(world.bill.run(&["platform"]).stdout.starts_with("No VMmanager was met yet."));
    world.opened_on(0, world.alice);
    let (status, list) = listed(&world, &["--check"]);
    assert_eq!((status, handlers(&list)), (Some(0), vec![(Some(1), Some(1)), (None, None)]), "nothing is recorded");
    world.opened_on(1, world.alice);
    let (status, list) = listed(&world, &["--check"]);
    assert_eq!((status, handlers(&list)), (Some(0), vec![(Some(1), Some(1)), (Some(2), Some(2))]));
    let platforms = list["platforms"].as_array().unwrap();
    for (site, row) in platforms.iter().enumerate() {
        assert_eq!((&row["addresses"], &row["services"]), (&json!([world.site(site).url()]), &json!(1)));
    }
    let text = world.bill.run(&["platform", "--check"]).stdout;
    for word in ["PLATFORM", "NOW", &world.site(0).url(), &world.site(1).url()] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_handler_that_cannot_be_asked_is_a_finding() {
    let world = TestWorld::start();
    world.opened();
    world.bill.set_handler_url(world.handler, "http://127.0.0.1:1");
    let (status, list) = listed(&world, &["--check"]);
    assert_eq!((status, handlers(&list)), (Some(1), vec![(None, None)]));
    assert!(list["handlers"][0]["error"].as_str().unwrap().contains("127.0.0.1:1"), "{list}");
}

#[test]
fn another_vmmanager_at_an_old_address_is_refused_until_staff_confirm_it() {
    let world = TestWorld::with(two);
    let item = opened_long_ago(&world);
    world.site(1).take_over(world.site(0)).unwrap();
    world.waive(Invariant::OneVm, "the address shows another VMmanager");
    let (status, _) = listed(&world, &["--check"]);
    assert_eq!(status, Some(1));
    let next = world.bill.order(&world.order_on(0, world.alice));
    let refusal = world.refuse(next, "open");
    assert_eq!(refusal.kind, Kind::Vm6Platform, "{refusal:?}");
    let mut line = refusal.cure_line();
    assert_eq!(line.last().copied(), Some("--yes"));
    let yes = line.pop().unwrap();
    let run = world.bill.run(&line);
    assert!(run.stdout.contains("Nothing was changed"), "{run:#?}");
    assert_eq!(world.refuse(next, "open"), refusal);
    line.push(yes);
    assert_eq!(world.bill.run(&line).status, Some(0));
    world.succeed(next, "open");
    assert_eq!(world.placed(next).first().map(|(site, _)| *site), Some(1));
    // What lives on the old one stays refused, and its VM is there.
    assert_eq!(world.refuse(item, "close").kind, Kind::Vm6Platform);
    assert_eq!(world.placed(item).first().map(|(site, _)| *site), Some(0));
}

#[test]
fn a_vmmanager_that_lost_the_recorded_vms_keeps_its_number_when_staff_say_so() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(host));
    world.vmm.move_to(0).unwrap();
    world.bill.set_handler_url(world.handler, &world.vmm.url());
    // Nothing that was recorded is here: it looks like a VMmanager that was never met.
    let refusal = world.refuse(item, "setparam");
    assert_eq!(refusal.kind, Kind::Vm6Platform, "{refusal:?}");
    let line = refusal.cure_line();
    assert_eq!(line, ["platform", "move", "--from", "1", "--to", "2", "--yes"]);
    let shown = world.bill.run(&line[..6]);
    assert!(shown.stdout.contains("Nothing was changed") && shown.stdout.contains("SERVICES"), "{shown:#?}");
    assert_eq!(listed(&world, &[]).1["platforms"].as_array().unwrap().len(), 2);
    assert_eq!(world.bill.run(&line).status, Some(0));
    assert_eq!(listed(&world, &[]).1["platforms"].as_array().unwrap().len(), 1);
    assert_eq!(world.fail(item, "setparam").kind, Kind::Vm6NotFound);
    world.drop_operations();
    world.succeed(item, "reopen");
    world.succeed(item, "close");
}

#[test]
fn the_address_becomes_the_platform_that_staff_name() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(host));
    world.vmm.move_to(0).unwrap();
    world.bill.set_handler_url(world.handler, &world.vmm.url());
    let line = ["platform", "confirm", "--module", &world.handler.to_string(), "--platform", "1"];
    let run = world.bill.run(&line);
    assert!(run.stdout.contains("is platform 1") && run.stdout.contains("Nothing was changed"), "{run:#?}");
    assert_eq!(handlers(&listed(&world, &[]).1), [(None, None)]);
    let run = world.bill.run(&[&line[..], &["--yes"]].concat());
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(handlers(&listed(&world, &[]).1), [(Some(1), None)]);
    world.succeed(item, "reopen");
}

#[test]
fn what_recorded_vms_show_is_not_overruled() {
    let world = TestWorld::with(|scene| scene.more.push(another()));
    let items = [opened_long_ago(&world), world.opened_on(1, world.alice)];
    assert_eq!(world.host_of(items[0]).id, world.host_of(items[1]).id, "the ids collide");
    let second = world.handler_on(1).to_string();
    let cases: [(&[&str], &str); 4] = [
        (&["platform", "move", "--from", "1", "--to", "2", "--yes"], "are not one VMmanager: VM"),
        (&["platform", "move", "--from", "1", "--to", "1", "--yes"], "both are the same number"),
        (&["platform", "move", "--from", "1", "--to", "3", "--yes"], "there is no platform 3"),
        (&["platform", "confirm", "--module", &second, "--platform", "1", "--yes"], "it shows VMs of platform 2"),
    ];
    let before = listed(&world, &["--check"]);
    for (line, why) in cases {
        let run = world.bill.run(line);
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{run:#?}");
        assert!(run.stderr.contains(why), "{why}: {run:#?}");
        assert_eq!(listed(&world, &["--check"]), before, "{line:?}");
    }
    let run = world.bill.run(&["platform", "confirm", "--module", &second, "--yes"]);
    assert!(run.stdout.contains("is platform 2, as before"), "{run:#?}");
}

#[test]
fn a_copied_installation_changes_nothing() {
    let world = TestWorld::start();
    world.opened();
    std::fs::write(world.bill.root().join("etc/billmgr.DoNothing"), "").unwrap();
    let handler = world.handler.to_string();
    let run = world.bill.run(&["platform", "confirm", "--module", &handler, "--yes"]);
    assert!(run.status == Some(1) && run.stderr.contains("DoNothing"), "{run:#?}");
}
