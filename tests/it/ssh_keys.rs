//! SSH keys: into the client's own account once, and into a VM where VMmanager is proved to put them there.

use pmvmmanager6::error::Kind;
use sandbox::bill::Order;
use sandbox::vmm::{Account, AccountKey, Action, Description, Fault, SshKeys};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::service::KEY;
use crate::support::world::TestWorld;

const PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA\n-----END OPENSSH PRIVATE KEY-----";

const OTHER_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f";

/// The key without its comment.
fn bare() -> &'static str {
    KEY.rsplit_once(' ').unwrap().0
}

fn order(world: &TestWorld) -> Order {
    world.usual_order().secret("ssh_key", KEY)
}

fn verify(world: &TestWorld) {
    let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
    assert_eq!(run.status, Some(0), "{run:?}");
    world.forget();
}

/// A world whose VMmanager is of this kind, as far as `verify` has seen it.
fn with(keys: SshKeys, description: Description) -> TestWorld {
    let world = TestWorld::start();
    world.vmm.change(|platform| (platform.variant.ssh_keys, platform.variant.description) = (keys, description));
    verify(&world);
    world
}

fn keys_of(world: &TestWorld, email: &str) -> Vec<String> {
    let account = world.vmm.look(|platform| platform.account_by_email(email).cloned());
    account.into_iter().flat_map(|account: Account| account.ssh_keys).map(|key| key.ssh_pub_key).collect()
}

/// The body of the request that made or installed a VM.
fn installed(world: &TestWorld, end: &str) -> Value {
    world.changes().into_iter().find(|request| request.path.ends_with(end)).unwrap().body.unwrap()
}

fn put_key(world: &TestWorld, email: &str, key: &str) {
    world.vmm.change(|platform| {
        let account = platform.accounts.values_mut().find(|account| account.email == email).unwrap();
        account.ssh_keys.push(AccountKey { id: 70, name: "by hand".into(), ssh_pub_key: key.into() });
    });
}

#[test]
fn a_key_reaches_the_vm_where_that_is_proved() {
    let cases = [
        ("at creation", (SshKeys::Creation, Description::Api, true, false)),
        ("at creation, described behind the page", (SshKeys::Creation, Description::Script, true, false)),
        ("at both", (SshKeys::Everywhere, Description::Configuration, true, true)),
        ("at both, but not described", (SshKeys::Everywhere, Description::Missing, false, false)),
        ("texts of no known meaning", (SshKeys::Texts, Description::Api, false, false)),
        ("nowhere", (SshKeys::Nowhere, Description::Api, false, false)),
    ];
    each(&cases, |&(keys, description, at_creation, at_reinstall)| {
        let world = with(keys, description);
        let item = world.bill.order(&order(&world));
        world.succeed(item, "open");
        assert_eq!(keys_of(&world, "alice@example.com"), [bare()]);
        let expected = |proved: bool| if proved { vec![bare().to_owned()] } else { Vec::new() };
        assert_eq!(world.host_of(item).ssh_keys, expected(at_creation));
        assert_eq!(installed(&world, "/host").get("ssh_keys"), at_creation.then_some(&json!([1])));
        let told = || world.bill.log().matches("its VM gets no SSH key").count();
        assert_eq!(told(), usize::from(!at_creation), "{}", world.bill.log());
        world.forget();
        let run = world.run(&["reinstall", "--item", &item.to_string(), "--yes"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert_eq!(world.host_of(item).ssh_keys, expected(at_reinstall));
        assert_eq!(installed(&world, "/reinstall").get("ssh_keys"), at_reinstall.then_some(&json!([1])));
        assert_eq!(told(), usize::from(!at_creation) + usize::from(!at_reinstall), "{}", world.bill.log());
        assert_eq!(keys_of(&world, "alice@example.com").len(), 1);
        // An update that takes the field away: verify takes the proof back.
        world.vmm.change(|platform| platform.variant.ssh_keys = SshKeys::Nowhere);
        if description != Description::Missing {
            verify(&world);
        }
        world.succeed(world.bill.order(&order(&world)), "open");
    });
}

/// Keys are the same by type and body, whatever their comments; one that is there is used and not added again.
#[test]
fn a_key_is_in_an_account_once() {
    let world = with(SshKeys::Creation, Description::Api);
    world.opened();
    for other in ["not a key", "ssh-rsa AAAA", PRIVATE, ""] {
        put_key(&world, "alice@example.com", other);
    }
    world.vmm.change(|platform| {
        let account = platform.accounts.values_mut().find(|account| account.email == "alice@example.com").unwrap();
        let own = format!("{}   her old laptop", bare());
        account.ssh_keys.push(AccountKey { id: 71, name: "mine".into(), ssh_pub_key: own });
    });
    let item = world.bill.order(&order(&world));
    world.succeed(item, "open");
    assert_eq!(keys_of(&world, "alice@example.com").len(), 5);
    assert_eq!(installed(&world, "/host")["ssh_keys"], json!([71]));
    // Another client has an account and a copy of his own.
    let item = world.bill.order(&Order { client: world.bob, ..order(&world) });
    world.succeed(item, "open");
    assert_eq!(
        (keys_of(&world, "bob@example.org"), keys_of(&world, "alice@example.com").len()),
        (vec![bare().to_owned()], 5)
    );
    assert_eq!(keys_of(&world, "admin@example.net"), [""; 0]);
}

#[test]
fn orders_at_the_same_time_add_it_once() {
    let world = with(SshKeys::Creation, Description::Api);
    let items: Vec<u64> = (0..6).map(|_| world.bill.order(&order(&world))).collect();
    let begun = items.iter().map(|item| {
        let operation = world.bill.operation(*item, "open");
        world.begin(*item, "open", operation)
    });
    world.all_succeed(begun.collect());
    assert_eq!(keys_of(&world, "alice@example.com").len(), 1);
    assert!(items.iter().all(|item| world.host_of(*item).ssh_keys == [bare()]));
}

#[test]
fn what_vmmanager_makes_of_a_key_fails_no_order() {
    let on = |method: &str| Fault::on(method, "/auth/v3/user/*/sshkey");
    let status =
        |code: u16, text: &str| Action::Status { code, body: format!(r#"{{"error":{{"code":{text},"msg":"no"}}}}"#) };
    let lost = [
        Action::LoseAnswer,
        Action::HalfAnswer,
        Action::Garbage,
        Action::ErrorAfterWork { status: 500, code: 1, msg: "x".into() },
    ];
    for action in lost {
        let world = with(SshKeys::Creation, Description::Api);
        world.vmm.fault(on("POST").act(action));
        let item = world.bill.order(&order(&world));
        world.succeed(item, "open");
        assert_eq!(
            (keys_of(&world, "alice@example.com").len(), world.host_of(item).ssh_keys),
            (1, vec![bare().to_owned()])
        );
    }
    let refused = [
        on("POST").act(status(400, "3004")),
        on("POST").act(status(500, "1")),
        on("GET").always().act(status(404, "1106")),
        on("GET").always().act(status(403, "3001")),
        on("GET").always().act(Action::WrongType),
        on("POST").act(Action::Status { code: 200, body: "{}".into() }),
    ];
    for fault in refused {
        let world = with(SshKeys::Creation, Description::Api);
        world.vmm.fault(fault);
        let item = world.bill.order(&order(&world));
        world.succeed(item, "open");
        assert_eq!((keys_of(&world, "alice@example.com").len(), world.host_of(item).ssh_keys.len()), (0, 0));
        assert!(world.bill.log().contains("its VM gets no SSH key: it is not in account"), "{}", world.bill.log());
    }
    // While VMmanager is away nothing is made without the key.
    let world = with(SshKeys::Creation, Description::Api);
    world.vmm.fault(on("GET").always().act(Action::CloseBefore));
    let item = world.bill.order(&order(&world));
    assert_eq!(world.fail(item, "open").kind, Kind::Vm6Connect);
    assert_eq!(world.hosts_of(item).len(), 0);
    world.vmm.clear_faults();
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).ssh_keys, [bare()]);
}

#[test]
fn what_is_no_public_key_is_refused_and_not_repeated() {
    let world = TestWorld::start();
    let ask = |value: &str| world.run(&["--command", "check_param", "--param", "ssh_key", "--value", value]);
    let bad = [
        (PRIVATE, "is a private key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "is of no type that can be used; possible are: ssh-ed25519, ssh-rsa"),
        ("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", "of another type"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4", "is damaged"),
        ("ssh-ed25519\nAAAA", "more than one line"),
    ];
    for value in ["", KEY, bare(), &world.bill.encrypt(KEY)] {
        assert_eq!(ask(value).status, Some(0), "{value}");
    }
    for (value, what) in bad {
        let secret = value.split(['\n', ' ']).nth(1).unwrap();
        for asked in [value.to_owned(), world.bill.encrypt(value)] {
            Refusal::of(&ask(&asked)).is(Kind::BadParam, "ssh_key", &[what, "public key"]);
        }
        let item = world.bill.order(&world.usual_order().secret("ssh_key", value));
        world.refuse(item, "open").is(Kind::BadParam, "ssh_key", &[what]);
        assert_eq!(world.mutations(), [""; 0]);
        let said = format!("{}{:?}{:?}", world.bill.log(), world.bill.calls(), world.runs());
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    // A VM that is there needs no key: its service lives on.
    let item = world.opened();
    let crypted = world.bill.encrypt(PRIVATE);
    world.bill.exec(
        "INSERT INTO itemcryptedparam (item, intname, value) VALUES (?, 'ssh_key', ?)",
        &[&item.to_string(), &crypted],
    );
    for command in ["reopen", "suspend", "resume", "close"] {
        world.succeed(item, command);
    }
}

/// A VM that staff have given to somebody else gets no key of his, and no key of the client's.
#[test]
fn a_key_stays_in_its_own_account() {
    let world = with(SshKeys::Everywhere, Description::Api);
    let stranger = world.vmm.change(|platform| platform.add_account("stranger@example.org", "Stranger-4711", "@user"));
    let item = world.bill.order(&order(&world));
    world.succeed(item, "open");
    let id = world.host_of(item).id;
    world.vmm.change(|platform| platform.hosts.get_mut(&id).unwrap().account = stranger);
    world.forget();
    let run = world.bill.run(&["reinstall", "--item", &item.to_string(), "--yes"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert_eq!(world.mutations(), [""; 0]);
    world.vmm.change(|platform| {
        let owner = platform.account_by_email("alice@example.com").unwrap().id;
        platform.hosts.get_mut(&id).unwrap().account = owner;
    });
    // An account that became one of the staff's gets nothing.
    world.vmm.change(|platform| platform.give_role("alice@example.com", "@admin"));
    let other = world.bill.order(&world.usual_order().secret("ssh_key", OTHER_KEY));
    assert_eq!(world.fail(other, "open").kind, Kind::AdminAccount);
    assert_eq!(keys_of(&world, "alice@example.com"), [bare()]);
}

#[test]
fn a_plan_shows_what_becomes_of_the_key() {
    let world = with(SshKeys::Creation, Description::Api);
    let item = world.bill.order(&order(&world));
    let plan = world.run(&["plan", "--item", &item.to_string()]);
    assert_eq!(plan.status, Some(0), "{plan:?}");
    for part in ["/sshkey", "the client's account does not have the SSH key of the order", "ssh_keys"] {
        assert!(plan.stdout.contains(part), "{part}: {}", plan.stdout);
    }
    assert_eq!(world.mutations(), [""; 0]);
}

/// Staff is told of the handler whose clients' keys reach no VM.
#[test]
fn doctor_names_the_handler() {
    each(&[("proved", SshKeys::Creation), ("not proved", SshKeys::Nowhere)], |&keys| {
        let world = with(keys, Description::Api);
        let doctor = || world.bill.run(&["doctor", "--module", &world.handler.to_string()]).stdout;
        world.opened();
        assert!(!doctor().contains("SSH keys"));
        world.succeed(world.bill.order(&order(&world)), "open");
        let line = doctor().lines().find(|line| line.contains("SSH keys")).map(str::to_owned).unwrap_or_default();
        assert!(line.contains("ordered for 1 of the handler's services"), "{line}");
        assert_eq!(line.contains("not proved"), keys == SshKeys::Nowhere, "{line}");
    });
}

/// A service that is handed over still has the key of its former owner: it gets into nothing of the new one's.
#[test]
fn a_former_owners_key_is_not_used() {
    let world = with(SshKeys::Everywhere, Description::Api);
    let old = world.bill.order(&order(&world));
    world.succeed(old, "open");
    let his = world.bill.order(&Order { client: world.bob, ..world.usual_order() });
    world.succeed(his, "open");
    let (vm, bob) = (world.host_of(old).id, world.host_of(his).account);
    let copy = world.bill.transfer(old, world.bob).to_string();
    world.alter(vm, |host| host.account = bob);
    for words in [["link", "--item", &copy, "--yes"], ["reinstall", "--item", &copy, "--yes"]] {
        let run = world.bill.run(&words);
        assert_eq!(run.status, Some(0), "{run:?}");
    }
    let (keys, installs) =
        world.vmm.look(|platform| (platform.hosts[&vm].ssh_keys.clone(), platform.hosts[&vm].installs));
    assert_eq!((keys, installs), (Vec::new(), 2), "{}", world.bill.log());
    assert_eq!(keys_of(&world, "bob@example.org"), [""; 0]);
    assert!(world.bill.log().contains("only an order adds a key"), "{}", world.bill.log());
    // Once he has put a key there himself, it is his.
    put_key(&world, "bob@example.org", KEY);
    assert_eq!(world.bill.run(&["reinstall", "--item", &copy, "--yes"]).status, Some(0));
    assert_eq!(world.vmm.look(|platform| platform.hosts[&vm].ssh_keys.clone()), [KEY]);
}
