//! A client writes into his VM what he likes, at any moment: that stops neither his suspension nor anybody's order, and
//! gets him no VM that he did not pay for. Creations that fail, and VMs that are listed late, do not either.

use std::time::Duration;

use pmvmmanager6::error::Kind;
use pmvmmanager6::journal::Phase;
use sandbox::bill::Order;
use sandbox::vmm::{Action, ClientEdit, Comments, Fault};

use crate::support::cases::each;
use crate::support::service::ACTIVE;
use crate::support::world::TestWorld;

/// A tag that is not the right one for any service.
const WRONG_TAG: &str = "0123456789abcdef";

/// Everything that BILLmanager must be able to do to a service.
const LIFE: [&str; 4] = ["suspend", "resume", "setparam", "close"];

/// What a client writes, for a service.
type Text = fn(&TestWorld, u64) -> String;

fn untagged(world: &TestWorld, item: u64) -> String {
    world.mark(item).rsplit_once(':').unwrap().0.to_owned()
}

#[test]
fn no_comment_keeps_a_vm_from_being_suspended_or_closed() {
    let cases: [(&str, (Comments, Text)); 8] = [
        ("another installation's mark", (Comments::Free, |_, _| "billmgr:ffffffffffff:1".to_owned())),
        ("the mark of another client's service", (Comments::Free, |world, item| world.mark(item + 1000))),
        (
            "forged marks",
            (Comments::Free, |world, item| {
                format!("{} {}:{WRONG_TAG}", untagged(world, item + 1000), untagged(world, item))
            }),
        ),
        ("nothing", (Comments::Free, |_, _| String::new())),
        ("overlong, and refused", (Comments::AtMost(255), |_, _| "x".repeat(255))),
        ("overlong, and cut", (Comments::Cut(255), |_, _| "x".repeat(255))),
        ("never to be changed", (Comments::Refused, |_, _| "mine".to_owned())),
        ("a foreign mark, never to be changed", (Comments::Refused, |_, _| "billmgr:ffffffffffff:1".to_owned())),
    ];
    each(&cases, |(comments, text)| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        world.vmm.change(|platform| platform.variant.comments = *comments);
        world.bill.set_addon(item, "ncpu", 3);
        for command in LIFE {
            assert!(world.vmm.client_edits(host, &ClientEdit::comment(text(&world, item))));
            world.succeed(item, command);
            let state =
                world.vmm.look(|platform| platform.hosts.get(&host).map(|vm| (vm.state.clone(), vm.cpu_number)));
            let wanted = match command {
                "close" => None,
                "suspend" => Some(("stopped".to_owned(), 2)),
                "resume" => Some(("active".to_owned(), 2)),
                _ => Some(("active".to_owned(), 3)),
            };
            assert_eq!(state, wanted, "{command}");
        }
    });
}

/// Ids of coming services can be guessed, and the marks of the first release had no more.
#[test]
fn marks_of_coming_services_stop_and_adopt_nothing() {
    let cases: [(&str, (bool, Text)); 4] = [
        ("without a tag, his own order", (true, untagged)),
        ("with a wrong tag, his own order", (true, |world, item| format!("{}:{WRONG_TAG}", untagged(world, item)))),
        ("without a tag, another's order", (false, untagged)),
        ("with a wrong tag, another's order", (false, |world, item| format!("{}:{WRONG_TAG}", untagged(world, item)))),
    ];
    each(&cases, |(own, mark)| {
        let world = TestWorld::start();
        let big = world.opened_as(&world.usual_order().addon("ncpu", "8").addon("mem", "8192"));
        let host = world.host_of(big);
        let marks: Vec<String> = (big + 1..big + 30).map(|item| mark(&world, item)).collect();
        world.vmm.client_edits(host.id, &ClientEdit::comment(format!("{} {}", host.comment, marks.join(" "))));
        world.vmm.client_edits(host.id, &ClientEdit::name(format!("vps{}", big + 7)));
        let client = if *own { world.alice } else { world.bob };
        let order = world.bill.order(&Order { client, ..world.usual_order() });
        assert!(order < big + 30, "{order}");
        world.succeed(order, "open");
        let small = world.host_of(order);
        assert_ne!(small.id, host.id);
        assert_eq!((small.cpu_number, world.sizes(host.id).0), (2, 8));
        world.succeed(order, "close");
        assert_eq!(world.host_of(big).id, host.id);
    });
}

/// A client can copy the mark of one of his VMs to another one of his.
#[test]
fn a_copied_mark_moves_no_service_to_another_vm() {
    let world = TestWorld::start();
    let (small, big) = (world.opened(), world.opened_as(&world.usual_order().addon("ncpu", "8")));
    let (its, others) = (world.host_of(small).id, world.host_of(big).id);
    let copied = world.host_of(small).comment;
    world.vmm.client_edits(others, &ClientEdit::comment(copied));
    world.vmm.client_edits(its, &ClientEdit::comment(""));
    world.bill.set_param(small, "panelid", "");
    world.succeed(small, "suspend");
    let states = world.vmm.look(|platform| [its, others].map(|id| platform.hosts[&id].state.clone()));
    assert_eq!(states, ["stopped", "active"]);
    // Without the VM that the journal knows, the copy is still not the service's.
    world.vmm.change(|platform| platform.remove_host(its));
    world.succeed(small, "close");
    assert_eq!(world.sizes(others).0, 8);
    world.succeed(big, "close");
    assert!(world.made_by_module().is_empty());
}

#[test]
fn a_failed_creation_is_removed_in_whatever_state_it_left_the_vm() {
    let states = ["stopped", "active", "creating"].into_iter();
    // Without the answer there is no task to wait for.
    let killed = [None, Some("create.recorded"), Some("create.after_request")];
    let cases = states.flat_map(|state| killed.map(|killed| (state, (state, killed))));
    each(&cases.collect::<Vec<_>>(), |(state, killed)| {
        let world = TestWorld::start();
        let item = world.ordered();
        let (text, state) = ("mkfs: no space left".to_owned(), (*state).to_owned());
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::FailInState { word: "failed", text, state }));
        if let Some(point) = killed {
            assert!(world.killed_at(item, "open", &[], point));
        }
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, Kind::Vm6Task, "{refusal:?}");
        assert!(refusal.value.contains("mkfs") && refusal.value.contains("was removed"), "{refusal:?}");
        assert!(world.made_by_module().is_empty(), "{}", world.bill.log());
        world.succeed(item, "open");
        assert_eq!((world.host_of(item).installs, world.host_of(item).state.as_str()), (1, "active"));
    });
}

/// The journal has the id; no list and no path shows the VM yet.
#[test]
fn an_accepted_vm_that_shows_late_is_waited_for() {
    let late = Duration::from_millis(700);
    let cases = [("open", "open"), ("close", "close"), ("suspend", "suspend")];
    each(&cases, |command| {
        let world = TestWorld::start();
        let item = world.ordered();
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::Lag { listed_after: late, found_after: late }));
        assert!(world.killed_at(item, "open", &[], "create.recorded"));
        world.assert_phase(item, Phase::Accepted);
        if *command != "open" {
            world.drop_operations();
            world.bill.set_item(item, "status", ACTIVE);
        }
        world.succeed(item, command);
        let left = usize::from(*command != "close");
        assert!(world.vmm.wait_until(late * 3, |platform| platform.hosts.len() == left));
        assert_eq!(world.made_by_module().len(), left, "{}", world.bill.log());
    });
}
