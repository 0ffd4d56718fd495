//! The power buttons: what is done already is success, a restart is asked for once however often the operation is
//! tried, force is the last means, and a suspended service stays stopped.

use std::time::Duration;

use pmvmmanager6::error::Kind;
use sandbox::bill::CallFault;
use sandbox::vmm::{Action, Fault, History, Request, Rewrite};
use serde_json::json;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::service::{ACTIVE, NOTHING, SUSPENDED, post, refusal, slow};
use crate::support::world::TestWorld;

const BUTTONS: [&str; 4] = ["start", "stop", "reboot", "hardreboot"];

/// A service whose VM is in a state.
fn in_state(world: &TestWorld, state: &str) -> (u64, u64) {
    let item = world.opened();
    let host = world.host_of(item).id;
    world.alter(host, |vm| state.clone_into(&mut vm.state));
    (item, host)
}

/// State and number of starts of the VM.
fn power(world: &TestWorld, host: u64) -> (String, u64) {
    world.vmm.look(|platform| (platform.hosts[&host].state.clone(), platform.hosts[&host].starts))
}

#[test]
fn each_button_does_its_one_thing() {
    let force = || json!({ "force": true });
    let cases = [
        ("start", ("start", "stopped", Some(("start", json!({}))), "active", 2)),
        ("start a running VM", ("start", "active", None, "active", 1)),
        ("stop", ("stop", "active", Some(("stop", json!({}))), "stopped", 1)),
        ("stop a stopped VM", ("stop", "stopped", None, "stopped", 1)),
        ("reboot", ("reboot", "active", Some(("restart", json!({}))), "active", 2)),
        ("reboot a stopped VM", ("reboot", "stopped", Some(("start", json!({}))), "active", 2)),
        ("hardreboot", ("hardreboot", "active", Some(("restart", force())), "active", 2)),
        ("hardreboot a stopped VM", ("hardreboot", "stopped", Some(("start", json!({}))), "active", 2)),
    ];
    each(&cases, |(command, before, asked, after, starts)| {
        let world = TestWorld::start();
        let (item, host) = in_state(&world, before);
        world.succeed(item, command);
        let asked = asked.iter().map(|(button, body)| post(format!("host/{host}/{button}"), body.clone()));
        assert_eq!(world.asked(), asked.collect::<Vec<_>>());
        assert_eq!(power(&world, host), ((*after).to_owned(), *starts));
        assert_eq!(world.panel_calls(), [format!("service.post{command}")]);
        assert_eq!(world.bill.item(item).status, ACTIVE, "the power of a VM is not the state of its service");
        assert_eq!(world.vmm.look(|platform| platform.hosts[&host].installs), 1);
        if ["start", "stop"].contains(command) {
            world.forget();
            world.succeed(item, command);
            assert_eq!(world.asked(), NOTHING, "again");
        }
    });
}

#[test]
fn starting_and_stopping_stay_in_the_budget() {
    let world = TestWorld::start();
    let item = world.opened();
    for command in ["stop", "stop", "start", "start"] {
        world.forget();
        world.succeed(item, command);
        assert!(world.counted().len() <= 3, "{command}: {:#?}", world.counted());
    }
}

/// A gentle stop that fails, is refused or does not end is followed by a forced one, and by nothing else.
#[test]
fn force_is_the_last_means_of_a_stop() {
    let failed = Action::FailTask { word: "failed", text: "the guest does not react".to_owned() };
    let cases = [
        ("failed", Fault::on("POST", "/vm/v3/host/*/stop").act(failed)),
        ("refused", refusal("POST", "/vm/v3/host/*/stop", "the guest agent is away")),
    ];
    each(&cases, |fault| {
        let world = TestWorld::start();
        let (item, host) = in_state(&world, "active");
        world.vmm.fault(fault.clone());
        world.succeed(item, "stop");
        let path = format!("host/{host}/stop");
        assert_eq!(world.asked(), [post(&path, json!({})), post(&path, json!({ "force": true }))]);
        assert_eq!(power(&world, host).0, "stopped");
        assert!(world.bill.log().contains("stopped by force"));
    });
}

/// The simulated VMmanager does not let the forced stop overtake the stuck one: the operation ends as a timeout.
#[test]
fn a_stop_that_never_ends_is_forced_in_its_time_and_reported() {
    let world = TestWorld::with(|scene| "change=2".clone_into(&mut scene.limits));
    let (item, host) = in_state(&world, "active");
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").act(Action::NeverEndTask));
    let refused = world.fail(item, "stop");
    assert_eq!(refused.kind, Kind::Vm6Timeout, "{refused:?}");
    let path = format!("host/{host}/stop");
    assert_eq!(world.asked(), [post(&path, json!({})), post(&path, json!({ "force": true }))]);
    let times: Vec<_> = world.changes().iter().map(|request: &Request| request.at).collect();
    assert!(times[1] - times[0] >= Duration::from_secs(1), "half of the time belongs to the gentle stop");
    assert_eq!(world.bill.item(item).status, ACTIVE);
}

/// VMmanager stumbles while a slow gentle stop is waited for.
#[test]
fn a_look_that_fails_is_no_reason_for_force() {
    let broken = || Action::Error { status: 500, code: 3, msg: "database is locked".to_owned() };
    let cases = [
        ("looks at the task", vec![Fault::on("GET", "/vm/v3/task").times(6).act(broken())]),
        (
            "looks at the VM, without a task",
            vec![
                Fault::on("POST", "/vm/v3/host/*/stop").act(Action::VanishTask),
                Fault::on("GET", "/vm/v3/host").nth(2).times(6).act(broken()),
            ],
        ),
        (
            "the connection",
            vec![
                Fault::on("POST", "/vm/v3/host/*/stop").act(Action::VanishTask),
                Fault::on("GET", "/vm/v3/host").nth(2).times(6).act(Action::CloseBefore),
            ],
        ),
    ];
    each(&cases, |faults| {
        let world = TestWorld::with(|scene| "change=60".clone_into(&mut scene.limits));
        let (item, host) = in_state(&world, "active");
        for fault in faults {
            world.vmm.fault(fault.clone());
        }
        world.succeed(item, "stop");
        assert_eq!(world.asked(), [post(format!("host/{host}/stop"), json!({}))], "{}", world.bill.log());
    });
}

/// The task of a gentle stop is over when the guest has been told, and the guest takes its time; also while a look is refused.
#[test]
fn a_guest_that_takes_its_time_to_stop_is_not_cut_off() {
    let refused = Action::Error { status: 400, code: 3006, msg: "the list is being made".to_owned() };
    let cases = [("all looks", None), ("a refused look", Some(Fault::on("GET", "/vm/v3/host").nth(3).act(refused)))];
    each(&cases, |fault| {
        let world = TestWorld::with(|scene| "change=60".clone_into(&mut scene.limits));
        let (item, host) = in_state(&world, "active");
        let told = Action::FailInState { word: "complete", text: String::new(), state: "active".to_owned() };
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").act(told));
        if let Some(fault) = fault {
            world.vmm.fault(fault.clone());
        }
        // Several looks later than an accepted request takes to show.
        world.vmm.before("GET", "/vm/v3/host", 8, move |platform| {
            "stopped".clone_into(&mut platform.hosts.get_mut(&host).unwrap().state);
        });
        let run = world.perform(item, "stop");
        assert!(run.done || fault.is_some(), "{run:#?}");
        assert_eq!(world.asked(), [post(format!("host/{host}/stop"), json!({}))], "{}", world.bill.log());
    });
}

#[test]
fn a_vmmanager_that_is_away_is_no_reason_for_force() {
    let world = TestWorld::with(|scene| "change=4,asleep=1".clone_into(&mut scene.limits));
    let (item, host) = in_state(&world, "active");
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").always());
    assert_eq!(world.fail(item, "stop").kind, Kind::Vm6Connect);
    assert!(
        world.asked().iter().all(|asked| *asked == post(format!("host/{host}/stop"), json!({}))),
        "{:?}",
        world.asked()
    );
    world.vmm.clear_faults();
    world.succeed(item, "stop");
}

const RESTARTS: [&str; 2] = ["reboot", "hardreboot"];

/// The journal, not the memory of one try, knows what was asked for; the history says what came of it.
#[test]
fn a_restart_is_recognised_in_every_kind_of_history() {
    let shapes = [History::Short, History::WithoutIds];
    let cases: Vec<_> = RESTARTS.iter().flat_map(|button| shapes.map(|shape| (*button, (*button, shape)))).collect();
    each(&cases, |&(button, shape)| {
        let world = TestWorld::with(slow);
        world.vmm.change(|platform| platform.variant.history = shape);
        let (item, host) = in_state(&world, "active");
        for starts in 2..4 {
            assert!(world.killed_at(item, button, &[], "power.after_request"));
            world.succeed(item, button);
            assert_eq!(power(&world, host), ("active".to_owned(), starts), "{shape:?}\n{}", world.bill.log());
        }
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/restart").act(Action::LoseAnswer));
        world.succeed(item, button);
        assert_eq!(power(&world, host), ("active".to_owned(), 4), "{shape:?}\n{}", world.bill.log());
        // One that never arrived is asked for by the next try.
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/restart").act(Action::CloseBefore));
        assert!(!world.perform(item, button).done);
        world.succeed(item, button);
        assert_eq!(power(&world, host), ("active".to_owned(), 5), "{shape:?}\n{}", world.bill.log());
    });
}

#[test]
fn a_history_that_fails_for_a_moment_is_not_the_lack_of_one() {
    let broken = |path: &str| {
        let action = Action::Error { status: 500, code: 3, msg: "database is locked".to_owned() };
        Fault::on("GET", path).times(5).act(action)
    };
    each(&RESTARTS.map(|button| (button, button)), |button| {
        let world = TestWorld::with(|scene| "appear=8".clone_into(&mut scene.limits));
        let (item, host) = in_state(&world, "active");
        let history = format!("/vm/v3/host/{host}/history");
        world.vmm.fault(broken(&history));
        assert!(world.killed_at(item, button, &[], "power.after_request"));
        world.vmm.fault(broken(&history));
        world.succeed(item, button);
        assert_eq!(power(&world, host), ("active".to_owned(), 2), "{}", world.bill.log());
    });
}

/// The answer names no task, and a look at the history brings nothing that can be understood.
#[test]
fn a_restart_whose_task_is_not_named_is_waited_for() {
    each(&RESTARTS.map(|button| (button, button)), |button| {
        let world = TestWorld::with(slow);
        let (item, host) = in_state(&world, "active");
        let nameless = Rewrite::new(|status, honest| (status, json!({ "id": honest["id"] }).to_string().into_bytes()));
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/restart").act(Action::Rewrite(nameless)));
        let senseless = Action::Status { code: 200, body: "{}".to_owned() };
        world.vmm.fault(Fault::on("GET", &format!("/vm/v3/host/{host}/history")).nth(2).act(senseless));
        world.succeed(item, button);
        assert_eq!(power(&world, host), ("active".to_owned(), 2), "{}", world.bill.log());
    });
}

#[test]
fn a_history_that_always_fails_is_done_without() {
    let world = TestWorld::start();
    let (item, host) = in_state(&world, "active");
    let action = Action::Error { status: 500, code: 3, msg: "no such column".to_owned() };
    world.vmm.fault(Fault::on("GET", &format!("/vm/v3/host/{host}/history")).always().act(action));
    world.succeed(item, "reboot");
    assert_eq!(power(&world, host), ("active".to_owned(), 2), "{}", world.bill.log());
    for (addon, value) in [("ncpu", 4), ("mem", 4096)] {
        world.bill.set_addon(item, addon, value);
    }
    world.succeed(item, "setparam");
    assert_eq!(world.sizes(host).0, 4);
}

#[test]
fn a_vm_that_cannot_be_started_is_reported_in_vmmanagers_words() {
    let text = "no node with enough memory";
    let cases = [
        ("start", ("start", "stopped", "/vm/v3/host/*/start")),
        ("reboot", ("reboot", "active", "/vm/v3/host/*/restart")),
        ("hardreboot", ("hardreboot", "active", "/vm/v3/host/*/restart")),
    ];
    each(&cases, |&(command, state, path)| {
        let world = TestWorld::start();
        let (item, host) = in_state(&world, state);
        world.vmm.fault(Fault::on("POST", path).act(Action::FailTask { word: "fail", text: text.to_owned() }));
        let refused = world.fail(item, command);
        assert_eq!(refused.kind, Kind::Vm6Task);
        assert!(refused.value.contains(text), "{refused:?}");
        assert_eq!(power(&world, host).0, "stopped");
        world.succeed(item, command);
        assert_eq!(power(&world, host), ("active".to_owned(), 2), "the next try starts it");
    });
}

#[test]
fn an_interrupted_button_is_pressed_once() {
    let points = ["power.before_request", "power.after_request", "power.waited", "callback.before", "callback.after"];
    let cases: Vec<(&str, (&str, &str))> =
        BUTTONS.iter().flat_map(|button| points.map(|point| (*button, (*button, point)))).collect();
    each(&cases, |&(button, point)| {
        let world = TestWorld::with(slow);
        let (item, host) = in_state(&world, if button == "start" { "stopped" } else { "active" });
        assert!(world.killed_at(item, button, &[], point), "{button} {point}");
        if !world.bill.running(item).is_empty() {
            world.succeed(item, button);
        }
        let expected = if button == "stop" { ("stopped", 1) } else { ("active", 2) };
        assert_eq!(power(&world, host), (expected.0.to_owned(), expected.1), "{button} {point}\n{}", world.bill.log());
        if button.ends_with("reboot") {
            assert_eq!(world.mutations().len(), 1, "{point}: {:?}", world.asked());
            world.succeed(item, button);
            assert_eq!(power(&world, host), ("active".to_owned(), 3), "another click is another restart");
        }
    });
}

#[test]
fn a_button_whose_answer_is_lost_is_pressed_once() {
    let actions = [Action::LoseAnswer, Action::HalfAnswer, Action::Garbage, Action::CloseBefore];
    let cases: Vec<(&str, (&str, Action))> =
        BUTTONS.iter().flat_map(|button| actions.iter().map(|action| (*button, (*button, action.clone())))).collect();
    each(&cases, |(button, action)| {
        let world = TestWorld::with(|scene| {
            slow(scene);
            "change=3".clone_into(&mut scene.limits);
        });
        let (item, host) = in_state(&world, if *button == "start" { "stopped" } else { "active" });
        for name in ["start", "stop", "restart"] {
            world.vmm.fault(Fault::on("POST", &format!("/vm/v3/host/*/{name}")).act(action.clone()));
        }
        let run = world.perform(item, button);
        let arrived = !matches!(action, Action::CloseBefore);
        // A stop that never arrived is followed by the forced one; the others are asked for by the next try.
        assert_eq!(run.done, arrived || *button == "stop", "{action:?}: {run:#?}\n{}", world.bill.log());
        if !run.done {
            world.vmm.clear_faults();
            world.succeed(item, button);
        }
        let expected = if *button == "stop" { ("stopped", 1) } else { ("active", 2) };
        assert_eq!(power(&world, host), (expected.0.to_owned(), expected.1), "{action:?}\n{}", world.bill.log());
    });
}

/// The client may not switch on what is not paid for; switching it off is no harm.
#[test]
fn a_suspended_service_cannot_be_started() {
    let world = TestWorld::start();
    let item = world.opened();
    world.succeed(item, "suspend");
    world.forget();
    for button in ["start", "reboot", "hardreboot"] {
        world.refuse(item, button).is(Kind::BadParam, "status", &["suspended", &item.to_string()]);
        world.drop_operations();
    }
    assert_eq!(world.asked(), NOTHING);
    world.succeed(item, "stop");
    assert_eq!(world.asked(), NOTHING);
    assert_eq!((world.host_of(item).state.as_str(), world.bill.item(item).status), ("stopped", SUSPENDED));
    let host = world.host_of(item).id;
    world.alter(host, |vm| "active".clone_into(&mut vm.state));
    world.succeed(item, "stop");
    assert_eq!((world.host_of(item).state.as_str(), world.bill.item(item).status), ("stopped", SUSPENDED));
}

#[test]
fn a_refused_callback_is_said_again_without_another_restart() {
    each(&BUTTONS.map(|button| (button, button)), |button| {
        let world = TestWorld::start();
        let (item, host) = in_state(&world, if *button == "start" { "stopped" } else { "active" });
        let error = CallFault::Error { exit: 1, kind: "internal".to_owned() };
        world.bill.fail_call(&format!("service.post{button}"), error, 1);
        assert_eq!(world.fail(item, button).kind, Kind::Mgrctl);
        let before = power(&world, host);
        world.forget();
        world.succeed(item, button);
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(power(&world, host), before);
    });
}

#[test]
fn a_vm_that_is_gone_cannot_be_switched() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(host));
    for button in BUTTONS {
        let refused = Refusal::of(&world.perform(item, button));
        refused.is(Kind::Vm6NotFound, &format!("service {item}"), &[&host.to_string()]);
        world.drop_operations();
    }
    assert_eq!(world.asked(), NOTHING);
}
