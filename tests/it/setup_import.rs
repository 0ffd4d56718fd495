//! `--command import`: VMs without a service become services, and VMmanager notices nothing.

use pmvmmanager6::error::Kind;
use sandbox::bill::Database;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

#[track_caller]
fn import(world: &TestWorld, search: &str) -> Vec<u64> {
    let before = imported(world);
    let args =
        ["--command", "import", "--module", &world.handler.to_string(), "--itemtype", "vds", "--searchstring", search];
    let run = world.run(&args);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
    imported(world).into_iter().filter(|item| !before.contains(item)).collect()
}

/// Services that belong to nobody yet.
fn imported(world: &TestWorld) -> Vec<u64> {
    let rows = world.bill.rows("SELECT id FROM item WHERE account IS NULL AND parent IS NULL ORDER BY id", &[]);
    rows.into_iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect()
}

/// A client's VM that nobody sold.
fn stray(world: &TestWorld, name: &str, email: &str) -> u64 {
    let owner = world.vmm.change(|platform| match platform.account_by_email(email) {
        Some(account) => account.id,
        None => platform.add_account(email, "Client-pass-1", "@user"),
    });
    world.make_by_hand(name, owner)
}

#[test]
fn a_vm_is_offered_with_its_facts_on_both_databases() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = TestWorld::on(*database);
        let vm = stray(&world, "old-1", "carol@example.com");
        world.vmm.change(|platform| platform.hosts.get_mut(&vm).unwrap().domain = "shop.example.com".into());
        let address = world.vmm.look(|platform| platform.addresses(vm, 4)[0].ip_addr.clone());
        let items = import(&world, "");
        assert_eq!(items.len(), 1, "{}", world.bill.log());
        let (item, params) = (world.bill.item(items[0]), world.bill.params(items[0]));
        assert_eq!((item.status, item.period, item.processingmodule), (2, 1, Some(world.handler)));
        assert_eq!(item.name, "shop.example.com (1 CPU, 1024 MiB, disk 20480 MiB, carol@example.com)");
        assert_eq!(params["panelid"], vm.to_string());
        assert_eq!(params["serverid"], "old-1");
        assert_eq!(params["ip"], address);
        assert_eq!(params["domain"], "shop.example.com");
        assert_eq!(params["ostempl"], "ISPsystem__Debian 12");
        assert_eq!(world.mutations(), [""; 0], "VMmanager is only read");
        assert_eq!(import(&world, ""), [0; 0], "nothing is offered twice");
    });
}

#[test]
fn sold_foreign_and_the_platform_s_own_vms_are_left_out() {
    let world = TestWorld::start();
    let sold = world.opened();
    let own = world.make_by_hand("panel-backup", 1);
    let readonly =
        world.vmm.change(|platform| platform.add_account("audit@example.net", "Audit-pass-1", "admin.readonly"));
    world.make_by_hand("audit", readonly);
    let marked = stray(&world, "elsewhere", "carol@example.com");
    let (other, making) = (stray(&world, "lxd", "carol@example.com"), stray(&world, "making", "carol@example.com"));
    world.vmm.change(|platform| {
        platform.hosts.get_mut(&marked).unwrap().comment = "billmgr:ffffffffffff:1".into();
        platform.hosts.get_mut(&other).unwrap().cluster = 2;
        platform.hosts.get_mut(&making).unwrap().state = "creating".into();
    });
    assert_eq!(import(&world, ""), [0; 0]);
    let log = world.bill.log();
    for reason in [
        format!("VM {own} (panel-backup) is not offered: it belongs to the administrator admin@example.net"),
        format!("VM {} ", world.host_of(sold).id),
        format!("VM {marked} (elsewhere) is not offered: it has the mark"),
    ] {
        assert!(log.contains(&reason), "{reason}\n{log}");
    }
}

#[test]
fn words_choose_by_id_name_domain_and_address() {
    let world = TestWorld::start();
    let vms = ["web-1", "web-2", "db-1", "mail"].map(|name| stray(&world, name, "carol@example.com"));
    world.vmm.change(|platform| platform.hosts.get_mut(&vms[3]).unwrap().domain = "MX.example.com".into());
    let address = world.vmm.look(|platform| platform.addresses(vms[2], 4)[0].ip_addr.clone());
    let named =
        |items: Vec<u64>| items.into_iter().map(|item| world.bill.params(item)["serverid"].clone()).collect::<Vec<_>>();
    assert_eq!(named(import(&world, "nothing 1")), [""; 0], "a number is an id, not a part of a name");
    assert_eq!(named(import(&world, &format!("{} mx.EXAMPLE", vms[1]))), ["web-2", "mail"]);
    assert_eq!(named(import(&world, &format!("nothing,{address}, ,"))), ["db-1"], "commas separate too");
    assert_eq!(named(import(&world, "WEB")), ["web-1"]);
}

#[test]
fn an_imported_service_works_once_it_is_its_owner_s() {
    let world = TestWorld::start();
    let vm = stray(&world, "old-1", "alice@example.com");
    let item = import(&world, "")[0];
    let tariff = world.tariff();
    world.bill.exec(
        "UPDATE item SET account = ?, pricelist = ? WHERE id = ?",
        &[&world.bob.to_string(), &tariff.to_string(), &item.to_string()],
    );
    world.forget();
    assert_eq!(world.fail(item, "stop").kind, Kind::Vm6Foreign, "Bob does not get Alice's VM");
    assert_eq!(world.mutations(), [""; 0]);
    world.bill.set_item(item, "account", world.alice);
    world.succeed(item, "stop");
    assert_eq!(world.host_of(item).id, vm, "the mark is there now");
}

#[test]
fn other_item_types_are_refused() {
    let world = TestWorld::start();
    let run = world.run(&["--command", "import", "--module", &world.handler.to_string(), "--itemtype", "domain"]);
    Refusal::of(&run).is(Kind::BadArgument, "itemtype", &["domain"]);
}
