//! No command changes a VM that is not proved to be the service's: id, owner and mark or journal must agree. A comment
//! that the client has edited is no reason to refuse, and gets its mark back.

use pmvmmanager6::error::Kind;
use sandbox::bill::Run;

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::refusal::Refusal;
use crate::support::service::{Arrange, NOTHING};
use crate::support::world::TestWorld;

/// Every command that changes something, in an order in which a service can live through them.
const CHANGING: [&str; 13] = [
    "setparam",
    "stop",
    "start",
    "reboot",
    "hardreboot",
    "changepassword",
    "addip",
    "delip",
    "sync_item",
    "suspend",
    "resume",
    "reopen",
    "close",
];

/// A service that each of [`CHANGING`] has something to do with: its number, a slot to fill, a slot to free.
fn busy(world: &TestWorld) -> (u64, u64, u64) {
    let item = world.opened_as(&world.usual_order().ips(2));
    let used = world.bill.slots(item)[1].0;
    world.bill.set_addon(item, "ip", 3);
    world.bill.set_addon(item, "ncpu", 4);
    (item, world.bill.slots(item)[2].0, used)
}

fn attempt(world: &TestWorld, (item, free, used): (u64, u64, u64), command: &str) -> Run {
    match command {
        "addip" => world.perform_with(item, command, &["--ip", &free.to_string()]),
        "delip" => world.perform_with(item, command, &["--ip", &used.to_string()]),
        "sync_item" => world.aside(item, command),
        _ => world.perform(item, command),
    }
}

#[test]
fn every_command_refuses_a_vm_that_is_not_the_services() {
    // Each makes the VM that BILLmanager names another one than the service's.
    let cases: [(&str, Arrange); 6] = [
        ("the VM of another service of the same client", |world, item| {
            let other = world.host_of(world.opened()).id;
            world.bill.set_param(item, "panelid", &other.to_string());
        }),
        ("the same, and its client has erased the mark", |world, item| {
            let other = world.host_of(world.opened()).id;
            world.alter(other, |vm| vm.comment.clear());
            world.bill.set_param(item, "panelid", &other.to_string());
        }),
        ("a VM that nobody marked", |world, item| {
            let account = world.host_of(item).account;
            let other = world.make_by_hand("by-hand", account);
            world.bill.set_param(item, "panelid", &other.to_string());
        }),
        ("another owner", |world, item| {
            let stranger = world.vmm.change(|p| p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
            let host = world.host_of(item).id;
            world.alter(host, |vm| vm.account = stranger);
        }),
        ("a number that was given again", |world, item| {
            let host = world.host_of(item).id;
            world.alter(host, |vm| {
                vm.comment.clear();
                "2020-01-01 00:00:00".clone_into(&mut vm.create_date);
            });
        }),
        ("no mark and no journal", |world, item| {
            let host = world.host_of(item).id;
            world.alter(host, |vm| vm.comment.clear());
            std::fs::remove_dir_all(world.bill.root().join("var/pmvmmanager6")).unwrap();
        }),
    ];
    each(&cases, |fraud| {
        let world = TestWorld::start();
        let service = busy(&world);
        fraud(&world, service.0);
        world.waive(Invariant::NothingForgotten, "a VM has lost its mark or its row of the journal");
        world.forget();
        let (before, calls) = (world.snapshot(service.0), world.bill.params(service.0)["panelid"].clone());
        for command in CHANGING {
            let refused = Refusal::of(&attempt(&world, service, command));
            if refused.kind == Kind::Vm6Platform {
                // The only VM that was recorded there has another creation date: VMmanager gives no number again.
                assert!(refused.value.contains("the VMs that were recorded there are other VMs here"), "{refused:?}");
                world.drop_operations();
                continue;
            }
            assert_eq!(refused.kind, Kind::Vm6Foreign, "{command}: {refused:?}");
            for told in [&calls, &world.mark(service.0), "alice@example.com", "link --item"] {
                assert!(refused.value.contains(told), "{command} does not tell {told}: {refused:?}");
            }
            world.drop_operations();
        }
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(world.snapshot(service.0), before);
    });
}

#[test]
fn every_command_works_when_the_client_edited_the_comment() {
    let world = TestWorld::start();
    let service = busy(&world);
    let host = world.host_of(service.0).id;
    for command in CHANGING {
        let run = {
            world.alter(host, |vm| "my shop".clone_into(&mut vm.comment));
            attempt(&world, service, command)
        };
        assert!(run.done, "{command}: {run:#?}\n{}", world.bill.log());
        if command == "close" {
            assert_eq!(world.vmm.look(|platform| platform.hosts.len()), 0);
        } else {
            assert_eq!(world.host_of(service.0).comment, format!("my shop {}", world.mark(service.0)), "{command}");
        }
    }
    assert!(world.bill.log().contains("is missing; it is written again"));
}

/// The order that failed has left its user name in BILLmanager: it must not prove anything to the next one.
#[test]
fn an_email_in_another_spelling_opens_no_foreign_account() {
    let world = TestWorld::start();
    let victim = world.vmm.change(|p| p.add_account("victim@example.com", "Pass-of-victim-1", "@user"));
    world.make_by_hand("theirs", victim);
    world.bill.set_email(world.alice, "Victim@Example.com");
    for item in [world.ordered(), world.ordered()] {
        for _ in 0..2 {
            let refusal = world.fail(item, "open");
            assert_eq!(refusal.kind, Kind::AccountTaken, "{refusal:?}");
            world.drop_operations();
        }
    }
    assert!(world.made_by_module().is_empty());
}
