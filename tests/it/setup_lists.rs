//! `--command sync_server`: what clients may order is what VMmanager has.

use std::collections::BTreeSet;

use pmvmmanager6::error::Kind;
use sandbox::bill::{Database, Handler};
use sandbox::vmm::{Action, Fault, Os};

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

const KVM: [&str; 6] = [
    "ISPsystem EOL__CentOS 7",
    "ISPsystem__AlmaLinux 9",
    "ISPsystem__Debian 12",
    "ISPsystem__Ubuntu 22.04",
    "ISPsystem__Ubuntu 24.04",
    "ISPsystem__Windows Server 2022",
];

/// What a handler offers in a list parameter.
fn offered(world: &TestWorld, handler: u64, param: &str) -> BTreeSet<String> {
    let sql = "SELECT v.intname FROM itemtypeparamvalue v JOIN processingmodule2itemtypeparamvalue l
               ON l.itemtypeparamvalue = v.id JOIN itemtypeparam p ON v.itemtypeparam = p.id
               WHERE l.processingmodule = ? AND p.intname = ?";
    let rows = world.bill.rows(sql, &[&handler.to_string(), param]);
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn sync(world: &TestWorld, handler: u64) {
    let run = world.run(&["--command", "sync_server", "--module", &handler.to_string()]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
}

fn handler_of(world: &TestWorld, cluster: &str) -> u64 {
    world.bill.add_handler(&Handler::new(&world.vmm.url(), "admin@example.net", "Adm1n-secret-pass", cluster))
}

#[test]
fn usable_templates_of_the_cluster_are_offered_on_both_databases() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = TestWorld::on(*database);
        sync(&world, world.handler);
        assert_eq!(offered(&world, world.handler, "ostempl"), set(&KVM));
        assert_eq!(offered(&world, world.handler, "recipe"), set(&[]));
        let sql = "SELECT name, name_ru, disablepricelists FROM itemtypeparamvalue WHERE intname = ?";
        let row = &world.bill.rows(sql, &["ISPsystem__Debian 12"])[0];
        let texts: Vec<_> = row.iter().map(|text| text.as_deref().unwrap()).collect();
        assert_eq!(texts, ["Debian 12", "Debian 12", "on"], "in every language, and not sold before somebody says so");
        assert_eq!(world.mutations(), [""; 0], "VMmanager is only read");
    });
}

#[test]
fn lxd_and_kvm_do_not_mix() {
    let world = TestWorld::start();
    let lxd = handler_of(&world, "2");
    sync(&world, lxd);
    let own = ["ISPsystem LXD__AlmaLinux 9", "ISPsystem LXD__Debian 12", "ISPsystem LXD__Ubuntu 24.04"];
    assert_eq!(offered(&world, lxd, "ostempl"), set(&own));
    assert_eq!(offered(&world, world.handler, "ostempl"), set(&[]), "other handlers are not touched");
}

#[test]
fn only_differences_are_told() {
    let world = TestWorld::start();
    sync(&world, world.handler);
    world.forget();
    sync(&world, world.handler);
    assert_eq!(world.panel_calls(), [""; 0]);
    // Texts and sales are the administrator's.
    world.bill.exec(
        "UPDATE itemtypeparamvalue SET name = 'Debian (best)', disablepricelists = 'off' WHERE intname LIKE ?",
        &["%Debian 12"],
    );
    let other = handler_of(&world, "1");
    sync(&world, other);
    world.vmm.change(|platform| {
        platform.os.get_mut(&11).unwrap().state = "broken".into();
        platform.os.get_mut(&12).unwrap().clusters.clear();
        platform.os.get_mut(&13).unwrap().adminonly = true;
        let blank = platform.os[&14].clone();
        platform.os.insert(77, Os { id: 77, name: "Fedora 42 <&> \"x\" 🚀".into(), ..blank });
    });
    world.forget();
    sync(&world, world.handler);
    let left = set(&[KVM[0], KVM[3], KVM[5], "ISPsystem__Fedora 42 <&> \"x\" 🚀"]);
    assert_eq!(offered(&world, world.handler, "ostempl"), left);
    let calls = world.panel_calls();
    assert_eq!(calls.iter().filter(|call| *call == "itemtype.param.value.processing.suspend").count(), 3);
    assert_eq!(calls.len(), 4, "{calls:?}");
    assert_eq!(offered(&world, other, "ostempl"), set(&KVM), "the other handler was not asked");
    let name = world.bill.rows("SELECT name FROM itemtypeparamvalue WHERE intname LIKE ?", &["%Debian 12"]);
    assert_eq!(name[0][0].as_deref(), Some("Debian (best)"));
    // What comes back is offered again.
    world.vmm.change(|platform| platform.os.get_mut(&11).unwrap().state = "active".into());
    sync(&world, world.handler);
    assert!(offered(&world, world.handler, "ostempl").contains(KVM[2]));
}

#[test]
fn recipes_are_offered_when_they_are_used() {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "use_recipes", "on");
    sync(&world, world.handler);
    let runnable = ["ISPsystem__Bitrix-Env", "ISPsystem__Docker", "ISPsystem__LAMP", "local__docker"];
    assert_eq!(offered(&world, world.handler, "recipe"), set(&runnable), "those with parameters cannot be ordered");
    let log = world.bill.log();
    for (recipe, param) in [("ispmanager 6", "recipe_edition"), ("WordPress", "recipe_admin_password")] {
        let line =
            format!("recipe \"{recipe}\" is not offered before the item type vds has the parameters \"{param}\"");
        assert!(log.contains(&line), "{log}");
    }
    // An order can give what is required: whatever else the recipe takes may stay away.
    world.bill.add_order_param("recipe_edition", false);
    world.bill.add_order_param("recipe_ADMIN_PASSWORD", false);
    sync(&world, world.handler);
    let all = [&runnable[..], &["ISPsystem__WordPress", "ISPsystem__ispmanager 6"]].concat();
    assert_eq!(offered(&world, world.handler, "recipe"), set(&all));
    let line = "\"WordPress\": \"recipe_ADMIN_PASSWORD\" of the item type vds is a secret and is not stored encrypted";
    assert!(world.bill.log().contains(line), "{}", world.bill.log());
    // What is not told cannot be filled; what could not be asked changes nothing.
    let params = |action| world.vmm.fault(Fault::on("GET", "/vm/v3/recipe/5/params").always().act(action));
    params(Action::CloseBefore);
    let run = world.run(&["--command", "sync_server", "--module", &world.handler.to_string()]);
    assert_eq!(Refusal::of(&run).kind, Kind::Vm6Connect);
    assert_eq!(offered(&world, world.handler, "recipe"), set(&all));
    world.vmm.clear_faults();
    params(Action::WrongType);
    sync(&world, world.handler);
    assert_eq!(offered(&world, world.handler, "recipe"), set(&all[..5]));
    world.vmm.clear_faults();
    world.bill.set_handler(world.handler, "use_recipes", "off");
    sync(&world, world.handler);
    assert_eq!(offered(&world, world.handler, "recipe"), set(&[]));
}

#[test]
fn names_that_are_easily_mistaken_are_reported() {
    let world = TestWorld::start();
    let handler = handler_of(&world, "3");
    world.vmm.change(|platform| {
        let blank = platform.os[&12].clone();
        platform.os.insert(78, Os { id: 78, name: "ubuntu-24.04".into(), repository: 3, ..blank });
    });
    sync(&world, handler);
    let log = world.bill.log();
    assert!(
        log.contains("\"local__Ubuntu-24.04\", \"local__ubuntu-24.04\" differ by hyphens or letter case only"),
        "{log}"
    );
    let sql = "SELECT name FROM itemtypeparamvalue WHERE intname = ?";
    assert_eq!(world.bill.rows(sql, &["ISPsystem__Ubuntu 24.04"])[0][0].as_deref(), Some("Ubuntu 24.04"));
}

#[test]
fn nothing_is_withdrawn_when_vmmanager_does_not_answer() {
    let world = TestWorld::start();
    sync(&world, world.handler);
    let args = ["--command", "sync_server", "--module", &world.handler.to_string()];
    world.vmm.fault(Fault::on("GET", "/vm/v3/os").always().act(Action::Status { code: 500, body: "{}".into() }));
    assert_eq!(Refusal::of(&world.run(&args)).kind, Kind::Vm6Api);
    world.vmm.clear_faults();
    world.bill.set_handler(world.handler, "cluster", "77");
    Refusal::of(&world.run(&args)).is(Kind::ClusterNotFound, "cluster", &["77"]);
    world.bill.set_handler(world.handler, "url", "https://127.0.0.1:1");
    assert_eq!(Refusal::of(&world.run(&args)).kind, Kind::Vm6Connect);
    assert_eq!(offered(&world, world.handler, "ostempl"), set(&KVM));
    assert_eq!(world.bill.problems().len(), 1, "a connection failure is a problem of the handler");
}

#[test]
fn handlers_are_named_and_ours() {
    let world = TestWorld::start();
    let foreign = Handler { module: "pmvmmgr6".into(), ..Handler::new(&world.vmm.url(), "a@b.c", "x", "1") };
    let foreign = world.bill.add_handler(&foreign).to_string();
    for command in ["sync_server", "get_server_config", "stat", "import"] {
        let run = |args: &[&str]| Refusal::of(&world.run(&[&["--command", command], args].concat()));
        run(&[]).is(Kind::BadArgument, "module", &["--module"]);
        run(&["--module", "x"]).is(Kind::BadArgument, "module", &[]);
        run(&["--module", "4711"]).is(Kind::BadArgument, "module", &["4711"]);
        run(&["--module", &foreign]).is(Kind::UnsupportedModule, "pmvmmgr6", &[&foreign]);
    }
    world.bill.do_nothing(true);
    for command in ["sync_server", "get_server_config", "stat", "import"] {
        assert_eq!(world.run(&["--command", command, "--module", &world.handler.to_string()]).status, Some(0));
    }
    assert_eq!((world.panel_calls().len(), world.vmm.requests().len()), (0, 0), "a copied installation does nothing");
}
