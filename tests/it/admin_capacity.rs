//! `pmvmmanager6 capacity`: how many more VMs fit, what there is least of, and what nobody knows. None is certain.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Database, Handler, Order, Tariff};
use sandbox::vmm::{Action, Fault, Figures, Node, Platform, Rewrite, UserLists};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

/// A tariff that one node of the world takes twice and the other once, by what the case changes.
fn tariff(world: &TestWorld) -> u64 {
    world.bill.add_tariff(&Tariff::sized("VPS 2-2-20", 2, 2048, 20_480).handler(world.handler))
}

/// What the handler of the world says of a tariff.
fn counted(world: &TestWorld, tariff: u64) -> Value {
    let run = world.bill.run(&["capacity", "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let tariffs = document["handlers"][0]["tariffs"].as_array().unwrap();
    let found = tariffs.iter().find(|it| it["tariff"] == tariff).unwrap_or_else(|| panic!("{document:#}")).clone();
    let is_odd = |it: &Value| it["few"] == true || !it["error"].is_null();
    assert_eq!(run.status, Some(i32::from(tariffs.iter().any(is_odd))), "{document:#}");
    found
}

fn nodes(platform: &mut Platform, change: impl Fn(&mut Node)) {
    platform.nodes.values_mut().filter(|node| node.cluster == 1).for_each(change);
}

/// Node 1 has twice `one` and a bit, node 2 once: a VM is on one node.
fn two_and_one(platform: &mut Platform, set: impl Fn(&mut Node, u64), one: u64) {
    set(platform.nodes.get_mut(&1).unwrap(), 2 * one + one / 2);
    set(platform.nodes.get_mut(&2).unwrap(), one + one / 2);
}

/// So many addresses in the pools of cluster 1.
fn addresses(platform: &mut Platform, first: u64, second: u64) {
    for (pool, count) in [(1, first), (2, second)] {
        platform.pools.get_mut(&pool).unwrap().ranges[0].count = count;
    }
}

/// What makes an outage.
type Spoil = Box<dyn Fn(&TestWorld) + Sync>;

/// What is changed in VMmanager, the answer with its bounds, whether that is few, and by what.
struct Case {
    change: fn(&mut Platform),
    answer: &'static str,
    bounds: (Option<u64>, Option<u64>),
    few: bool,
    by: &'static str,
}

const fn exactly(number: u64) -> (Option<u64>, Option<u64>) {
    (Some(number), Some(number))
}

fn check(case: &Case) {
    let world = TestWorld::start();
    let tariff = tariff(&world);
    world.vmm.change(case.change);
    let found = counted(&world, tariff);
    let (at_least, at_most) = case.bounds;
    let told = json!({"answer": found["answer"], "at_least": found["at_least"], "at_most": found["at_most"], "few": found["few"]});
    let wanted = json!({"answer": case.answer, "at_least": at_least, "at_most": at_most, "few": case.few});
    assert_eq!(told, wanted, "{found:#}");
    assert!(found["by"].as_str().unwrap().starts_with(case.by), "{found:#}");
    assert_eq!(world.mutations(), [""; 0], "VMmanager is only read");
}

#[test]
fn what_there_is_least_of_decides() {
    let case = |change, bounds, by| Case { change, answer: "number", bounds, few: true, by };
    let none = |change, by| Case { change, answer: "none", bounds: exactly(0), few: true, by };
    let memory: fn(&mut Platform) = |p| two_and_one(p, |node, amount| node.ram_mib = amount, 2048);
    let disk: fn(&mut Platform) = |p| two_and_one(p, |node, amount| node.storage_mib = amount, 20_480);
    let cores: fn(&mut Platform) = |p| two_and_one(p, |node, amount| node.cpu_number = amount, 2);
    let limits: fn(&mut Platform) = |p| nodes(p, |node| node.host_limit = Some(2));
    let both: fn(&mut Platform) = |p| addresses(p, 1, 3);
    let blocked: fn(&mut Platform) = |p| nodes(p, |node| node.host_creation_blocked = true);
    let in_maintenance: fn(&mut Platform) = |p| {
        nodes(p, |node| node.ram_mib = 3 * 2048);
        p.nodes.get_mut(&2).unwrap().maintenance_mode = true;
    };
    let apart: fn(&mut Platform) = |p| {
        p.nodes.get_mut(&1).unwrap().ram_mib = 1024;
        p.nodes.get_mut(&2).unwrap().storage_mib = 1024;
    };
    let cases = [
        ("memory", case(memory, exactly(3), "memory")),
        ("disk space", case(disk, exactly(3), "disk space")),
        ("cores", case(cores, exactly(3), "cores")),
        ("limits of nodes", case(limits, exactly(4), "the nodes' limits")),
        ("addresses of two pools", case(both, exactly(4), "addresses of kvm-public, kvm-reserve")),
        ("a node in maintenance", case(in_maintenance, exactly(3), "memory")),
        ("full disks", none(|p| nodes(p, |node| node.storage_mib = 0), "disk space")),
        ("no addresses", none(|p| addresses(p, 0, 0), "addresses of")),
        (
            "pools of other clusters",
            none(|p| p.pools.values_mut().for_each(|pool| pool.clusters[0].id = 2), "IP pools"),
        ),
        ("nodes that take none", none(blocked, "nodes that take VMs")),
        ("nodes of other clusters", none(|p| p.nodes.values_mut().for_each(|node| node.cluster = 2), "nodes that")),
        ("no node with enough of both", none(apart, "no node has enough")),
        ("plenty", Case { few: false, ..case(|_| (), exactly(4096), "memory") }),
    ];
    each(&cases, check);
}

#[test]
fn what_vmmanager_does_not_tell_is_unknown() {
    let unknown = |change, bounds, few, by| Case { change, answer: "unknown", bounds, few, by };
    let number = |change, bounds, few, by| Case { change, answer: "number", bounds, few, by };
    let silent: fn(&mut Platform) = |p| p.variant.figures = Figures::Missing;
    let memory_left: fn(&mut Platform) = |p| {
        p.variant.figures = Figures::WithoutOverselling;
        nodes(p, |node| node.ram_mib = 4096);
    };
    let memory_full: fn(&mut Platform) = |p| {
        p.variant.figures = Figures::WithoutOverselling;
        nodes(p, |node| node.ram_mib = 1024);
    };
    let few_addresses: fn(&mut Platform) = |p| {
        p.variant.figures = Figures::WithoutOverselling;
        addresses(p, 2, 0);
        nodes(p, |node| node.ram_mib = 1024);
    };
    let full_and_silent: fn(&mut Platform) = |p| {
        p.variant.figures = Figures::Missing;
        nodes(p, |node| node.host_creation_blocked = true);
    };
    let down: fn(&mut Platform) = |p| nodes(p, |node| node.state = "unreachable".to_owned());
    let old: fn(&mut Platform) = |p| {
        p.variant.figures = Figures::Old;
        nodes(p, |node| node.ram_mib = 10 * 2048);
    };
    let cases = [
        ("nothing is told", unknown(silent, (None, Some(10_000)), false, "VMmanager does not tell how much of memory")),
        ("memory may be sold twice", number(memory_left, (Some(4), Some(10_000)), true, "memory")),
        ("memory is sold once over", unknown(memory_full, (Some(0), Some(10_000)), true, "memory: used up, unless")),
        ("few addresses anyhow", unknown(few_addresses, (Some(0), Some(2)), true, "memory: used up")),
        (
            "what is not told cannot help",
            Case { answer: "none", ..unknown(full_and_silent, exactly(0), true, "nodes that take VMs") },
        ),
        ("nodes that do not answer", unknown(down, (Some(0), Some(4096)), true, "active nodes")),
        (
            "an old build does not tell of cores",
            unknown(old, (None, Some(20)), false, "VMmanager does not tell how much of cores"),
        ),
    ];
    each(&cases, check);
}

/// Then VMmanager sells memory more than once, and how often is not known.
#[test]
fn more_was_sold_than_there_is() {
    let world = TestWorld::start();
    let item = world.opened();
    let tariff = tariff(&world);
    let node = world.host_of(item).node.unwrap();
    world.vmm.change(|platform| {
        nodes(platform, |other| other.maintenance_mode = other.id != node);
        let node = platform.nodes.get_mut(&node).unwrap();
        (node.overselling, node.ram_mib) = (3, 1024);
    });
    let found = counted(&world, tariff);
    assert_eq!((&found["answer"], &found["at_least"]), (&json!("unknown"), &Value::Null), "{found:#}");
    assert_eq!((&found["at_most"], &found["few"]), (&json!(4999), &json!(false)), "{found:#}");
}

/// A build that does not say which cluster its nodes and pools belong to.
#[test]
fn nobody_tells_whose_they_are() {
    each(&[("nodes", "node"), ("pools", "ippool")], |list| {
        let world = TestWorld::start();
        let tariff = tariff(&world);
        let rewrite = Rewrite::new(|status, body| {
            let mut body = body.clone();
            for element in body["list"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                element.retain(|name, _| !["cluster", "clusters"].contains(&name.as_str()));
            }
            (status, body.to_string().into_bytes())
        });
        let path = format!("/vm/v3/{list}");
        world.vmm.fault(Fault::on("GET", &path).always().act(Action::Rewrite(rewrite)));
        let found = counted(&world, tariff);
        assert_eq!((&found["answer"], &found["error"]), (&json!("unknown"), &Value::Null), "{found:#}");
    });
}

/// VMmanager itself agrees: so many are made, and not one more.
#[test]
fn as_many_as_are_said_fit() {
    let world = TestWorld::start();
    let tariff = tariff(&world);
    world.vmm.change(|platform| two_and_one(platform, |node, amount| node.ram_mib = amount, 2048));
    let order = Order::new(world.alice, tariff, world.handler);
    for left in [3, 2, 1] {
        assert_eq!(counted(&world, tariff)["at_most"], left);
        let item = world.bill.order(&order);
        world.succeed(item, "open");
    }
    assert_eq!(counted(&world, tariff)["answer"], "none");
    let item = world.bill.order(&order);
    assert_eq!(world.fail(item, "open").kind, Kind::Vm6Task);
}

#[test]
fn tariffs_of_every_kind_on_both_databases() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = TestWorld::on(*database);
        let add = |tariff: Tariff| world.bill.add_tariff(&tariff.handler(world.handler));
        let two_addresses = add(Tariff::new("two addresses").preset("KVM-SSD-1").addon(Addon::amount("ip", "", 2)));
        let lxd = add(Tariff::sized("LXD", 1, 1024, 10_240).param("cluster", "2"));
        let pool = add(Tariff::sized("reserve", 1, 1024, 10_240).param("ippool", "2"));
        let nothing = add(Tariff::new("no sizes"));
        let other = add(Tariff::new("other").preset("LXD-1"));
        let off = add(Tariff::sized("off", 1, 1, 1));
        world.bill.exec("UPDATE pricelist SET active = 'off' WHERE id = ?", &[&off.to_string()]);
        world.vmm.change(|platform| {
            addresses(platform, 3, 4);
            platform.nodes.get_mut(&3).unwrap().ram_mib = 2048;
        });
        for (tariff, number) in [(world.tariffs.small, 7), (two_addresses, 3), (lxd, 2), (pool, 4)] {
            assert_eq!(counted(&world, tariff)["at_least"], number, "tariff {tariff}");
        }
        // The preset has 20 GiB of disk and 2 GiB of memory.
        world.vmm.change(|platform| nodes(platform, |node| node.ram_mib = 5000));
        let preset = counted(&world, world.tariffs.preset);
        assert_eq!((&preset["at_least"], &preset["by"]), (&json!(4), &json!("memory")));
        for (tariff, word) in [(nothing, "\"ncpu\""), (other, "LXD-1")] {
            let found = counted(&world, tariff);
            assert_eq!((&found["answer"], &found["at_least"]), (&json!("unknown"), &Value::Null));
            assert!(found["error"].as_str().unwrap().contains(word), "{found:#}");
        }
        let run = world.bill.run(&["capacity"]);
        assert!(!run.stdout.contains(" off "), "{}", run.stdout);
    });
}

/// A VM with an additional interface takes an address of each.
#[test]
fn both_interfaces_need_addresses() {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "cluster", "3");
    world.bill.set_handler(world.handler, "additional_interface", "on");
    let tariff = tariff(&world);
    world.vmm.change(|platform| platform.pools.get_mut(&5).unwrap().ranges[0].count = 2);
    let found = counted(&world, tariff);
    assert_eq!((&found["at_least"], &found["by"]), (&json!(2), &json!("addresses of 2if-backend")));
    world.bill.set_handler(world.handler, "cluster", "1");
    assert!(counted(&world, tariff)["error"].as_str().unwrap().contains("additional interface"));
}

/// Neither an outage nor a list that is empty for somebody without rights is a cluster without room.
#[test]
fn an_outage_is_unknown() {
    let asleep = |path: &'static str| Fault::on("GET", path).always();
    let cases: Vec<(&str, (Spoil, Kind))> = vec![
        ("asleep", (Box::new(move |w: &TestWorld| w.vmm.fault(asleep("/vm/v3/node"))), Kind::Vm6Connect)),
        (
            "garbage",
            (
                Box::new(|w: &TestWorld| w.vmm.fault(Fault::on("GET", "/vm/v3/ippool").always().act(Action::Garbage))),
                Kind::Vm6Api,
            ),
        ),
        (
            "nobody listens",
            (Box::new(|w: &TestWorld| w.bill.set_handler(w.handler, "url", "http://127.0.0.1:9")), Kind::Vm6Connect),
        ),
    ];
    each(&cases, |(spoil, kind)| {
        let world = TestWorld::start();
        world.opened();
        spoil(&world);
        let run = world.bill.run(&["capacity", "--json"]);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let handler = &document["handlers"][0];
        assert_eq!((run.status, &handler["tariffs"]), (Some(1), &json!([])), "{document:#}");
        assert!(handler["error"].as_str().unwrap().contains(kind.name()), "{document:#}");
        let run = world.bill.run(&["metrics", "--capacity"]);
        assert_eq!(run.status, Some(1));
        let metrics = Metrics::parse(&run.stdout);
        assert_eq!(metrics.all("capacity_vms"), [""; 0]);
        assert_eq!(metrics.get("pmvmmanager6_readable{part=\"capacity\"}"), Some(0.0));
    });
}

#[test]
fn empty_lists_of_somebody_without_rights_are_not_believed() {
    let world = TestWorld::start();
    let tariff = tariff(&world);
    world.vmm.change(|platform| platform.variant.user_lists = UserLists::Empty);
    world.vmm.demote("admin@example.net");
    let found = counted(&world, tariff);
    assert_eq!(found["answer"], "unknown", "{found:#}");
    assert!(found["error"].as_str().unwrap().contains("no longer an administrator"), "{found:#}");
}

#[test]
fn the_metrics_have_what_is_known() {
    let world = TestWorld::start();
    let known = tariff(&world);
    world.bill.add_tariff(&Tariff::new("no \"sizes\"").handler(world.handler));
    assert_eq!(Metrics::of(&world).all("capacity_vms"), [""; 0], "nobody is asked unless that is wanted");
    let read = || {
        let run = world.bill.run(&["metrics", "--capacity"]);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
        Metrics::parse(&run.stdout)
    };
    let series =
        format!("pmvmmanager6_capacity_vms{{handler=\"{}\",tariff=\"{known}\",name=\"VPS 2-2-20\"}}", world.handler);
    assert_eq!(read().get(&series), Some(4096.0));
    assert_eq!(read().all("capacity_vms").len(), 5, "one of six tariffs cannot be counted");
    world.vmm.change(|platform| addresses(platform, 0, 0));
    assert_eq!(read().get(&series), Some(0.0));
}

#[test]
fn one_handler_or_all_that_are_on() {
    let world = TestWorld::start();
    let wrong = Handler::new("http://127.0.0.1:9", "admin@example.net", "x", "1").named("Frankfurt");
    let wrong = world.bill.add_handler(&wrong).to_string();
    let run = world.bill.run(&["capacity"]);
    assert_eq!(run.status, Some(1));
    let line = run.stdout.lines().find(|line| line.contains("Frankfurt")).unwrap();
    assert!(line.contains("unknown") && line.contains("vm6_connect"), "{line}");
    assert!(
        run.stdout.lines().any(|line| line.contains("VPS small") && line.contains("8192") && line.ends_with("memory")),
        "{}",
        run.stdout
    );
    let run = world.bill.run(&["capacity", "--module", &world.handler.to_string()]);
    assert_eq!((run.status, run.stdout.contains("Frankfurt")), (Some(0), false), "{}", run.stdout);
    world.bill.exec("UPDATE processingmodule SET active = 'off' WHERE id = ?", &[&wrong]);
    assert_eq!(world.bill.run(&["capacity"]).status, Some(0));
    assert_eq!(world.bill.run(&["capacity", "--module", &wrong]).status, Some(1), "asked for by its id");
    let run = world.bill.run(&["capacity", "--module", "4711"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("4711 is no handler"), "{run:?}");
}
