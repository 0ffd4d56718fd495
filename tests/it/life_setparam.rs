//! `setparam`: sizes, speeds, tariffs. A running VM is restarted once at most, a stopped one stays stopped, and what
//! cannot be is refused before anything is changed. Addresses are in `life_addresses`.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Order, Tariff};
use sandbox::vmm::{Action, Fault};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::service::{ACTIVE, Arrange, NOTHING, SUSPENDED, deferred, post, refusal, slow};
use crate::support::world::TestWorld;

const SETPARAM: &str = "setparam";
/// Ordered sizes and what they become: more of everything.
const GROWN: [(&str, i64); 3] = [("ncpu", 4), ("mem", 4096), ("disk disc", 30_720)];
const GROWN_SIZES: (u64, u64, u64) = (4, 4096, 30_720);

/// Paths of one VM's requests.
#[derive(Clone, Copy)]
struct Paths {
    host: u64,
    disk: u64,
}

impl Paths {
    fn of(world: &TestWorld, host: u64) -> Self {
        Paths { host, disk: world.disk(host) }
    }

    fn resource(self, body: Value) -> (String, Value) {
        post(format!("host/{}/resource", self.host), body)
    }

    fn disk(self, body: Value) -> (String, Value) {
        post(format!("disk/{}", self.disk), body)
    }

    fn restart(self) -> (String, Value) {
        post(format!("host/{}/restart", self.host), json!({}))
    }
}

fn order(world: &TestWorld, item: u64, addons: &[(&str, i64)]) {
    for (name, amount) in addons {
        world.bill.set_addon(item, name, *amount);
    }
}

/// Starts, installations and state of the VM; nothing waits for a stop.
#[track_caller]
fn assert_quiet(world: &TestWorld, item: u64, starts: u64, state: &str) {
    let host = world.host_of(item);
    assert_eq!((host.starts, host.installs, host.state.as_str()), (starts, 1, state), "{}", world.bill.log());
    assert_eq!((host.cpu_number_new, host.ram_mib_new), (0, 0));
    assert_eq!(world.vmm.look(|p| p.main_disk(host.id).unwrap().size_mib_new), 0);
}

/// Paths under which a running VM is changed, and the bodies.
type Steps = Vec<(&'static str, Value)>;
/// What is ordered, whether sizes and disk can grow hot, what is asked.
type Upgrade = (&'static str, (&'static [(&'static str, i64)], (bool, bool), Steps));

fn upgrades_of_some() -> Vec<Upgrade> {
    let restart = || ("restart", json!({}));
    let cores = || json!({ "cpu_number": 4 });
    let less = || deferred(json!({ "cpu_number": 1, "ram_mib": 1024 }));
    let mixed = || deferred(json!({ "cpu_number": 4, "ram_mib": 1024 }));
    let (disk, memory) = (json!({ "size_mib": 30_720 }), deferred(json!({ "ram_mib": 4096 })));
    let odd = vec![("resource", deferred(json!({ "ram_mib": 2560 }))), restart()];
    vec![
        ("cores", (&GROWN[..1], (false, false), vec![("resource", deferred(cores())), restart()])),
        ("memory", (&GROWN[1..2], (false, true), vec![("resource", memory), restart()])),
        ("disk", (&GROWN[2..], (true, false), vec![("disk", deferred(disk.clone())), restart()])),
        ("hot cores", (&GROWN[..1], (true, true), vec![("resource", cores())])),
        ("hot disk", (&GROWN[2..], (false, true), vec![("disk", disk)])),
        ("less", (&[("ncpu", 1), ("mem", 1024)], (true, true), vec![("resource", less()), restart()])),
        ("more and less", (&[("ncpu", 4), ("mem", 1024)], (true, true), vec![("resource", mixed()), restart()])),
        ("a step of memory that is not hot", (&[("mem", 2560)], (true, true), odd)),
    ]
}

fn upgrades_of_everything() -> Vec<Upgrade> {
    let restart = || ("restart", json!({}));
    let (sizes, disk) = (json!({ "cpu_number": 4, "ram_mib": 4096 }), json!({ "size_mib": 30_720 }));
    let steps = |hot_sizes: bool, hot_disk: bool| {
        let body = |hot: bool, body: &Value| if hot { body.clone() } else { deferred(body.clone()) };
        let mut steps = vec![("resource", body(hot_sizes, &sizes)), ("disk", body(hot_disk, &disk))];
        steps.extend((!(hot_sizes && hot_disk)).then(restart));
        steps
    };
    let all = [
        ("nothing is hot", (false, false)),
        ("the disk is", (false, true)),
        ("sizes are", (true, false)),
        ("all", (true, true)),
    ];
    all.into_iter().map(|(name, hot)| (name, (&GROWN[..], hot, steps(hot.0, hot.1)))).collect()
}

#[test]
fn a_running_vm_is_restarted_once_unless_it_can_grow_hot() {
    let cases: Vec<Upgrade> = upgrades_of_some().into_iter().chain(upgrades_of_everything()).collect();
    each(&cases, |(ordered, hot, steps)| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        world.alter(host, |vm| (vm.hot_plug, vm.live_resize) = *hot);
        order(&world, item, ordered);
        world.succeed(item, SETPARAM);

        let paths = Paths::of(&world, host);
        let step = |(part, body): &(&str, Value)| match *part {
            "resource" => paths.resource(body.clone()),
            "disk" => paths.disk(body.clone()),
            _ => paths.restart(),
        };
        assert_eq!(world.asked(), steps.iter().map(step).collect::<Vec<_>>());
        let wanted = |name: &str, usual: u64| {
            ordered.iter().find(|(known, _)| *known == name).map_or(usual, |(_, amount)| amount.unsigned_abs())
        };
        assert_eq!(world.sizes(host), (wanted("ncpu", 2), wanted("mem", 2048), wanted("disk disc", 20_480)));
        let restarts = steps.iter().filter(|(part, _)| *part == "restart").count() as u64;
        assert_quiet(&world, item, 1 + restarts, "active");
        assert_eq!(world.panel_calls(), ["service.postsetparam"]);

        world.forget();
        world.succeed(item, SETPARAM);
        assert_eq!(world.asked(), NOTHING, "repeated");
    });
}

#[test]
fn a_hot_change_that_is_refused_waits_for_one_restart() {
    let cases: [(&str, Arrange); 4] = [
        ("the node", |world, _| {
            world.vmm.fault(refusal("POST", "/vm/v3/host/*/resource", "The node cannot plug memory"));
        }),
        ("the node, in the task", |world, _| {
            let action = Action::FailTask { word: "failed", text: "no memory slot".to_owned() };
            world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/resource").act(action));
        }),
        ("the disk's storage, in the task", |world, _| {
            let action = Action::FailTask { word: "failed", text: "the disk is busy".to_owned() };
            world.vmm.fault(Fault::on("POST", "/vm/v3/disk/*").act(action));
        }),
        ("the disk's storage", |world, _| {
            world.vmm.fault(refusal("POST", "/vm/v3/disk/*", "This storage cannot grow a disk in use"));
        }),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        world.alter(host, |vm| (vm.hot_plug, vm.live_resize) = (true, true));
        arrange(&world, host);
        order(&world, item, &GROWN);
        world.succeed(item, SETPARAM);
        assert_eq!(world.sizes(host), GROWN_SIZES);
        assert_eq!(
            world.mutations().len(),
            4,
            "two ways of one change, the other change, one restart: {:?}",
            world.asked()
        );
        assert_quiet(&world, item, 2, "active");
    });
}

/// A task that fails after it did its work: what the VM has by then is not asked for again, and nothing restarts.
#[test]
fn a_hot_change_that_works_and_fails_all_the_same_is_seen() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.alter(host, |vm| (vm.hot_plug, vm.live_resize) = (true, true));
    let action =
        Action::FailInState { word: "failed", text: "the agent is silent".to_owned(), state: "active".to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/resource").act(action));
    order(&world, item, &GROWN);
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(host), GROWN_SIZES);
    assert_eq!(world.mutations().len(), 2, "{:?}", world.asked());
    assert_quiet(&world, item, 1, "active");
}

/// What is ordered, what the VM is like, whether it can be had while it runs.
type Limit = (Vec<(&'static str, i64)>, Box<dyn Fn(&TestWorld, u64) + Sync>, bool);

/// What cannot be had while the VM runs is known before it is asked for, also where VMmanager only finds it in the task.
#[test]
fn the_limits_of_hot_growth_are_known_before_asking() {
    let windows = |world: &TestWorld, host: u64| {
        let id = world.vmm.look(|p| p.os.values().find(|os| os.os_group == "windows").unwrap().id);
        world.alter(host, |vm| vm.os = Some(id));
    };
    let cases: Vec<(&str, Limit)> = vec![
        (
            "memory has grown too often",
            (vec![("mem", 4096)], Box::new(|w, h| w.alter(h, |vm| vm.hot_plug_cell_counter = 16)), false),
        ),
        (
            "memory can grow once more",
            (vec![("mem", 4096)], Box::new(|w, h| w.alter(h, |vm| vm.hot_plug_cell_counter = 15)), true),
        ),
        ("half a step", (vec![("mem", 2560)], Box::new(|_, _| ()), false)),
        ("more cores than a running VM can have", (vec![("ncpu", 241)], Box::new(|_, _| ()), false)),
        ("as many cores as it can have", (vec![("ncpu", 240)], Box::new(|_, _| ()), true)),
        ("more cores than Windows can have", (vec![("ncpu", 129)], Box::new(windows), false)),
        ("as many cores as Windows can have", (vec![("ncpu", 128)], Box::new(windows), true)),
    ];
    each(&cases, |(ordered, arrange, hot)| {
        for in_task in [false, true] {
            let world = TestWorld::start();
            let item = world.opened();
            let host = world.host_of(item).id;
            world.alter(host, |vm| (vm.hot_plug, vm.live_resize) = (true, true));
            world.vmm.change(|platform| platform.variant.hot_limits_in_task = in_task);
            arrange(&world, host);
            order(&world, item, ordered);
            world.succeed(item, SETPARAM);
            let requests = if *hot { 1 } else { 2 };
            assert_eq!(world.mutations().len(), requests, "{:?}", world.asked());
            assert_quiet(&world, item, requests as u64, "active");
        }
    });
}

/// Nothing is asked of a VM with snapshots that VMmanager would refuse, and people read what is in the way.
#[test]
fn a_vm_with_snapshots_keeps_its_sizes_until_they_are_gone() {
    let cases: [(&str, &[(&str, i64)]); 5] = [
        ("cores", &GROWN[..1]),
        ("memory", &GROWN[1..2]),
        ("disk", &GROWN[2..]),
        ("everything", &GROWN),
        ("sizes and addresses", &[("mem", 4096), ("ip", 2)]),
    ];
    each(&cases, |ordered| {
        for stopped in [false, true] {
            let world = TestWorld::start();
            let item = world.opened();
            let host = world.host_of(item).id;
            if stopped {
                world.succeed(item, "stop");
                world.forget();
            }
            world.alter(host, |vm| vm.snapshot_count = 2);
            order(&world, item, ordered);
            world.refuse(item, SETPARAM).is(Kind::VmHasSnapshots, &format!("VM {host}"), &["2 snapshots", "remove"]);
            assert_eq!(world.asked(), NOTHING);
            world.alter(host, |vm| vm.snapshot_count = 0);
            world.succeed(item, SETPARAM);
            assert!(world.host_of(item).starts <= 2);
        }
    });
}

/// Speeds could be had: nothing is done by halves.
#[test]
fn speeds_wait_for_addresses_that_snapshots_forbid() {
    let world = TestWorld::start();
    let tariff = Tariff::sized("speeds", 1, 1024, 10_240).addon(Addon::amount("inbound", "mbit/s", 10));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.opened_as(&Order::new(world.alice, tariff, world.handler));
    let host = world.host_of(item).id;
    world.alter(host, |vm| (vm.snapshot_count, vm.hot_speeds) = (1, true));
    order(&world, item, &[("inbound", 20)]);
    world.succeed(item, SETPARAM);
    assert_eq!(world.mutations().len(), 1);
    world.forget();
    order(&world, item, &[("inbound", 30), ("ip", 2)]);
    world.refuse(item, SETPARAM).is(Kind::VmHasSnapshots, &format!("VM {host}"), &["further addresses"]);
    assert_eq!(world.asked(), NOTHING);
}

/// What waits for a stop would fail at that stop: the VM is not restarted for it.
#[test]
fn a_snapshot_that_comes_before_the_restart_is_no_reason_to_restart() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &GROWN);
    assert!(world.killed_at(item, SETPARAM, &[], "resize.before_restart"));
    let host = world.host_of(item).id;
    world.alter(host, |vm| vm.snapshot_count = 1);
    assert_eq!(world.fail(item, SETPARAM).kind, Kind::VmHasSnapshots);
    assert_eq!(world.host_of(item).starts, 1);
    world.alter(host, |vm| vm.snapshot_count = 0);
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(host), GROWN_SIZES);
    assert_quiet(&world, item, 2, "active");
}

#[test]
fn a_stopped_vm_is_changed_at_once_and_stays_stopped() {
    each(&[("stopped", ACTIVE), ("suspended", SUSPENDED)], |&status| {
        let world = TestWorld::start();
        let item = world.opened();
        world.succeed(item, if status == SUSPENDED { "suspend" } else { "stop" });
        world.forget();
        order(&world, item, &GROWN);
        world.succeed(item, SETPARAM);
        let host = world.host_of(item).id;
        let paths = Paths::of(&world, host);
        let sizes = paths.resource(json!({ "cpu_number": 4, "ram_mib": 4096 }));
        assert_eq!(world.asked(), [sizes, paths.disk(json!({ "size_mib": 30_720 }))]);
        assert_eq!(world.sizes(host), GROWN_SIZES);
        assert_quiet(&world, item, 1, "stopped");
        assert_eq!(world.bill.item(item).status, status);
    });
}

/// Opens a service.
type Opened = fn(&TestWorld) -> u64;

/// Nothing to do is seen with one or two requests, and an OS chosen later is never installed.
#[test]
fn without_a_difference_nothing_is_asked() {
    let cases: [(&str, Opened); 4] = [
        ("usual", TestWorld::opened),
        ("another OS in the order", |world| {
            let item = world.opened();
            world.bill.set_param(item, "ostempl", "ISPsystem__Ubuntu 24.04");
            world.bill.set_param(item, "recipe", "ISPsystem__Docker");
            item
        }),
        ("dual stack with a prefix", |world| {
            let tariff = Tariff::sized("dual", 1, 1024, 10_240)
                .addon(Addon::amount("ipv6", "", 1))
                .addon(Addon::amount("ipv6subnet_prefix", "", 64));
            let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
            world.opened_as(&Order::new(world.alice, tariff, world.handler).ips6(1))
        }),
        ("a tariff of a VM configuration", |world| {
            world.opened_as(&Order::new(world.alice, world.tariffs.preset, world.handler))
        }),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let item = arrange(&world);
        let (host, before) = (world.host_of(item), world.snapshot(item));
        world.succeed(item, SETPARAM);
        assert_eq!(world.asked(), NOTHING);
        assert!(world.counted().len() <= 2, "{:#?}", world.counted());
        assert_eq!(world.panel_calls(), ["service.postsetparam"]);
        assert_eq!(world.snapshot(item), before);
        assert_eq!(world.host_of(item).os, host.os);
        assert_quiet(&world, item, 1, "active");
    });
}

#[test]
fn a_smaller_disk_is_refused_before_anything_is_changed() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    order(&world, item, &[("ncpu", 8), ("mem", 8192), ("disk disc", 10_240), ("ip", 2)]);
    world.refuse(item, SETPARAM).is(Kind::DiskShrink, "disk", &["10240", "20480", &host.to_string()]);
    assert_eq!(world.asked(), NOTHING);
    assert!(!world.panel_calls().contains(&"service.changepricelist.rollback".to_owned()), "no tariff was changed");
    assert_eq!(world.sizes(host), (2, 2048, 20_480));
    order(&world, item, &[("disk disc", 20_480)]);
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(host), (8, 8192, 20_480));
}

#[test]
fn a_tariff_that_cannot_be_had_is_taken_back_in_the_clients_name() {
    let world = TestWorld::start();
    let item = world.opened();
    let (host, old) = (world.host_of(item).id, world.bill.item(item).pricelist);
    world.bill.change_tariff(item, world.tariffs.small);
    world.fail(item, SETPARAM).is(Kind::DiskShrink, "disk", &["10240", "20480"]);
    assert_eq!(world.asked(), NOTHING);
    assert_eq!(world.sizes(host), (2, 2048, 20_480));
    let row = world.bill.item(item);
    assert_eq!((row.pricelist, row.lastpricelist), (old, None));
    let calls = world.bill.calls();
    let rollback = calls.iter().find(|call| call.function == "service.changepricelist.rollback").unwrap();
    let user = world.bill.rows("SELECT MIN(id) FROM user WHERE account = ?", &[&world.alice.to_string()]);
    assert_eq!(
        (rollback.param("elid"), rollback.param("userid")),
        (Some(item.to_string().as_str()), user[0][0].as_deref())
    );
    assert!(rollback.succeeded());
}

#[test]
fn a_change_of_tariff_brings_its_sizes() {
    let world = TestWorld::start();
    let item = world.opened();
    world.bill.change_tariff(item, world.tariffs.medium);
    world.succeed(item, SETPARAM);
    let host = world.host_of(item).id;
    assert_eq!(world.sizes(host), (2, 4096, 40_960));
    let row = world.bill.item(item);
    assert_eq!((row.pricelist, row.lastpricelist), (Some(world.tariffs.medium), None));
    assert_quiet(&world, item, 2, "active");
}

#[test]
fn a_tariff_of_another_vm_configuration_brings_its_sizes() {
    let world = TestWorld::start();
    let item = world.opened_as(&Order::new(world.alice, world.tariffs.preset, world.handler));
    let host = world.host_of(item).id;
    assert_eq!(world.sizes(host), (2, 2048, 20_480));
    let preset = |name: &str| {
        let tariff = Tariff::new(name).preset(name).addon(Addon::amount("ip", "piece", 1));
        world.bill.add_tariff(&tariff.handler(world.handler))
    };
    let (bigger, tuned) = (preset("KVM-SSD-2"), preset("KVM-SSD-tuned"));
    world.bill.change_tariff(item, bigger);
    world.succeed(item, SETPARAM);
    let paths = Paths::of(&world, host);
    let sizes = paths.resource(deferred(json!({ "cpu_number": 4, "ram_mib": 8192 })));
    assert_eq!(world.asked(), [sizes, paths.disk(deferred(json!({ "size_mib": 61_440 }))), paths.restart()]);
    assert_eq!(world.sizes(host), (4, 8192, 61_440));
    assert_quiet(&world, item, 2, "active");

    world.forget();
    world.bill.change_tariff(item, tuned);
    world.fail(item, SETPARAM).is(Kind::DiskShrink, "disk", &["30720", "61440"]);
    assert_eq!(world.asked(), NOTHING);
    assert_eq!(world.bill.item(item).pricelist, Some(bigger));
}

/// Nothing of the new tariff came to the VM: it is restarted once at most, and people read VMmanager's own words.
#[test]
fn a_task_that_fails_takes_the_tariff_back() {
    let cases: [(&str, (&str, &str, &str)); 4] = [
        ("sizes of a running VM", ("active", "/vm/v3/host/*/resource", "not enough memory on node 2")),
        ("disk of a running VM", ("active", "/vm/v3/disk/*", "storage is full")),
        ("sizes of a stopped VM", ("stopped", "/vm/v3/host/*/resource", "not enough memory on node 2")),
        ("disk of a stopped VM", ("stopped", "/vm/v3/disk/*", "storage is full")),
    ];
    each(&cases, |&(state, path, text)| {
        let world = TestWorld::start();
        let item = world.opened();
        if state == "stopped" {
            world.succeed(item, "stop");
        }
        let old = world.bill.item(item).pricelist;
        let action = Action::FailTask { word: "failed", text: text.to_owned() };
        world.vmm.fault(Fault::on("POST", path).always().act(action));
        let tariff = if path.contains("disk") {
            Tariff::sized("more disk", 2, 2048, 40_960)
        } else {
            Tariff::sized("more memory", 2, 4096, 20_480)
        };
        world.bill.change_tariff(item, world.bill.add_tariff(&tariff.handler(world.handler)));
        let refusal = world.fail(item, SETPARAM);
        assert_eq!(refusal.kind, Kind::Vm6Task, "{refusal:?}");
        assert!(refusal.value.contains(text), "{refusal:?}");
        let row = world.bill.item(item);
        assert_eq!((row.pricelist, row.lastpricelist), (old, None));
        let restarts = world.mutations().iter().filter(|path| path.ends_with("/restart")).count();
        assert!(restarts <= 1, "{restarts} restarts for one upgrade\n{}", world.bill.log());
        assert_eq!(world.host_of(item).state, state);
        world.succeed(item, SETPARAM);
        assert_eq!(world.sizes(world.host_of(item).id), (2, 2048, 20_480));
    });
}

/// A restart costs the client: the next one is a person's decision.
#[test]
fn a_restart_in_vain_is_not_repeated_without_staff() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &GROWN);
    let action = Action::FailTask { word: "failed", text: "not enough memory on node 2".to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/resource").act(action));
    assert_eq!(world.fail(item, SETPARAM).kind, Kind::Vm6Task);
    assert!(world.panel_calls().contains(&"runningoperation.setmanual".to_owned()));
    assert_quiet(&world, item, 2, "active");
    world.attempt(item, SETPARAM, &[], &[]);
    assert_eq!(world.sizes(world.host_of(item).id), GROWN_SIZES);
    assert_quiet(&world, item, 3, "active");
}

#[test]
fn a_failed_change_is_not_rolled_back_without_a_change_of_tariff() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &GROWN);
    world.vmm.fault(refusal("POST", "/vm/v3/host/*/resource", "The VM is locked"));
    let refusal = world.fail(item, SETPARAM);
    assert_eq!(refusal.kind, Kind::Vm6Api);
    assert!(refusal.value.contains("The VM is locked"), "{refusal:?}");
    assert!(!world.panel_calls().contains(&"service.changepricelist.rollback".to_owned()));
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(world.host_of(item).id), GROWN_SIZES);
    assert_quiet(&world, item, 2, "active");
}

#[test]
fn an_interrupted_upgrade_is_finished_with_one_restart() {
    let points = [
        "resize.before_request",
        "resize.after_request",
        "resize.before_restart",
        "resize.after_restart",
        "resize.waited",
        "callback.before",
        "callback.after",
    ];
    let cases: Vec<(&str, (&str, bool))> =
        points.iter().flat_map(|point| [(*point, (*point, false)), (*point, (*point, true))]).collect();
    each(&cases, |&(point, stopped)| {
        let world = TestWorld::with(slow);
        let item = world.opened();
        if stopped {
            world.succeed(item, "stop");
        }
        order(&world, item, &GROWN);
        if !world.killed_at(item, SETPARAM, &[], point) {
            assert!(stopped && point.ends_with("restart"), "{point} is not on the way");
        } else if world.bill.running(item).is_empty() {
            assert_eq!(point, "callback.after", "only the last word may have been heard");
        } else {
            world.succeed(item, SETPARAM);
        }
        assert_eq!(world.sizes(world.host_of(item).id), GROWN_SIZES, "{point}");
        let (starts, state) = if stopped { (1, "stopped") } else { (2, "active") };
        assert_quiet(&world, item, starts, state);
    });
}

#[test]
fn a_lost_answer_costs_no_second_restart() {
    let paths = ["/vm/v3/host/*/resource", "/vm/v3/disk/*", "/vm/v3/host/*/restart"];
    let actions = [Action::LoseAnswer, Action::CloseBefore, Action::HalfAnswer];
    let mut cases: Vec<(&str, (&str, Action, bool))> = Vec::new();
    for path in paths {
        for action in &actions {
            cases.push((path, (path, action.clone(), false)));
            if !path.ends_with("restart") {
                cases.push((path, (path, action.clone(), true)));
            }
        }
    }
    each(&cases, |(path, action, stopped)| {
        let world = TestWorld::with(slow);
        let item = world.opened();
        if *stopped {
            world.succeed(item, "stop");
        }
        order(&world, item, &GROWN);
        world.vmm.fault(Fault::on("POST", path).act(action.clone()));
        world.succeed(item, SETPARAM);
        assert_eq!(world.sizes(world.host_of(item).id), GROWN_SIZES, "{action:?}");
        let (starts, state) = if *stopped { (1, "stopped") } else { (2, "active") };
        assert_quiet(&world, item, starts, state);
    });
}

/// What was accepted for the next stop and is no longer ordered must not come.
#[test]
fn an_upgrade_that_was_taken_back_does_not_happen_at_the_next_stop() {
    let world = TestWorld::start();
    let item = world.opened();
    let old = world.bill.item(item).pricelist.unwrap();
    world.bill.change_tariff(item, world.tariffs.medium);
    world.vmm.fault(refusal("POST", "/vm/v3/disk/*", "The storage is full"));
    world.fail(item, SETPARAM);
    assert_eq!(world.host_of(item).ram_mib_new, 4096, "it waits for a stop");
    world.drop_operations();
    world.bill.change_tariff(item, old);
    world.succeed(item, SETPARAM);
    world.succeed(item, "stop");
    assert_eq!(world.host_of(item).ram_mib, 2048, "the client pays for 2 GiB\n{}", world.bill.log());
}

#[test]
fn speeds_come_in_any_unit() {
    let cases: [(&str, (&str, i64, u64)); 5] = [
        ("kbit", ("kbit/s", 150_000, 150)),
        ("a bit more than 150", ("kbit/s", 150_001, 151)),
        ("mbit", ("mbit/s", 200, 200)),
        ("gbit", ("gbit/s", 1, 1000)),
        ("no unit is kbit", ("", 50_000, 50)),
    ];
    each(&cases, |&(unit, amount, expected)| {
        let world = TestWorld::start();
        let tariff = Tariff::sized("speeds", 1, 1024, 10_240)
            .addon(Addon::amount("inbound", unit, 0))
            .addon(Addon::amount("outbound", "mbit/s", 10));
        let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
        let item = world.opened_as(&Order::new(world.alice, tariff, world.handler));
        let host = world.host_of(item);
        assert_eq!((host.tuning.net_in_mbitps, host.tuning.net_out_mbitps), (None, Some(10)));
        order(&world, item, &[("inbound", amount)]);
        world.succeed(item, SETPARAM);
        let (paths, body) = (Paths::of(&world, host.id), json!({ "net_in_mbitps": expected }));
        assert_eq!(world.asked(), [paths.resource(body.clone()), paths.resource(deferred(body)), paths.restart()]);
        let tuning = world.host_of(item).tuning;
        assert_eq!((tuning.net_in_mbitps, tuning.net_out_mbitps), (Some(expected), Some(10)));
        assert_quiet(&world, item, 2, "active");
    });
}

#[test]
fn add_ons_nobody_knows_are_named_in_the_log() {
    let world = TestWorld::start();
    let tariff = Tariff::sized("VPS with extras", 4, 2048, 20_480)
        .addon(Addon::amount("coffee", "piece", 3))
        .addon(Addon::switch("dedicated_support", true));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.opened();
    world.bill.change_tariff(item, tariff);
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(world.host_of(item).id), (4, 2048, 20_480));
    let log = world.bill.log();
    for name in ["coffee", "dedicated_support"] {
        assert!(log.lines().any(|line| line.contains("WARNING") && line.contains(name)), "{name}: {log}");
    }
}

/// Every impossible value is named with its parameter, and not even the possible ones beside it are applied.
#[test]
fn impossible_orders_change_nothing() {
    let with = |addon: Addon| Tariff::sized("odd", 4, 4096, 30_720).addon(addon);
    let without = |name: &str, addon: Addon| {
        let mut tariff = Tariff::sized("odd", 4, 4096, 30_720);
        tariff.addons.retain(|known| known.intname != name);
        tariff.addon(addon)
    };
    let cases: [(&str, (Tariff, &str, &str)); 9] = [
        ("memory in MHz", (without("mem", Addon::amount("mem", "mhz", 4096)), "mem", "4096")),
        ("disk in pieces", (without("disk disc", Addon::amount("disk", "piece", 77)), "disk", "77")),
        ("speed in MiB", (with(Addon::amount("inbound", "mib", 55)), "inbound", "55")),
        ("less than no core", (without("ncpu", Addon::amount("ncpu", "", -3)), "ncpu", "-3")),
        ("less than no memory", (without("mem", Addon::amount("mem", "mib", -1)), "mem", "-1")),
        ("less than no address", (without("ip", Addon::amount("ip", "", -1)), "ip", "-1")),
        ("an exbibyte", (without("disk disc", Addon::amount("disk", "tib", 1 << 40)), "disk", "1099511627776")),
        ("cores without end", (without("ncpu", Addon::amount("ncpu", "", 1 << 50)), "ncpu", "1125899906842624")),
        (
            "a network longer than an address",
            (
                with(Addon::amount("ipv6", "", 1)).addon(Addon::amount("ipv6subnet_prefix", "", 129)),
                "ipv6subnet_prefix",
                "129",
            ),
        ),
    ];
    each(&cases, |(tariff, name, value)| {
        let world = TestWorld::start();
        let item = world.opened();
        let old = world.bill.item(item).pricelist;
        let tariff = world.bill.add_tariff(&tariff.clone().handler(world.handler));
        world.bill.change_tariff(item, tariff);
        world.fail(item, SETPARAM).is(Kind::BadParam, name, &[value]);
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(world.bill.item(item).pricelist, old, "the tariff change is taken back");
    });
}

#[test]
fn a_domain_that_is_no_host_name_changes_nothing() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &GROWN);
    for bad in ["not a host", "-x.example.com", "a..b", "under_score.example.com", "203.0.113.9"] {
        world.bill.set_param(item, "domain", bad);
        world.refuse(item, SETPARAM).is(Kind::BadParam, "domain", &[bad]);
        world.drop_operations();
    }
    assert_eq!(world.asked(), NOTHING);
}

/// More than VMmanager allows is its own refusal, before the disk is touched.
#[test]
fn what_vmmanager_refuses_changes_nothing() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &[("ncpu", 100_000), ("disk disc", 30_720)]);
    let refusal = world.refuse(item, SETPARAM);
    assert_eq!(refusal.kind, Kind::Vm6Api, "{refusal:?}");
    assert!(refusal.value.contains("cpu_number"), "{refusal:?}");
    assert_eq!(world.sizes(world.host_of(item).id), (2, 2048, 20_480));
    assert_quiet(&world, item, 1, "active");
}

#[test]
fn a_vm_that_vmmanager_works_on_is_left_alone() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    order(&world, item, &GROWN);
    world.alter(host, |vm| "migrating".clone_into(&mut vm.state));
    world.refuse(item, SETPARAM).is(Kind::Vm6Busy, &format!("VM {host}"), &["migrating"]);
    assert_eq!(world.asked(), NOTHING);
    world.alter(host, |vm| "active".clone_into(&mut vm.state));
    world.succeed(item, SETPARAM);
    assert_eq!(world.sizes(host), GROWN_SIZES);
}

/// The panel refuses the last word: the change stays, and the repetition only says it again.
#[test]
fn a_refused_callback_is_only_said_again() {
    let world = TestWorld::start();
    let item = world.opened();
    order(&world, item, &GROWN);
    let error = sandbox::bill::CallFault::Error { exit: 0, kind: "internal".to_owned() };
    world.bill.fail_call("service.postsetparam", error, 1);
    assert_eq!(world.fail(item, SETPARAM).kind, Kind::Mgrctl);
    world.forget();
    world.succeed(item, SETPARAM);
    assert_eq!(world.asked(), NOTHING);
    assert_quiet(&world, item, 2, "active");
}
