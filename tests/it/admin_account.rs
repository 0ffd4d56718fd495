//! `pmvmmanager6 account`: who owns which VMmanager account. An e-mail proves nothing, so staff decide; and a service that
//! a reseller sold on has an account of its own.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Order, Run, Tariff};
use serde_json::{Value, json};

use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

fn listed(world: &TestWorld) -> Value {
    let run = world.bill.run(&["account", "--json"]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"))
}

fn owner(world: &TestWorld, item: u64) -> String {
    let account = world.host_of(item).account;
    world.vmm.look(|platform| platform.accounts[&account].email.clone())
}

/// Staff say that an account is a client's, with further arguments.
fn confirm(world: &TestWorld, client: u64, account: u64, more: &[&str]) -> Run {
    let ids = [world.handler, client, account].map(|id| id.to_string());
    let line = ["account", "confirm", "--module", &ids[0], "--client", &ids[1], "--account", &ids[2]];
    world.bill.run(&[&line[..], more].concat())
}

#[test]
fn the_list_says_who_owns_what() {
    let world = TestWorld::start();
    assert_eq!(world.bill.run(&["account"]).stdout, "No account is known to be a client's.\n");
    let item = world.opened();
    let account = world.host_of(item).account;
    assert_eq!(listed(&world), json!([{ "platform": 1, "account": account, "client": world.alice, "service": null }]));
    let row = format!("{:<8}  {account:<7}  {:<6}  -", 1, world.alice);
    let text = world.bill.run(&["account"]).stdout;
    assert!(text.lines().any(|line| line == row), "{row}:\n{text}");
}

#[test]
fn a_taken_account_is_the_clients_once_staff_confirm_it() {
    let world = TestWorld::start();
    let account = world.vmm.change(|p| p.add_account("alice@example.com", "Pass-of-alice-1", "@user"));
    world.make_by_hand("her-old-vm", account);
    let item = world.ordered();
    let refusal = world.fail(item, "open");
    refusal.is(Kind::AccountTaken, "alice@example.com", &["it has VMs"]);
    let line = refusal.cure_line();
    let shown = world.bill.run(&line[..line.len() - 1]);
    for part in ["alice@example.com", "@user", "Nothing was changed"] {
        assert!(shown.stdout.contains(part), "{part}: {shown:#?}");
    }
    assert_eq!(world.refuse(item, "open"), refusal);
    let run = world.bill.run(&line);
    assert_eq!(run.status, Some(0), "{run:#?}");
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).account, account);
    assert_eq!(world.enters(item).1, "alice@example.com");
}

#[test]
fn nobody_gets_an_account_of_the_platforms_own_people() {
    let world = TestWorld::start();
    world.opened();
    let before = listed(&world);
    let staff = world.vmm.change(|p| p.add_account("help@example.net", "Pass-of-staff-1", "@advanced_admin"));
    let unknown = world.vmm.change(|p| p.add_account("who@example.net", "Pass-of-who-1", "@user"));
    world.vmm.change(|p| p.accounts.get_mut(&unknown).unwrap().shows_roles = false);
    for (account, why) in [(staff, "administrator"), (unknown, "does not say which role"), (4711, "no account 4711")] {
        let run = confirm(&world, world.bob, account, &["--yes"]);
        assert!(run.status == Some(1) && run.stderr.contains(why), "{why}: {run:#?}");
    }
    assert_eq!(listed(&world), before);
}

#[test]
fn an_account_changes_hands_only_by_its_owners_name() {
    let world = TestWorld::start();
    let item = world.opened();
    let account = world.host_of(item).account;
    let before = listed(&world);
    let alice = world.alice.to_string();
    for (from, why) in [(None, "client"), (Some("4711"), "is recorded as client")] {
        let more: Vec<&str> = from.map_or_else(Vec::new, |from| vec!["--from", from]);
        let run = confirm(&world, world.bob, account, &[&more[..], &["--yes"]].concat());
        assert!(run.status == Some(1) && run.stderr.contains(why), "{run:#?}");
        assert!(run.stderr.contains(&format!("--from {alice}")), "{run:#?}");
    }
    let run = confirm(&world, world.alice, account, &["--from", &alice, "--yes"]);
    assert!(run.status == Some(1) && run.stderr.contains("leave --from out"), "{run:#?}");
    assert_eq!(listed(&world), before);
    let run = confirm(&world, world.bob, account, &["--from", &alice, "--yes"]);
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(listed(&world)[0]["client"], json!(world.bob));
    // Her VM is in somebody else's account now.
    assert_eq!(world.refuse(item, "suspend").kind, Kind::Vm6Foreign);
}

/// Two services that a reseller sold on.
fn resold(world: &TestWorld) -> [u64; 2] {
    let template = Tariff::sized("resold", 1, 1024, 10_240).param("freedomain", "@USERNAME@-@ID@.vps.example.net");
    let tariff = world.bill.add_tariff(&template.handler(world.handler));
    ["901", "902"].map(|remote| world.opened_as(&Order::new(world.alice, tariff, world.handler).resold(remote)))
}

#[test]
fn each_resold_service_has_an_account_of_its_own() {
    let world = TestWorld::start();
    let own = world.opened();
    let items = resold(&world);
    for item in items {
        let email = format!("vm{item}@vps.example.net");
        assert_eq!((owner(&world, item), world.enters(item).1), (email.clone(), email));
        let account = world.host_of(item).account;
        let row = json!({ "platform": 1, "account": account, "client": world.alice, "service": item });
        assert!(listed(&world).as_array().unwrap().contains(&row), "{row}");
    }
    assert_eq!(world.enters(own).1, "alice@example.com");
    let text = world.bill.run(&["account"]).stdout;
    assert!(text.lines().any(|line| line.ends_with(&format!("  {}", items[1]))), "{text}");
}

#[test]
fn resold_services_share_the_resellers_account_where_that_is_set() {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "resold_accounts", "off");
    for item in resold(&world) {
        assert_eq!(
            (owner(&world, item), world.enters(item).1.as_str()),
            ("alice@example.com".into(), "alice@example.com")
        );
    }
}

#[test]
fn a_taken_account_of_a_resold_service_is_confirmed_for_that_service() {
    let world = TestWorld::start();
    let [first, _] = resold(&world);
    let order = Order::new(world.alice, world.tariff(), world.handler).resold("903");
    let item = world.bill.order(&order);
    let email = format!("vm{item}@example.com");
    let account = world.vmm.change(|p| p.add_account(&email, "Pass-of-whom-1", "@user"));
    world.make_by_hand("somebodys", account);
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::AccountTaken, "{refusal:?}");
    let run = world.bill.run(&refusal.cure_line());
    assert_eq!(run.status, Some(0), "{run:#?}");
    world.succeed(item, "open");
    assert_eq!(world.enters(item).1, email);
    assert_eq!(world.enters(first).1, format!("vm{first}@vps.example.net"));
    let other = world.ordered();
    let run = confirm(&world, world.bob, account, &["--item", &other.to_string(), "--yes"]);
    assert!(run.status == Some(1) && run.stderr.contains("not to client"), "{run:#?}");
    world.waive(Invariant::NothingForgotten, "nothing was opened for the last order");
}
