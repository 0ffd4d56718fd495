//! An opening that fails for good at one handler goes on at BILLmanager's next one, and never while a VM may exist
//! [protocol 3.5, A12].

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire;
use sandbox::bill::{CallFault, Handler, Order, Tariff, VENDOR_MODULE};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::sites::two;
use crate::support::world::TestWorld;

/// Two platforms with a handler each; the order begins at the first one.
fn ordered() -> (TestWorld, u64) {
    let world = TestWorld::with(two);
    let tariff = Tariff::sized("VPS", 1, 1024, 10_240).handler(world.handler_on(0)).handler(world.handler_on(1));
    let order = Order::new(world.alice, world.bill.add_tariff(&tariff), world.handler_on(0));
    let item = world.bill.order(&order);
    (world, item)
}

fn handler_of(world: &TestWorld, item: u64) -> Option<u64> {
    world.bill.item(item).processingmodule
}

fn asked_for_next(world: &TestWorld) -> usize {
    world.bill.calls().iter().filter(|call| call.function == "service.getnextmodule").count()
}

/// No node of the first VMmanager takes VMs.
fn fill(world: &TestWorld) {
    world.site(0).change(|platform| platform.nodes.values_mut().for_each(|node| node.maintenance_mode = true));
}

/// What cannot be cured by another try.
type Spoil = fn(&TestWorld);
const SPOILT: [(&str, (Spoil, &str)); 3] = [
    ("the cluster is gone", (|world| world.bill.set_handler(world.handler_on(0), "cluster", "77"), "no cluster")),
    ("no room", (fill, "not enough free resources")),
    (
        "the OS is not on this cluster",
        (
            |world| world.site(0).change(|platform| platform.os.values_mut().for_each(|os| os.clusters = vec![2])),
            "not attached",
        ),
    ),
];

#[test]
fn the_next_handler_makes_what_the_first_one_cannot() {
    each(&SPOILT, |&(spoil, why)| {
        let (world, item) = ordered();
        // The id of the VM that fails is somebody else's on the other VMmanager.
        let stranger =
            world.site(1).change(|platform| platform.add_account("m@example.com", "Pass-of-m-12345", "@user"));
        let by_hand = world.make_by_hand_on(1, "of-m", stranger);
        spoil(&world);
        world.succeed(item, "open");
        assert_eq!(handler_of(&world, item), Some(world.handler_on(1)));
        let placed = world.placed(item);
        assert_eq!(placed.len(), 1, "{placed:?}");
        assert_eq!((placed[0].0, placed[0].1.state.as_str()), (1, "active"));
        assert_ne!(placed[0].1.id, by_hand);
        assert!(world.site(0).look(|platform| platform.hosts.is_empty()), "nothing is left behind");
        assert_eq!(asked_for_next(&world), 1);
        let problems = world.bill.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let left = world.handler_on(0).to_string();
        assert_eq!((problems[0].name.as_str(), &problems[0].id), ("processingmodule_getnextmodule", &left));
        assert!(problems[0].params["errormsg"].contains(why), "{problems:?}");
        assert_eq!(problems[0].params["iid"], item.to_string());
        for command in ["suspend", "resume", "close"] {
            world.succeed(item, command);
        }
    });
}

/// With the queue switched on, each handler's own.
#[test]
fn the_next_handlers_queue_is_taken() {
    let (world, item) = ordered();
    for site in [0, 1] {
        world.bill.set_handler(world.handler_on(site), "queue_enabled", "on");
    }
    fill(&world);
    world.succeed(item, "open");
    let log = world.bill.log();
    for site in [0, 1] {
        let queue = format!("runs in queue {}-1", world.handler_on(site));
        assert!(log.contains(&queue), "{queue}\n{log}");
    }
}

#[test]
fn a_creation_that_fails_with_room_left_is_tried_once_more_first() {
    let (world, item) = ordered();
    let action = Action::FailTask { word: "failed", text: "libvirt: domain is locked".to_owned() };
    world.site(0).fault(Fault::on("POST", "/vm/v3/host").always().act(action));
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::Vm6Task, "{refusal:?}");
    assert_eq!((handler_of(&world, item), asked_for_next(&world)), (Some(world.handler_on(0)), 0));
    world.succeed(item, "open");
    assert_eq!(handler_of(&world, item), Some(world.handler_on(1)));
    assert_eq!(world.placed(item).len(), 1);
}

#[test]
fn a_service_whose_vm_may_exist_stays() {
    let lost = |action| vec![Fault::on("POST", "/vm/v3/host").act(action)];
    let cases = [
        ("the request is lost", lost(Action::CloseBefore)),
        ("it is not known", lost(Action::Error { status: 500, code: 3, msg: "internal".to_owned() })),
        ("the task never ends", lost(Action::NeverEndTask)),
        (
            "the remains cannot be removed",
            vec![
                Fault::on("POST", "/vm/v3/host").act(Action::FailTask { word: "failed", text: "no space".to_owned() }),
                Fault::on("DELETE", "/vm/v3/host/*").act(Action::Error {
                    status: 400,
                    code: 5000,
                    msg: "VM is locked".to_owned(),
                }),
            ],
        ),
        ("VMmanager is away", vec![Fault::on("*", "/vm/v3/*").always().act(Action::CloseBefore)]),
    ];
    each(&cases, |faults| {
        let (world, item) = ordered();
        world.bill.exec("UPDATE runningoperation SET trycount = 3", &[]);
        for fault in faults {
            world.site(0).fault(fault.clone());
        }
        let run = world.attempt(item, "open", &[], &[("PMVMMANAGER6_LIMITS", "create=2,change=2,appear=1,unlisted=1")]);
        assert_eq!(run.status, Some(1), "{faults:?}: {run:?}");
        assert_eq!((handler_of(&world, item), asked_for_next(&world)), (Some(world.handler_on(0)), 0));
    });
}

#[test]
fn an_order_that_no_handler_can_make_ends_with_the_error_of_each() {
    let (world, item) = ordered();
    for site in [0, 1] {
        world.bill.set_handler(world.handler_on(site), "cluster", "77");
    }
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::ClusterNotFound);
    let errorxml = world.bill.running(item)[0].errorxml.clone().unwrap();
    let document = wire::parse(errorxml.as_bytes()).unwrap();
    let modules = document.all("processingmodule").map(|module| module.get("id").unwrap_or_default().to_owned());
    let handlers = [world.handler_on(0), world.handler_on(1)].map(|id| id.to_string());
    assert_eq!(modules.collect::<Vec<_>>(), handlers);
    for module in document.all("processingmodule") {
        let error = module.find("error").unwrap();
        assert_eq!(error.get("type"), Some("cluster_not_found"));
        assert!(module.value("custommessage").contains("no cluster"), "{module:?}");
    }
    // The last handler stays, and a later try finds it cured.
    world.bill.set_handler(world.handler_on(1), "cluster", "1");
    world.succeed(item, "open");
}

#[test]
fn a_lost_answer_moves_the_service_once() {
    for fault in [CallFault::LoseAnswer, CallFault::Die, CallFault::Garbage] {
        let (world, item) = ordered();
        let third = world.bill.add_handler(&Handler::new(&world.vmm.url(), "admin@example.net", "x", "1"));
        world.bill.exec(
            "INSERT INTO processingmodule2pricelist (processingmodule, pricelist) SELECT ?, pricelist FROM item WHERE id = ?",
            &[&third.to_string(), &item.to_string()],
        );
        fill(&world);
        world.bill.fail_call("service.getnextmodule", fault, 1);
        world.succeed(item, "open");
        assert_eq!(handler_of(&world, item), Some(world.handler_on(1)));
    }
}

/// BILLmanager may choose a handler of another module: it goes on there by itself.
#[test]
fn another_modules_handler_is_not_ours_to_work_with() {
    let (world, item) = ordered();
    let foreign = Handler { module: VENDOR_MODULE.into(), ..Handler::new(&world.vmm.url(), "a@b.c", "x", "1") };
    let foreign = world.bill.add_handler(&foreign);
    world.bill.exec(
        "INSERT INTO processingmodule2pricelist (processingmodule, pricelist) SELECT ?, pricelist FROM item WHERE id = ?",
        &[&foreign.to_string(), &item.to_string()],
    );
    world.bill.exec("UPDATE processingmodule SET orderpriority = 9 WHERE id = ?", &[&world.handler_on(1).to_string()]);
    fill(&world);
    let run = world.perform(item, "open");
    Refusal::of(&run).is(Kind::UnsupportedModule, VENDOR_MODULE, &[&item.to_string()]);
    assert_eq!(handler_of(&world, item), Some(foreign));
    assert_eq!(world.placed(item).len(), 0);
}

#[test]
fn a_plan_moves_nothing() {
    let (world, item) = ordered();
    world.bill.set_handler(world.handler_on(0), "cluster", "77");
    let run = world.bill.run(&["plan", "--item", &item.to_string(), "--command", "open"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stdout.contains("cluster_not_found"), "{}", run.stdout);
    assert_eq!((handler_of(&world, item), asked_for_next(&world)), (Some(world.handler_on(0)), 0));
}

/// Wherever a run dies, later ones end in one VM, and nothing is left at the handler that could not make it.
#[test]
fn a_run_that_dies_on_the_way_to_the_next_handler() {
    let points = [
        "account.recorded",
        "create.after_intent",
        "create.after_request",
        "create.recorded",
        "delete.after_intent",
        "delete.after_request",
        "delete.waited",
        "open.params_saved",
        "callback.before",
    ];
    each(&points.map(|point| (point, point)), |point| {
        let (world, item) = ordered();
        fill(&world);
        assert!(world.killed_at(item, "open", &[], point), "{point}");
        for run in world.bill.perform_until_done(item, "open", 4) {
            world.remember(run);
        }
        assert_eq!(world.bill.item(item).status, 2, "{point}\n{}", world.bill.log());
        let placed: Vec<usize> = world.placed(item).into_iter().map(|(site, _)| site).collect();
        assert_eq!(placed, [1], "{point}\n{}", world.bill.log());
        assert!(world.site(0).look(|platform| platform.hosts.is_empty()), "{point}");
    });
}
