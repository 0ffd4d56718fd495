//! Services and accounts that change hands: whoever has the number, the e-mail or the name of somebody else's VM gets
//! neither the VM nor a way in, and closing his service does not delete it.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Handler, Order, Run};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::service::{Arrange, NOTHING};
use crate::support::world::TestWorld;

const CAROL: &str = "carol@example.com";

/// What a service must not do to somebody else's VM.
const CHANGING: [&str; 5] = ["suspend", "setparam", "stop", "reopen", "close"];

/// The client who gets a service, and what staff do with its VM.
type Transfer = (fn(&TestWorld) -> u64, Arrange);
/// Address, user, password and cluster make a handler.
type MakeHandler = fn(&str, &str, &str, &str) -> Handler;
/// The client who gets a number again, and his e-mail.
type Reissue = (fn(&TestWorld) -> u64, &'static str);
/// An e-mail, and how it comes to be somebody else's.
type Foreign = (&'static str, fn(&TestWorld));

#[track_caller]
fn assert_foreign(world: &TestWorld, item: u64) {
    world.forget();
    assert_eq!(Refusal::of(&world.ask_link(item, &[])).kind, Kind::Vm6Foreign);
    for command in CHANGING {
        let refusal = world.refuse(item, command);
        assert_eq!(refusal.kind, Kind::Vm6Foreign, "{command}: {refusal:?}");
        world.drop_operations();
    }
    assert_eq!(world.asked(), NOTHING);
}

/// Kind, VM and remedy of what the audit finds.
fn audited(world: &TestWorld) -> Vec<(String, Option<u64>, String)> {
    let run = world.run_operator(&["audit", "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = document["findings"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "kind"), row["vm"].as_u64(), text(row, "remedy") + &text(row, "command"))).collect()
}

impl TestWorld {
    fn run_operator(&self, args: &[&str]) -> Run {
        self.bill.run(args)
    }

    fn link(&self, item: u64, more: &[&str]) -> Run {
        let id = item.to_string();
        let args: Vec<&str> = ["link", "--item", &id].into_iter().chain(more.iter().copied()).collect();
        self.run_operator(&args)
    }
}

/// The panel's transfer makes a copy with a new number and deletes the old service without telling the module.
#[test]
fn a_transferred_service_is_linked_in_one_command() {
    let cases: [(&str, Transfer); 2] = [
        ("to the same client", (|world| world.alice, |_, _| ())),
        (
            "to another one, who gets the VM in VMmanager",
            (
                |world| world.bob,
                |world, host| {
                    let account = world.vmm.change(|p| p.add_account("bob@example.org", "Client-pass-1", "@user"));
                    world.alter(host, |vm| vm.account = account);
                },
            ),
        ),
    ];
    each(&cases, |(client, give)| {
        let world = TestWorld::start();
        let old = world.opened();
        let host = world.host_of(old).id;
        let copy = world.bill.transfer(old, client(&world));
        assert_foreign(&world, copy);
        give(&world, host);
        let found = audited(&world);
        let link = format!("link --item {copy} --vm {host} --yes");
        assert!(
            found.iter().any(|(kind, vm, how)| kind == "handed_over" && *vm == Some(host) && how.contains(&link)),
            "{found:?}"
        );
        assert!(found.iter().all(|(_, _, how)| !how.contains("close") && !how.contains("delete")), "{found:?}");
        let run = world.link(copy, &["--yes"]);
        assert_eq!(run.status, Some(0), "{run:#?}");
        for command in ["suspend", "resume"] {
            world.succeed(copy, command);
        }
        assert_eq!(audited(&world), []);
        world.succeed(copy, "close");
        assert!(world.made_by_module().is_empty());
    });
}

#[test]
fn closing_the_old_one_of_a_transferred_service_leaves_its_vm() {
    each(&[("before the link", false), ("after it", true)], |linked| {
        let world = TestWorld::start();
        let old = world.opened();
        let host = world.host_of(old).id;
        let copy = world.bill.transfer(old, world.alice);
        if *linked {
            assert_eq!(world.link(copy, &["--yes"]).status, Some(0));
        }
        world.forget();
        let run = world.run(&["--command", "close", "--item", &old.to_string()]);
        assert_eq!(run.status, Some(0), "{run:#?}");
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(world.link(copy, &["--yes"]).status, Some(0));
        assert_eq!(world.host_of(copy).id, host);
        world.succeed(copy, "suspend");
    });
}

#[test]
fn a_service_of_another_client_enters_no_account_of_the_old_one() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.bill.give_to(item, world.bob);
    assert_foreign(&world, item);
    let found = audited(&world);
    assert!(found.iter().any(|(kind, vm, _)| kind == "client" && *vm == Some(host)), "{found:?}");
    world.bill.give_to(item, world.alice);
    assert_eq!(world.enters(item).1, "alice@example.com");
    world.succeed(item, "suspend");
}

/// A database that was restored from a backup gives the numbers of later services again.
#[test]
fn a_number_that_is_given_again_does_not_come_with_the_old_vm() {
    let cases: [(&str, Reissue); 2] = [
        ("to another client", (|world| world.bob, "bob@example.org")),
        ("to the same client", (|world| world.alice, "alice@example.com")),
    ];
    each(&cases, |(client, email)| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item);
        world.bill.reissue(item, &Order { client: client(&world), ..world.usual_order() });
        world.forget();
        for command in ["open", "close"] {
            let refusal = world.refuse(item, command);
            assert_eq!(refusal.kind, Kind::Vm6Foreign, "{command}: {refusal:?}");
            world.drop_operations();
        }
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(world.host_of(item).account, host.account);
        // Staff have looked at the old VM, and nobody needs it.
        world.vmm.change(|platform| platform.remove_host(host.id));
        world.succeed(item, "open");
        assert_eq!(world.enters(item).1, *email);
    });
}

/// The removal of the old VM was begun, and then the database was restored.
#[test]
fn a_vm_that_is_being_removed_is_no_new_services() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    assert!(world.killed_at(item, "close", &[], "delete.after_intent"));
    world.bill.reissue(item, &world.usual_order());
    let refusal = world.refuse(item, "open");
    assert_eq!(refusal.kind, Kind::Vm6Foreign, "{refusal:?}");
    world.vmm.change(|platform| platform.remove_host(host));
    world.succeed(item, "open");
}

#[test]
fn the_old_vm_of_a_number_is_the_new_services_once_staff_link_it() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.bill.reissue(item, &world.usual_order().addon("ncpu", "3"));
    let refusal = world.refuse(item, "open");
    assert!(refusal.value.contains(&format!("link --item {item}")), "{refusal:?}");
    assert_eq!(world.link(item, &["--vm", &host.to_string(), "--yes"]).status, Some(0));
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).id, host);
    world.succeed(item, "setparam");
    assert_eq!(world.host_of(item).cpu_number, 3);
}

/// A VM that a service of another handler on the same VMmanager names; that service.
fn named_elsewhere(world: &TestWorld, make: MakeHandler) -> (u64, u64) {
    let handler = world.bill.add_handler(&make(&world.vmm.url(), "admin@example.net", "Adm1n-secret-pass", "1"));
    let account = world.vmm.change(|p| p.add_account("alice@example.com", "Client-pass-1", "@user"));
    let host = world.make_by_hand("old-1", account);
    (host, world.bill.add_active(&Order { handler, ..world.usual_order() }, host))
}

const OTHER_HANDLERS: [(&str, MakeHandler); 2] =
    [("another handler of ours", Handler::new), ("the vendor's module", Handler::vendor)];

#[test]
fn a_vm_that_a_service_of_any_module_names_is_not_offered_again() {
    each(&OTHER_HANDLERS, |make| {
        let world = TestWorld::start();
        let (_, theirs) = named_elsewhere(&world, *make);
        let items = || world.bill.rows("SELECT id FROM item ORDER BY id", &[]);
        let before = items();
        let module = world.handler.to_string();
        let run = world.run(&["--command", "import", "--module", &module, "--itemtype", "vds", "--searchstring", ""]);
        assert_eq!(run.status, Some(0), "{run:#?}");
        assert_eq!(items(), before, "nothing is offered");
        assert!(world.bill.log().contains(&format!("service {theirs} of module")), "{}", world.bill.log());
    });
}

#[test]
fn a_vm_that_a_service_of_any_module_names_is_neither_linked_nor_closed() {
    each(&OTHER_HANDLERS, |make| {
        let world = TestWorld::start();
        let (host, theirs) = named_elsewhere(&world, *make);
        let double = world.bill.add_active(&world.usual_order(), host);
        world.forget();
        let refused = world.link(double, &["--yes"]);
        assert_eq!(refused.status, Some(1), "{refused:#?}");
        assert!(format!("{refused:?}").contains(&format!("service {theirs} names the same VM")), "{refused:#?}");
        world.perform(double, "close");
        assert_eq!(world.asked(), NOTHING, "the VM lives on");
    });
}

#[test]
fn an_email_is_no_way_into_somebody_elses_account() {
    let cases: [(&str, Foreign); 2] = [
        (
            "of another client",
            ("bob@example.org", |world| {
                world.opened_as(&Order { client: world.bob, ..world.usual_order() });
            }),
        ),
        (
            "of somebody with VMs whom BILLmanager does not know",
            (CAROL, |world| {
                let carol = world.vmm.change(|platform| platform.add_account(CAROL, "Client-pass-1", "@user"));
                world.make_by_hand("carol-1", carol);
            }),
        ),
    ];
    each(&cases, |(email, arrange)| {
        let world = TestWorld::start();
        arrange(&world);
        world.bill.set_email(world.alice, email);
        let item = world.ordered();
        world.forget();
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, Kind::AccountTaken, "{refusal:?}");
        assert!(refusal.value.contains("pmvmmanager6 account"), "the cure: {refusal:?}");
        assert_eq!(world.asked(), NOTHING);
        assert_ne!(world.ask_link(item, &[]).status, Some(0), "no link");
        world.bill.set_email(world.alice, "alice@example.net");
        world.succeed(item, "open");
        assert_eq!(world.enters(item).1, "alice@example.net");
    });
}

/// The account that was recorded for a client stays his, whatever e-mail he has now.
#[test]
fn a_client_with_another_email_keeps_his_account() {
    let world = TestWorld::start();
    let bobs = world.opened_as(&Order { client: world.bob, ..world.usual_order() });
    let first = world.opened();
    world.bill.set_email(world.alice, "bob@example.org");
    let second = world.opened();
    assert_eq!(world.host_of(first).account, world.host_of(second).account);
    assert_ne!(world.host_of(bobs).account, world.host_of(second).account);
    assert_eq!(world.enters(second).1, "alice@example.com");
}

#[test]
fn an_account_without_roles_may_be_an_administrators() {
    let world = TestWorld::start();
    let item = world.opened();
    let account = world.host_of(item).account;
    world.vmm.change(|platform| platform.accounts.get_mut(&account).unwrap().shows_roles = false);
    world.forget();
    let order = world.ordered();
    assert_eq!(world.fail(order, "open").kind, Kind::AdminAccount);
    assert_eq!(Refusal::of(&world.ask_link(item, &[])).kind, Kind::AdminAccount);
    assert_eq!(world.asked(), NOTHING);
    world.vmm.change(|platform| platform.accounts.get_mut(&account).unwrap().shows_roles = true);
    world.succeed(order, "open");
}

#[test]
fn a_vm_that_another_live_service_names_is_not_deleted() {
    each(&[("its own service is closed", true), ("the other one is", false)], |own| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        let double = world.bill.add_active(&world.usual_order(), host);
        world.forget();
        world.perform(if *own { item } else { double }, "close");
        assert_eq!(world.asked(), NOTHING);
        assert!(world.vmm.look(|platform| platform.hosts.contains_key(&host)));
        if *own {
            assert_eq!(world.link(double, &["--yes"]).status, Some(0));
        }
        world.succeed(if *own { double } else { item }, "suspend");
    });
}
