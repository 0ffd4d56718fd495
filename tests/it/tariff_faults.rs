//! A change of tariff in which a request goes wrong: each request of `setparam`, in each way in which a request can go wrong.
//! In the end the tariff of BILLmanager and the VM agree, whichever of the two tariffs it is; nothing waits for the next stop
//! of the VM, it runs, and it was not restarted more often than that took.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Run, Tariff};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::service::refusal;
use crate::support::world::TestWorld;

const SETPARAM: &str = "setparam";
const ROLLBACK: &str = "service.changepricelist.rollback";
const OLD: (u64, u64, u64) = (2, 2048, 20_480);
const NEW: (u64, u64, u64) = (4, 4096, 30_720);
/// As often as BILLmanager may have to try again.
const TRIES: usize = 4;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Refused,
    LostAnswer,
    LostRequest,
    Error500,
    Asleep,
    Timeout,
    /// The task of the request fails.
    FailedTask,
    /// The module is killed while VMmanager works on the request.
    Kill,
}

impl Trouble {
    const ALL: [Self; 8] = [
        Self::Refused,
        Self::LostAnswer,
        Self::LostRequest,
        Self::Error500,
        Self::Asleep,
        Self::Timeout,
        Self::FailedTask,
        Self::Kill,
    ];

    fn action(self) -> Option<Action> {
        let msg = || "the node is gone".to_owned();
        Some(match self {
            Self::Refused => Action::Error { status: 400, code: 3006, msg: msg() },
            Self::LostAnswer => Action::LoseAnswer,
            Self::LostRequest => Action::CloseBefore,
            Self::Error500 => Action::ErrorAfterWork { status: 500, code: 500, msg: msg() },
            Self::Asleep => Action::Refuse503 { retry_after: None },
            Self::Timeout => Action::Delay(Duration::from_millis(1500)),
            Self::FailedTask => Action::FailTask { word: "failed", text: msg() },
            Self::Kill => return None,
        })
    }
}

/// One request of the change: the n-th of its method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    method: String,
    path: String,
    n: usize,
}

/// A service whose tariff is about to become bigger: more of everything, a further address, and IPv6.
fn changing(hot: bool) -> (TestWorld, u64, u64) {
    let world = TestWorld::with(|scene| "answer=1".clone_into(&mut scene.limits));
    let item = world.opened();
    world.alter(world.host_of(item).id, |vm| (vm.hot_plug, vm.live_resize) = (hot, hot));
    let mut tariff = Tariff::sized("bigger", 4, 4096, 30_720).addon(Addon::amount("ipv6", "", 1));
    tariff.addons.retain(|addon| addon.intname != "ip");
    let tariff = tariff.addon(Addon::amount("ip", "", 2));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    world.bill.change_tariff(item, tariff);
    world.forget();
    (world, item, tariff)
}

/// The requests of an undisturbed change; what is asked again and again is named once.
fn requests(hot: bool) -> Vec<At> {
    let (world, item, _) = changing(hot);
    world.succeed(item, SETPARAM);
    let asked: Vec<(String, String)> = world.vmm.requests().into_iter().map(|r| (r.method, r.path)).collect();
    let at = |(at, (method, path)): (usize, &(String, String))| {
        let n = asked[..=at].iter().filter(|other| **other == (method.clone(), path.clone())).count();
        let repeated = at > 0 && asked[at - 1] == (method.clone(), path.clone());
        (!repeated).then(|| At { method: method.clone(), path: path.clone(), n })
    };
    asked.iter().enumerate().filter_map(at).collect()
}

/// The first try, in which the request goes wrong.
fn disturbed(world: &TestWorld, item: u64, at: &At, trouble: Trouble) {
    if let Some(action) = trouble.action() {
        world.vmm.fault(Fault::on(&at.method, &at.path).nth(at.n).act(action));
        world.perform(item, SETPARAM);
        world.vmm.clear_faults();
        return;
    }
    let victim = Arc::new(AtomicU32::new(0));
    let pid = Arc::clone(&victim);
    world.vmm.before(&at.method, &at.path, at.n, move |_| {
        while pid.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        Command::new("kill").args(["-9", &pid.load(Ordering::SeqCst).to_string()]).status().unwrap();
    });
    let (operation, started) = (world.bill.operation(item, SETPARAM), Instant::now());
    let child = world.begin(item, SETPARAM, operation);
    victim.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    world.bill.settle(operation, Run::new(&output, started.elapsed()));
}

#[track_caller]
fn assert_agreed(world: &TestWorld, item: u64, tariff: u64, at: &At, trouble: Trouble, hot: bool) {
    let said = || format!("{trouble:?} at {at:?}, hot {hot}: {:?}\n{}", world.mutations(), world.bill.log());
    let (row, vm) = (world.bill.item(item), world.host_of(item));
    assert_eq!(row.lastpricelist, None, "{}", said());
    let is_new = row.pricelist == Some(tariff);
    let taken_back = world.panel_calls().iter().filter(|call| *call == ROLLBACK).count();
    assert_eq!(taken_back, usize::from(!is_new), "{}", said());
    let (sizes, v4, v6) = if is_new { (NEW, 2, 1) } else { (OLD, 1, 0) };
    let has = [4, 6].map(|version| world.addresses(vm.id, version).len());
    assert_eq!((world.sizes(vm.id), has), (sizes, [v4, v6]), "{}", said());
    assert_eq!((vm.state.as_str(), vm.installs), ("active", 1), "{}", said());
    let is = |part: &str| at.method == "POST" && at.path.contains(part);
    let failed = trouble == Trouble::FailedTask && (is("/resource") || is("/disk"));
    let unhot = hot && (is("/resource") || is("/disk")) && [Trouble::Refused, Trouble::FailedTask].contains(&trouble);
    let restarts = match (is_new, hot) {
        (true, true) => u64::from(unhot),
        // What fails at the restart is asked for again.
        (true, false) => 1 + u64::from(failed),
        (false, _) => u64::from(failed),
    };
    assert_eq!(vm.starts, 1 + restarts, "{}", said());
    world.succeed(item, "stop");
    assert_eq!(world.sizes(vm.id), sizes, "something waited for the stop: {}", said());
}

#[test]
fn tariff_and_vm_agree_whatever_goes_wrong_with_a_request() {
    let mut cases: Vec<(String, (At, Trouble, bool))> = Vec::new();
    for hot in [false, true] {
        for at in requests(hot) {
            for trouble in Trouble::ALL {
                let changes = at.method == "POST";
                // Reads are the same in both ways.
                if changes || !hot && trouble != Trouble::FailedTask {
                    cases.push((format!("{trouble:?} at {at:?}"), (at.clone(), trouble, hot)));
                }
            }
        }
    }
    assert!(cases.len() > 100, "{} cases", cases.len());
    let cases: Vec<_> = cases.iter().map(|(name, case)| (name.as_str(), case)).collect();
    each(&cases, |(at, trouble, hot)| {
        let (world, item, tariff) = changing(*hot);
        disturbed(&world, item, at, *trouble);
        for _ in 0..TRIES {
            if world.bill.running(item).is_empty() {
                break;
            }
            world.attempt(item, SETPARAM, &[], &[]);
        }
        assert_eq!(world.bill.running(item), [], "{trouble:?} at {at:?}\n{}", world.bill.log());
        assert_agreed(&world, item, tariff, at, *trouble, *hot);
    });
}

/// What may still succeed is not taken back; at the last try it is, if nothing has come of it.
#[test]
fn the_last_try_takes_a_change_back_that_has_changed_nothing() {
    let (world, item, _) = changing(false);
    let old = world.bill.item(item).lastpricelist;
    world.vmm.fault(Fault::on("GET", "/vm/v3/host").always());
    for tries in [0, 9] {
        world.bill.exec("UPDATE runningoperation SET trycount = ?", &[&tries.to_string()]);
        assert_eq!(world.fail(item, SETPARAM).kind, Kind::Vm6Connect);
        assert_eq!(world.bill.item(item).lastpricelist, old, "the next try may succeed");
    }
    world.fail(item, SETPARAM);
    let row = world.bill.item(item);
    assert_eq!((row.pricelist, row.lastpricelist), (old, None));
    assert!(world.panel_calls().contains(&"runningoperation.setmanual".to_owned()));
}

/// A VM that has a part of the new tariff keeps it, however often the rest is refused; staff read that.
#[test]
fn a_change_that_is_half_done_is_never_taken_back() {
    let halves: [(&str, bool); 2] = [("done while the VM runs", true), ("waiting for a stop", false)];
    each(&halves, |hot| {
        let (world, item, _) = changing(*hot);
        let old = world.bill.item(item).lastpricelist;
        world.vmm.fault(refusal("POST", "/vm/v3/disk/*", "The storage is full").always());
        for tries in [0, 5, 10] {
            world.bill.exec("UPDATE runningoperation SET trycount = ?", &[&tries.to_string()]);
            let refused = world.fail(item, SETPARAM);
            refused.is(Kind::Vm6Api, &refused.object, &["The storage is full", "not taken back"]);
            assert_eq!(world.bill.item(item).lastpricelist, old);
        }
        assert!(world.panel_calls().contains(&"runningoperation.setmanual".to_owned()));
        assert_eq!(world.host_of(item).starts, 1);
        world.vmm.clear_faults();
        world.bill.exec("UPDATE runningoperation SET manual = 'off'", &[]);
        world.attempt(item, SETPARAM, &[], &[]);
        assert_eq!((world.bill.item(item).lastpricelist, world.sizes(world.host_of(item).id)), (None, NEW));
    });
}

/// A restart that stops the VM and does not start it again: the VM does not stay stopped.
#[test]
fn a_vm_that_does_not_come_back_from_its_restart_is_started() {
    for start_fails in [false, true] {
        let (world, item, _) = changing(false);
        let action = |text: &str| Action::FailTask { word: "failed", text: text.to_owned() };
        world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/restart").act(action("no answer from the guest")));
        if start_fails {
            world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/start").act(action("no answer from the node")));
            world.fail(item, SETPARAM);
            assert_eq!(world.host_of(item).state, "stopped");
        }
        world.attempt(item, SETPARAM, &[], &[]);
        let host = world.host_of(item);
        assert_eq!((host.state.as_str(), host.starts), ("active", 2), "{}", world.bill.log());
        assert_eq!((world.sizes(host.id), world.bill.item(item).lastpricelist), (NEW, None));
    }
}
