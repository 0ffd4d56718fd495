//! Ids mean nothing outside their VMmanager: a service lives on one, its client has an account on each.

use sandbox::vmm::Host;

use crate::support::sites::{STRANGER, start_two};
use crate::support::world::TestWorld;

/// An open service of Alice's lives on to its end.
#[track_caller]
fn assert_lives(world: &TestWorld, item: u64) {
    world.bill.set_addon(item, "ncpu", 3);
    for command in ["setparam", "suspend", "resume"] {
        world.succeed(item, command);
    }
    assert_eq!(world.host_of(item).cpu_number, 3);
    assert_eq!(world.enters(item).1, "alice@example.com");
    world.succeed(item, "close");
    assert_eq!(world.placed(item).len(), 0);
}

fn owner(world: &TestWorld, site: usize, host: &Host) -> String {
    world.site(site).look(|platform| platform.accounts[&host.account].email.clone())
}

#[test]
fn a_client_has_an_account_on_each_vmmanager() {
    let world = start_two();
    let items = [0, 1].map(|site| world.opened_on(site, world.alice));
    for (site, item) in items.into_iter().enumerate() {
        let [(at, host)] = &world.placed(item)[..] else { panic!("one VM: {:#?}", world.placed(item)) };
        assert_eq!(*at, site);
        assert_eq!(owner(&world, site, host), "alice@example.com");
        assert_eq!(world.enters(item), (world.site(site).url(), "alice@example.com".to_owned()));
    }
    assert_ne!(world.account_on(0, "alice@example.com"), world.account_on(1, "alice@example.com"));
    let ids = items.map(|item| world.host_of(item).id);
    assert_eq!(ids[0], ids[1], "the ids collide");
    for item in items {
        assert_lives(&world, item);
    }
    assert!(world.account_on(1, STRANGER).is_some());
}
