//! The client's ways in: root password and login link. Both are secrets; what is saved is what the VM has.

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::{self, Element};
use sandbox::bill::{CallFault, Run};
use sandbox::vmm::{Action, Fault};
use serde_json::json;

use crate::support::cases::each;
use crate::support::login::spend;
use crate::support::refusal::Refusal;
use crate::support::service::{Arrange, NOTHING, SUSPENDED, post, refusal};
use crate::support::world::TestWorld;

const CHANGE: &str = "changepassword";
/// What the stand-in panel chooses for `changepassword`.
const NEW: &str = "N3w-pass-from-panel";

/// Password of the VM, and the one that BILLmanager has saved.
fn passwords(world: &TestWorld, item: u64) -> (String, String) {
    (world.host_of(item).password, world.bill.secret(item, "password").unwrap())
}

#[track_caller]
fn assert_new(world: &TestWorld, item: u64) {
    assert_eq!(passwords(world, item), (NEW.to_owned(), NEW.to_owned()), "{}", world.bill.log());
    assert!(!world.bill.log().contains(NEW));
}

/// An attempt with a given value of `--password`.
#[track_caller]
fn change_to(world: &TestWorld, item: u64, crypted: &str) -> Run {
    let operation = world.bill.operation(item, CHANGE).to_string();
    let id = item.to_string();
    let run = world.run(&["--command", CHANGE, "--item", &id, "--runningoperation", &operation, "--password", crypted]);
    world.drop_operations();
    run
}

#[test]
fn a_new_password_is_set_and_saved_crypted() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    for _ in 0..2 {
        world.forget();
        world.succeed(item, CHANGE);
        assert_eq!(world.asked(), [post(format!("host/{host}/password"), json!({ "password": NEW }))]);
        assert_eq!(world.panel_calls().last().map(String::as_str), Some("service.postchangepassword"));
        assert_new(&world, item);
    }
    assert_eq!(world.bill.params(item).get("password"), None, "not in clear");
    assert_eq!(world.host_of(item).starts, 1);
}

#[test]
fn what_cannot_be_decrypted_changes_nothing() {
    let world = TestWorld::start();
    let item = world.opened();
    let before = (world.snapshot(item), passwords(&world, item));
    let own = world.bill.encrypt(NEW);
    let other_key = TestWorld::with(|scene| scene.bill.installation = 7).bill.encrypt(NEW);
    let cases = [
        ("plain!", Kind::BadParam),
        ("cGxhaW4=", Kind::BadParam),
        (&own[..own.len() - 8], Kind::BadParam),
        (&other_key, Kind::BadParam),
        (&world.bill.encrypt(""), Kind::BadArgument),
        ("", Kind::BadArgument),
    ];
    for (crypted, kind) in cases {
        let refused = Refusal::of(&change_to(&world, item, crypted));
        assert_eq!((refused.kind, refused.object.as_str()), (kind, "password"), "{refused:?}");
        assert!(crypted.is_empty() || !refused.value.contains(crypted), "{refused:?}");
    }
    assert_eq!(world.asked(), NOTHING);
    assert_eq!((world.snapshot(item), passwords(&world, item)), before);
}

#[test]
fn the_vm_must_run() {
    for command in ["stop", "suspend"] {
        let world = TestWorld::start();
        let item = world.opened();
        world.succeed(item, command);
        world.forget();
        let before = passwords(&world, item);
        let host = world.host_of(item).id;
        world.refuse(item, CHANGE).is(Kind::Vm6Busy, &format!("VM {host}"), &["stopped"]);
        assert_eq!(world.asked(), NOTHING);
        assert_eq!(passwords(&world, item), before);
    }
}

/// VMmanager's answer may repeat the request: its words are shown, the password in them is not.
#[test]
fn a_refused_password_is_neither_saved_nor_shown() {
    let failed = Action::FailTask { word: "failed", text: "the guest agent does not answer".to_owned() };
    let cases: [(&str, (Fault, Kind, &str)); 3] = [
        ("refused", (refusal("POST", "/vm/v3/host/*/password", "Too simple"), Kind::Vm6Api, "Too simple")),
        (
            "repeated",
            (refusal("POST", "/vm/v3/host/*/password", &format!("Bad password '{NEW}'")), Kind::Vm6Api, "Bad password"),
        ),
        (
            "failed",
            (Fault::on("POST", "/vm/v3/host/*/password").act(failed), Kind::Vm6Task, "the guest agent does not answer"),
        ),
    ];
    each(&cases, |(fault, kind, text)| {
        let world = TestWorld::start();
        let item = world.opened();
        let before = passwords(&world, item);
        world.vmm.fault(fault.clone());
        let refused = world.fail(item, CHANGE);
        assert_eq!(refused.kind, *kind);
        assert!(refused.value.contains(text) && !refused.value.contains(NEW), "{refused:?}");
        assert!(!world.bill.log().contains(NEW), "{}", world.bill.log());
        assert_eq!(passwords(&world, item), before);
        world.succeed(item, CHANGE);
        assert_new(&world, item);
    });
}

#[test]
fn an_interrupted_change_is_repeated_until_both_agree() {
    let cases = ["password.after_request", "callback.before", "callback.after"].map(|point| (point, point));
    each(&cases, |point| {
        let world = TestWorld::start();
        let item = world.opened();
        assert!(world.killed_at(item, CHANGE, &[], point));
        if !world.bill.running(item).is_empty() {
            world.succeed(item, CHANGE);
        }
        assert_new(&world, item);
    });
}

#[test]
fn a_lost_answer_is_asked_again_until_both_agree() {
    let cases: [(&str, Arrange); 4] = [
        ("lost", |world, _| world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/password").act(Action::LoseAnswer))),
        ("unsent", |world, _| world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/password").act(Action::CloseBefore))),
        ("unsaved", |world, _| {
            let error = CallFault::Error { exit: 0, kind: "internal".to_owned() };
            world.bill.fail_call("service.saveparam", error, 4);
        }),
        ("panel away", |world, _| world.bill.panel_down(Some(2))),
    ];
    each(&cases, |arrange| {
        let world = TestWorld::start();
        let item = world.opened();
        arrange(&world, item);
        if !world.perform(item, CHANGE).done {
            world.bill.clear_call_faults();
            world.succeed(item, CHANGE);
        }
        assert_new(&world, item);
    });
}

/// The document of a good answer.
#[track_caller]
fn document(world: &TestWorld, run: &Run) -> Element {
    assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
    wire::parse(run.stdout.as_bytes()).unwrap()
}

#[test]
fn a_link_logs_its_client_in_once_and_stands_nowhere_else() {
    let world = TestWorld::start();
    let (item, other) = (world.opened(), {
        let order = sandbox::bill::Order::new(world.bob, world.tariffs.small, world.handler);
        world.opened_as(&order)
    });
    std::fs::write(world.bill.root().join("etc/debug.conf"), "pmvmmanager6.* 9\n").unwrap();
    let cases =
        [(item, "alice@example.com", &[][..]), (other, "bob@example.org", &["--panelkey", "vm6", "--level", "16"][..])];
    for (item, email, more) in cases {
        world.forget();
        let run = world.ask_link(item, more);
        let answer = document(&world, &run);
        assert_eq!((answer.value("panelcount"), answer.value("panelname")), ("1", "VMmanager 6"));
        assert_eq!(answer.find("panelname").unwrap().get("keyname"), Some("vm6"));
        let link = answer.value("url");
        let key = link.strip_prefix(&format!("{}/auth/key-v4/", world.vmm.url())).unwrap().to_owned();
        let account = world.host_of(item).account;
        assert_eq!(world.mutations(), [format!("POST /auth/v4/user/{account}/key")]);
        assert_eq!(world.panel_calls(), [""; 0]);
        assert!(!world.bill.log().contains(&key) && !run.stderr.contains(&key), "the link is in the log");
        assert_eq!(spend(&world.vmm.url(), &key).as_deref(), Some(email));
        assert_eq!(spend(&world.vmm.url(), &key), None, "a second use");
    }
}

#[test]
fn each_click_has_a_link_of_its_own() {
    let world = TestWorld::start();
    let item = world.opened();
    let links: Vec<String> =
        (0..2).map(|_| document(&world, &world.ask_link(item, &[])).value("url").to_owned()).collect();
    assert_ne!(links[0], links[1]);
}

#[test]
fn a_suspended_service_opens_no_door() {
    let world = TestWorld::start();
    let item = world.opened();
    world.succeed(item, "suspend");
    assert_eq!(world.bill.item(item).status, SUSPENDED);
    let refusal = Refusal::of(&world.ask_link(item, &[]));
    refusal.is(Kind::BadParam, "status", &["suspended"]);
}

/// With an administrator's account the client would get the whole platform.
#[test]
fn administrators_get_no_link() {
    for role in ["@admin", "admin.readonly", "@custom-admin"] {
        let world = TestWorld::start();
        let item = world.opened();
        let account = world.host_of(item).account;
        world.vmm.change(|platform| platform.accounts.get_mut(&account).unwrap().roles.push(role.to_owned()));
        let refused = Refusal::of(&world.ask_link(item, &[]));
        refused.is(Kind::AdminAccount, "alice@example.com", &["administrator"]);
        assert_eq!(world.asked(), NOTHING, "no key is made");
    }
}

#[test]
fn there_is_no_link_to_what_is_not_the_clients() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    let stranger =
        world.vmm.change(|platform| platform.add_account("mallory@example.com", "Pass-of-mallory-1", "@user"));
    world.alter(host, |vm| vm.account = stranger);
    assert_eq!(Refusal::of(&world.ask_link(item, &[])).kind, Kind::Vm6Foreign);
    world.vmm.change(|platform| platform.remove_host(host));
    assert_eq!(Refusal::of(&world.ask_link(item, &[])).kind, Kind::Vm6NotFound);
    assert_eq!(world.asked(), NOTHING);
}

#[test]
fn a_lost_key_is_an_error_without_a_link() {
    for action in [Action::LoseAnswer, Action::Garbage, Action::WrongType] {
        let world = TestWorld::start();
        let item = world.opened();
        world.vmm.fault(Fault::on("POST", "/auth/v4/user/*/key").act(action));
        let run = world.ask_link(item, &[]);
        assert!(matches!(Refusal::of(&run).kind, Kind::Vm6Connect | Kind::Vm6Api), "{run:?}");
        assert!(!run.stdout.contains("key-v4"));
        document(&world, &world.ask_link(item, &[]));
    }
}
