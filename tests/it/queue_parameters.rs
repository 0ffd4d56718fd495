//! The handler's four parameters at work: real orders through a real queue, one session for all of them.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pmvmmanager6::queue::{self, Scope};
use sandbox::vmm::{Action, Fault, Platform};

use crate::support::processes::until;
use crate::support::world::TestWorld;

fn queued(parameters: &[(&str, &str)]) -> TestWorld {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "queue_enabled", "on");
    for (name, value) in parameters {
        world.bill.set_handler(world.handler, name, value);
    }
    world
}

fn start(world: &TestWorld, item: u64, command: &str) -> Child {
    let running = world.bill.running(item).into_iter().find(|it| it.command == command);
    let operation = running.map_or_else(|| world.bill.operation(item, command), |it| it.id);
    world.begin(item, command, operation)
}

fn runtime(world: &TestWorld) -> std::path::PathBuf {
    world.bill.root().join("var/pmvmmanager6/run")
}

/// VMs that are being created now.
fn in_creation(platform: &Platform) -> usize {
    let unfinished = |status: &str| matches!(status, "created" | "deferred" | "running");
    platform.tasks.values().filter(|task| task.name == "host_create" && unfinished(&task.status)).count()
}

/// A stop that never ends, of one client, and what another has ordered.
#[test]
fn a_clients_button_does_not_keep_the_queue() {
    let world = TestWorld::with(|scene| "button=1,change=60".clone_into(&mut scene.limits));
    let (pressed, other) = (world.opened(), world.opened());
    world.bill.set_handler(world.handler, "queue_enabled", "on");
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").act(Action::NeverEndTask));
    let operation = world.bill.operation(pressed, "stop");
    let mut button = world.begin(pressed, "stop", operation);
    let runs =
        |item: u64| queue::list(&runtime(&world)).unwrap().into_iter().any(|e| e.label.item == Some(item.into()));
    until("the button is pressed", || (!world.changes().is_empty()).then_some(()));
    world.succeed(other, "suspend");
    assert!(button.try_wait().unwrap().is_none(), "it still waits for its VM");
    assert!(runs(pressed), "and nobody else may work on its service");
    button.kill().unwrap();
    button.wait().unwrap();
}

#[test]
fn forty_orders_with_two_queues() {
    let world = queued(&[("queue_count", "2")]);
    let items: Vec<u64> = (0..40).map(|_| world.ordered()).collect();
    let done = AtomicBool::new(false);
    let (most, over) = std::thread::scope(|scope| {
        let watch = |more: usize| {
            let (world, done) = (&world, &done);
            move || {
                let reached = |platform: &Platform| in_creation(platform) >= more;
                while !done.load(Ordering::SeqCst) {
                    if world.vmm.wait_until(Duration::from_millis(100), reached) {
                        return true;
                    }
                }
                false
            }
        };
        let (two, three) = (scope.spawn(watch(2)), scope.spawn(watch(3)));
        world.all_succeed(items.iter().map(|item| start(&world, *item, "open")).collect());
        done.store(true, Ordering::SeqCst);
        (two.join().unwrap(), three.join().unwrap())
    });
    assert!(most && !over, "two at a time: {most}, three: {over}");
    assert_eq!(world.vmm.logins(), 1);
    assert!(items.iter().all(|item| world.bill.item(*item).status == 2 && world.hosts_of(*item).len() == 1));
    assert!(queue::list(&runtime(&world)).unwrap().is_empty());
}

#[test]
fn the_key_says_what_waits_for_what() {
    let world = queued(&[("queue_key", "__TYPE__")]);
    let (one, two, three) = (world.opened(), world.opened(), world.opened());
    let runtime = runtime(&world);
    assert!(queue::pause(&runtime, &Scope::Key("suspend".to_owned())).unwrap());
    let waiting = vec![start(&world, one, "suspend"), start(&world, two, "suspend")];
    until("two waiting operations", || {
        Some(()).filter(|()| queue::list(&runtime).unwrap().iter().filter(|entry| entry.key == "suspend").count() == 2)
    });
    // Another type has another queue.
    world.all_succeed(vec![start(&world, three, "stop")]);
    assert_eq!(world.bill.item(one).status, 2);
    assert!(queue::resume(&runtime, &Scope::Key("suspend".to_owned())).unwrap());
    world.all_succeed(waiting);
    assert_eq!((world.bill.item(one).status, world.bill.item(two).status), (3, 3));
    assert!(world.bill.log().contains("waiting in queue suspend"), "{}", world.bill.log());
}

/// Impossible values, put into the database by hand, are replaced by the defaults with a warning.
#[test]
fn wrong_parameters_never_hold_up_an_operation() {
    let world = queued(&[("queue_count", "many"), ("queue_key", "__WHAT__"), ("session_ttl", "-5")]);
    world.opened();
    let log = world.bill.log();
    for name in ["queue_count", "queue_key", "session_ttl"] {
        assert!(log.lines().any(|line| line.contains("WARNING") && line.contains(name)), "{name}: {log}");
    }
}

/// The sessions end at VMmanager: a crowd of processes meets it, and one logs in again.
#[test]
fn an_expired_session_costs_one_login() {
    let world = queued(&[]);
    let item = world.opened();
    let before = world.vmm.logins();
    world.vmm.expire_sessions();
    world.all_succeed((0..20).map(|_| start(&world, item, "transition_controlpanel")).collect());
    assert_eq!(world.vmm.logins() - before, 1);
}

/// Without the parameter every run logs in for itself, and nothing is kept.
#[test]
fn a_storage_period_of_zero_keeps_nothing() {
    let world = queued(&[("session_ttl", "0")]);
    let item = world.opened();
    let before = world.vmm.logins();
    world.succeed(item, "suspend");
    world.succeed(item, "resume");
    assert_eq!(world.vmm.logins() - before, 2);
    assert_eq!(pmvmmanager6::vmm::session::list(&runtime(&world)).unwrap(), []);
}
