//! The main job: a paid order becomes a running VPS, is suspended, resumed and closed. Every scenario runs on SQLite
//! and on a real MariaDB.

use std::collections::BTreeMap;

use pmvmmanager6::error::Kind;
use pmvmmanager6::journal::Phase;
use sandbox::bill::{Addon, Database, Format, Order, Tariff, billtype};
use sandbox::vmm::Request;
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::invariants::assert_sound;
use crate::support::service::{ACTIVE, SUSPENDED, USED};
use crate::support::world::TestWorld;

const DELETED: i64 = 4;

type Scenario = fn(&TestWorld);

/// One test per scenario on SQLite, and one that runs all of them on MariaDB.
macro_rules! scenarios {
    ($($name:ident,)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::play(&crate::support::world::TestWorld::start(), super::$name); })*
        }

        #[test]
        fn all_on_mariadb() {
            let scenarios: &[(&str, Scenario)] = &[$((stringify!($name), $name),)*];
            // Keeps the server alive from the first scenario to the last.
            let _server = TestWorld::on(Database::MariaDb);
            each(scenarios, |scenario| play(&TestWorld::on(Database::MariaDb), *scenario));
        }
    };
}

fn play(world: &TestWorld, scenario: Scenario) {
    scenario(world);
    assert_sound(world);
}

scenarios! {
    an_order_becomes_exactly_that_vm,
    repeated_operations_have_no_second_effect,
    every_client_has_an_account_and_services_of_his_own,
    services_of_one_client_are_told_apart,
    two_addresses_fill_two_slots,
    dual_stack_fills_slots_of_both_families,
    ipv6_alone_stands_for_the_service,
    a_preset_gives_the_sizes,
    a_preset_gives_what_the_tariff_leaves_out,
    a_trial_is_capped,
    units_are_converted,
    switches_choices_and_groups,
    the_ordered_password_is_kept,
    the_ordered_domain_is_kept,
    the_tariff_makes_the_domain,
    recipes_run_when_the_handler_allows_it,
    recipes_are_left_out_when_the_handler_forbids_it,
    an_lxd_cluster,
    tariff_parameters_win_over_the_handler,
    os_names_are_forgiven,
    an_account_is_found_in_other_letter_case,
    an_account_with_an_apostrophe_is_found,
    a_client_keeps_his_account_when_his_email_changes,
    reopen_keeps_a_living_vm,
    reopen_replaces_a_vm_that_is_gone,
    suspend_of_a_stopped_vm_and_resume_of_a_running_one,
    a_vm_that_is_gone_counts_as_closed,
    an_order_that_was_never_opened_is_closed,
    requests_stay_in_the_budget,
}

fn an_order_becomes_exactly_that_vm(world: &TestWorld) {
    let item = world.ordered();
    world.succeed(item, "open");

    let changes = world.changes();
    assert_eq!(world.mutations(), ["POST /vm/v3/account", "POST /vm/v3/host"]);
    let account = world.vmm.look(|platform| platform.account_by_email("alice@example.com").cloned()).unwrap();
    assert_eq!(account.roles, ["@user"]);
    assert_eq!(Some(&account.password), world.bill.secret(item, "userpassword").as_ref());
    let password = world.bill.secret(item, "password").unwrap();
    let body = json!({
        "name": format!("vps{item}"), "comment": world.mark(item), "cluster": 1, "account": account.id, "os": 11,
        "password": password, "cpu_number": 2, "ram_mib": 2048, "hdd_mib": 20_480, "ipv4_number": 1,
        "ipv6_enabled": false,
    });
    assert_eq!(changes[1].body.as_ref(), Some(&body));

    let host = world.host_of(item);
    assert_eq!((host.account, host.cluster, host.os), (account.id, 1, Some(11)));
    assert_eq!((host.cpu_number, host.ram_mib, host.state.as_str()), (2, 2048, "active"));
    let (disk, address) = world.vmm.look(|platform| {
        let addresses = platform.addresses(host.id, 4);
        assert_eq!(addresses.len(), 1);
        (platform.main_disk(host.id).unwrap().size_mib, addresses[0].ip_addr.clone())
    });
    assert_eq!((disk, host.starts, host.installs), (20_480, 1, 1));

    assert_eq!(world.bill.item(item).status, ACTIVE);
    let id = host.id.to_string();
    assert_params(
        world,
        item,
        &[("panelid", &id), ("serverid", &host.name), ("ip", &address)],
        &[("username", "alice@example.com"), ("vmmanager_url", &world.vmm.url()), ("domain", &host.domain)],
    );
    assert_eq!(addresses(world, item), [(address, USED)]);
    world.assert_phase(item, Phase::Ready);
}

fn repeated_operations_have_no_second_effect(world: &TestWorld) {
    let item = world.ordered();
    let id = {
        world.succeed(item, "open");
        world.host_of(item).id
    };
    let steps = [
        ("open", vec![], ACTIVE, Some("active")),
        ("suspend", vec![format!("POST /vm/v3/host/{id}/stop")], SUSPENDED, Some("stopped")),
        ("resume", vec![format!("POST /vm/v3/host/{id}/start")], ACTIVE, Some("active")),
        ("close", vec![format!("DELETE /vm/v3/host/{id}")], DELETED, None),
    ];
    for (command, expected, status, state) in steps {
        world.forget();
        if command != "open" {
            world.succeed(item, command);
            assert_eq!(world.mutations(), expected, "{command}");
        }
        for _ in 0..2 {
            world.forget();
            let run = world.run(&["--command", command, "--item", &item.to_string()]);
            assert!(run.done && run.stdout.is_empty(), "{command} again: {run:#?}\n{}", world.bill.log());
            assert_eq!(world.mutations(), [""; 0], "{command} again");
            assert_eq!(world.bill.item(item).status, status, "{command} again");
            let host = world.hosts_of(item).pop();
            assert_eq!(host.as_ref().map(|host| (host.id, host.state.as_str())), state.map(|state| (id, state)));
        }
    }
    assert_eq!(addresses(world, item), [], "the slot is free");
    world.assert_phase(item, Phase::Deleted);
    assert!(world.vmm.look(|platform| platform.account_by_email("alice@example.com").is_some()), "accounts stay");
}

fn every_client_has_an_account_and_services_of_his_own(world: &TestWorld) {
    let tariff = world.tariff();
    let order = |client| world.bill.order(&Order::new(client, tariff, world.handler));
    let [first, second, third] = [world.alice, world.alice, world.bob].map(order);
    for item in [first, second, third] {
        world.succeed(item, "open");
    }
    let owner = |item| world.host_of(item).account;
    assert_eq!(owner(first), owner(second));
    assert_ne!(owner(first), owner(third));
    let emails: Vec<String> =
        world.vmm.look(|platform| platform.accounts.values().map(|account| account.email.clone()).collect());
    assert_eq!(emails, ["admin@example.net", "alice@example.com", "bob@example.org"]);
    // The account's password belongs to the service whose order made it.
    assert!(world.bill.secret(first, "userpassword").is_some());
    assert_eq!(world.bill.secret(second, "userpassword"), None);
    let names = [first, second, third].map(|item| world.bill.params(item)["username"].clone());
    assert_eq!(names, ["alice@example.com", "alice@example.com", "bob@example.org"]);
}

fn services_of_one_client_are_told_apart(world: &TestWorld) {
    let (first, second, third) = (world.opened(), world.opened(), world.opened());
    let ids = [first, second, third].map(|item| world.host_of(item).id);
    world.succeed(second, "suspend");
    world.succeed(third, "close");
    assert_eq!(
        world.mutations(),
        [format!("POST /vm/v3/host/{}/stop", ids[1]), format!("DELETE /vm/v3/host/{}", ids[2])]
    );
    assert_eq!(world.host_of(first).state, "active");
    assert_eq!(world.host_of(second).state, "stopped");
    assert!(world.hosts_of(third).is_empty());
    let account = world.vmm.look(|platform| platform.account_by_email("alice@example.com").cloned()).unwrap();
    assert_eq!(account.state, "active", "suspension is per VM");
}

fn two_addresses_fill_two_slots(world: &TestWorld) {
    let item = world.bill.order(&world.usual_order().ips(2));
    world.succeed(item, "open");
    let host = world.host_of(item);
    let at_vmm: Vec<(String, i64)> =
        world.vmm.look(|platform| platform.addresses(host.id, 4).iter().map(|ip| (ip.ip_addr.clone(), USED)).collect());
    assert_eq!(at_vmm.len(), 2);
    assert_eq!(addresses(world, item), at_vmm);
    let added = world.bill.calls().into_iter().find(|call| call.function == "service.ip.add").unwrap();
    let (mask, gateway) = (added.param("mask"), added.param("gateway"));
    assert_eq!((mask, gateway), (Some("255.255.255.0"), Some("203.0.113.1")));
    world.succeed(item, "close");
    assert_eq!(addresses(world, item), []);
}

fn dual_stack_fills_slots_of_both_families(world: &TestWorld) {
    let item = world.bill.order(&Order::new(world.alice, world.tariffs.dual_stack, world.handler).ips6(1));
    world.succeed(item, "open");
    let body = creation(world);
    assert_eq!((&body["ipv4_number"], &body["ipv6_enabled"]), (&json!(1), &json!(true)));
    let host = world.host_of(item);
    let [v4, v6] = [4, 6].map(|family| world.vmm.look(|p| p.addresses(host.id, family)[0].ip_addr.clone()));
    let v6 = v6.split('/').next().unwrap_or_default().to_owned();
    let sql = "SELECT ip.name, t.intname FROM ip JOIN item a ON ip.item = a.id JOIN pricelist p ON a.pricelist = p.id
               JOIN itemtype t ON p.itemtype = t.id WHERE a.parent = ? AND ip.status = 2 ORDER BY t.intname";
    let slots = world.bill.rows(sql, &[&item.to_string()]);
    let expected = [(v4.as_str(), "ip"), (v6.as_str(), "ipv6")];
    assert_eq!(slots, expected.map(|(ip, kind)| vec![Some(ip.to_owned()), Some(kind.to_owned())]));
    assert_eq!(world.bill.params(item)["ip"], v4);
}

fn ipv6_alone_stands_for_the_service(world: &TestWorld) {
    let tariff = Tariff::new("IPv6 only")
        .addon(Addon::amount("ncpu", "", 1))
        .addon(Addon::amount("mem", "mib", 1024))
        .addon(Addon::amount("disk", "mib", 10_240))
        .addon(Addon::amount("ip", "", 0))
        .addon(Addon::amount("ipv6", "", 1))
        .addon(Addon::amount("ipv6subnet_prefix", "", 64));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler).ips(0).ips6(1));
    world.succeed(item, "open");
    let body = creation(world);
    assert_eq!((body.get("ipv4_number"), &body["ipv6_prefix"]), (None, &json!(64)));
    let ip = world.bill.params(item)["ip"].clone();
    assert!(ip.parse::<std::net::Ipv6Addr>().is_ok(), "{ip}");
    assert_eq!(addresses(world, item), [(ip, USED)]);
}

fn a_preset_gives_the_sizes(world: &TestWorld) {
    let item = world.bill.order(&Order::new(world.alice, world.tariffs.preset, world.handler));
    world.succeed(item, "open");
    let body = creation(world);
    let preset = world.vmm.look(|p| p.presets.values().find(|preset| preset.name == "KVM-SSD-1").cloned()).unwrap();
    assert_eq!(body["preset"], json!(preset.id));
    for own in ["cpu_number", "ram_mib", "hdd_mib"] {
        assert_eq!(body.get(own), None, "the platform refuses {own} beside a preset");
    }
    let host = world.host_of(item);
    assert_eq!((host.cpu_number, host.ram_mib), (preset.cpu_number, preset.ram_mib));
}

fn a_preset_gives_what_the_tariff_leaves_out(world: &TestWorld) {
    let tariff = Tariff::new("half a preset").preset("KVM-SSD-1").addon(Addon::amount("mem", "gib", 3));
    let tariff = world.bill.add_tariff(&tariff.addon(Addon::amount("ip", "", 1)).handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
    world.succeed(item, "open");
    let preset = world.vmm.look(|p| p.presets.values().find(|preset| preset.name == "KVM-SSD-1").cloned()).unwrap();
    let body = creation(world);
    assert_eq!(body.get("preset"), None);
    assert_eq!(
        (&body["cpu_number"], &body["ram_mib"], &body["hdd_mib"]),
        (&json!(preset.cpu_number), &json!(3072), &json!(preset.hdd_mib))
    );
}

fn a_trial_is_capped(world: &TestWorld) {
    let capped = |name: &str, unit: &str, included, trial| Addon {
        max_trial: Some(trial),
        ..Addon::amount(name, unit, included).max(1 << 20)
    };
    let tariff = Tariff::new("trial")
        .addon(capped("ncpu", "", 2, 1))
        .addon(capped("mem", "gib", 8, 2))
        .addon(Addon::amount("disk disc", "gib", 10))
        .addon(Addon::amount("ip", "", 1));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    for (period, cpu, ram) in [(-100, 1, 2048), (1, 6, 8192)] {
        world.forget();
        let order = Order { period, ..Order::new(world.alice, tariff, world.handler).addon("ncpu", "6") };
        let item = world.bill.order(&order);
        world.succeed(item, "open");
        let host = world.host_of(item);
        assert_eq!((host.cpu_number, host.ram_mib), (cpu, ram), "period {period}");
    }
}

fn units_are_converted(world: &TestWorld) {
    let tariff = Tariff::new("units")
        .addon(Addon::amount("ncpu", "piece", 1))
        .addon(Addon::amount("mem", "kib", 1024 * 1024 + 1))
        .addon(Addon::amount("disc", "tib", 1))
        .addon(Addon::amount("ip", "piece", 1))
        .addon(Addon::amount("inbound", "kbit/s", 10_001))
        .addon(Addon::amount("outbound", "gbit/s", 1));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
    world.succeed(item, "open");
    let body = creation(world);
    // Rounded up: a client never gets less than was ordered.
    assert_eq!((&body["ram_mib"], &body["hdd_mib"]), (&json!(1025), &json!(1 << 20)));
    assert_eq!((&body["net_in_mbitps"], &body["net_out_mbitps"]), (&json!(11), &json!(1000)));
}

fn switches_choices_and_groups(world: &TestWorld) {
    let member = |name: &str, unit: &str, included| Addon {
        compound: Some("size".to_owned()),
        ..Addon::amount(name, unit, included)
    };
    let tariff = Tariff::new("all kinds of add-ons")
        .addon(Addon { billtype: billtype::COMPOUND, ..Addon::amount("size", "", 0) })
        .addon(member("mem", "gib", 1))
        .addon(member("outbound", "mbit/s", 7))
        .addon(Addon::amount("ncpu", "", 1))
        .addon(Addon::amount("disk", "gib", 10))
        .addon(Addon { billtype: billtype::MANUAL, ..Addon::amount("inbound", "mbit/s", 5) })
        .addon(Addon { active: false, ..Addon::amount("ipv6subnet_prefix", "", 80) })
        .addon(Addon::amount("ip", "", 1))
        .addon(Addon::switch("ipv6", false))
        .addon(Addon::choice("ostempl_group", &["linux", "windows"]))
        .addon(Addon::statistic("in out", "gib", 1024));
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let order = Order::new(world.alice, tariff, world.handler).addon("mem", "2").addon("ostempl_group", "windows");
    for switch in ["off", "on"] {
        let item = world.bill.order(&order.clone().ips6(u32::from(switch == "on")));
        let switched = "UPDATE item SET boolvalue = ? WHERE parent = ? AND boolvalue IS NOT NULL";
        world.bill.exec(switched, &[switch, &item.to_string()]);
        world.forget();
        world.succeed(item, "open");
        let body = creation(world);
        // The chosen member of the group counts; what is not chosen, switched off, counted or made by hand is not sent.
        assert_eq!((&body["ram_mib"], &body["ipv6_enabled"]), (&json!(2048), &json!(switch == "on")));
        for absent in ["net_in_mbitps", "net_out_mbitps", "ipv6_prefix"] {
            assert_eq!(body.get(absent), None, "{body}");
        }
    }
}

fn the_ordered_password_is_kept(world: &TestWorld) {
    let password = "Ordered & <kept> 'pass' ä1";
    let item = world.bill.order(&world.usual_order().secret("password", password));
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).password, password);
    assert_eq!(world.bill.secret(item, "password").as_deref(), Some(password));
    assert!(!world.panel_calls().iter().any(|call| call.contains("saveparam password")), "it is saved already");
}

fn the_ordered_domain_is_kept(world: &TestWorld) {
    let item = world.bill.order(&world.usual_order().param("domain", "Shop.Example.COM"));
    world.succeed(item, "open");
    assert_eq!(creation(world)["domain"], json!("shop.example.com"));
    assert_eq!(world.bill.params(item)["domain"], "Shop.Example.COM");
}

fn the_tariff_makes_the_domain(world: &TestWorld) {
    let tariff = Tariff::sized("template", 1, 1024, 10_240).param("freedomain", "@USERNAME@-@ID@.@TYPE@.example.com");
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
    world.succeed(item, "open");
    let expected = format!("alice-{item}.vds.example.com");
    assert_eq!(world.host_of(item).domain, expected);
    assert_eq!(world.bill.params(item)["domain"], expected);
}

fn recipes_run_when_the_handler_allows_it(world: &TestWorld) {
    world.bill.set_handler(world.handler, "use_recipes", "on");
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    world.succeed(item, "open");
    assert_eq!(creation(world)["recipe_list"], json!([{ "recipe": 4 }]));
    assert_eq!(world.host_of(item).recipes, [4]);
    let none = world.bill.order(&world.usual_order().param("recipe", "null"));
    world.forget();
    world.succeed(none, "open");
    assert_eq!(creation(world).get("recipe_list"), None);
}

fn recipes_are_left_out_when_the_handler_forbids_it(world: &TestWorld) {
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    world.succeed(item, "open");
    assert_eq!(creation(world).get("recipe_list"), None);
}

fn an_lxd_cluster(world: &TestWorld) {
    world.bill.set_handler(world.handler, "cluster", "2");
    let item = world.bill.order(&world.usual_order().param("ostempl", "ISPsystem LXD__Debian 12"));
    world.succeed(item, "open");
    let host = world.host_of(item);
    assert_eq!((host.cluster, host.os), (2, Some(31)));
    world.succeed(item, "suspend");
    world.succeed(item, "resume");
    world.succeed(item, "close");
}

fn tariff_parameters_win_over_the_handler(world: &TestWorld) {
    let tariff = Tariff::sized("cluster 3", 1, 1024, 10_240).param("cluster", "3").param("ippool", "4");
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
    world.succeed(item, "open");
    let body = creation(world);
    assert_eq!((&body["cluster"], &body["ipv4_pool"]), (&json!(3), &json!([4])));
}

fn os_names_are_forgiven(world: &TestWorld) {
    for name in ["ISPsystem__Debian-12", "ispsystem__debian 12", " ISPsystem__Debian  12 "] {
        world.forget();
        let item = world.bill.order(&world.usual_order().param("ostempl", name));
        world.succeed(item, "open");
        assert_eq!(creation(world)["os"], json!(11), "{name}");
    }
    // On cluster 3 both spellings exist: the exact one is taken.
    world.bill.set_handler(world.handler, "cluster", "3");
    world.forget();
    let item = world.bill.order(&world.usual_order().param("ostempl", "local__Ubuntu-24.04"));
    world.succeed(item, "open");
    assert_eq!(creation(world)["os"], json!(19));
}

fn an_account_is_found_in_other_letter_case(world: &TestWorld) {
    let account = world.vmm.change(|p| p.add_account("Alice@Example.COM", "Pass-of-alice-1", "@user"));
    let item = world.ordered();
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).account, account);
    assert_eq!(world.vmm.look(|platform| platform.accounts.len()), 2, "no second account");
    assert_eq!(world.bill.params(item)["username"], "Alice@Example.COM");
    assert_eq!(world.bill.secret(item, "userpassword"), None, "a password that was not set is shown to nobody");
    for command in ["suspend", "resume", "close"] {
        world.succeed(item, command);
    }
}

fn an_account_with_an_apostrophe_is_found(world: &TestWorld) {
    let client = world.bill.add_client("Miles O'Brien", "miles.o'brien@example.com");
    let account = world.vmm.change(|p| p.add_account("miles.o'brien@example.com", "Pass-of-miles-1", "@user"));
    let item = world.bill.order(&Order { client, ..world.usual_order() });
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).account, account);
    assert_eq!(world.mutations(), ["POST /vm/v3/host"]);
}

fn a_client_keeps_his_account_when_his_email_changes(world: &TestWorld) {
    let first = world.opened();
    let account = world.host_of(first).account;
    let alice = world.alice.to_string();
    world
        .bill
        .exec("UPDATE user SET email = 'alice@new.example', name = 'alice@new.example' WHERE account = ?", &[&alice]);
    let second = world.ordered();
    world.succeed(second, "open");
    assert_eq!(world.host_of(second).account, account);
    assert_eq!(world.vmm.look(|platform| platform.accounts.len()), 2, "no second account");
    for command in ["suspend", "resume", "close"] {
        world.succeed(first, command);
        world.succeed(second, command);
    }
}

fn reopen_keeps_a_living_vm(world: &TestWorld) {
    let item = world.opened();
    let (host, before) = (world.host_of(item), world.snapshot(item));
    world.succeed(item, "reopen");
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.panel_calls(), ["service.postreopen"]);
    assert_eq!(world.snapshot(item), before);
    assert_eq!(world.host_of(item).installs, host.installs, "an OS is never installed again");
}

fn reopen_replaces_a_vm_that_is_gone(world: &TestWorld) {
    let item = world.opened();
    let gone = world.host_of(item).id;
    let password = world.bill.secret(item, "password");
    world.vmm.change(|platform| platform.remove_host(gone));
    world.succeed(item, "reopen");
    let host = world.host_of(item);
    assert_ne!(host.id, gone);
    assert_eq!(world.mutations(), ["POST /vm/v3/host"]);
    let params = world.bill.params(item);
    assert_eq!(params["panelid"], host.id.to_string());
    assert_eq!(world.bill.secret(item, "password"), password);
    let address = world.vmm.look(|platform| platform.addresses(host.id, 4)[0].ip_addr.clone());
    assert_eq!(params["ip"], address);
    assert_eq!(world.bill.item(item).status, ACTIVE);
}

fn suspend_of_a_stopped_vm_and_resume_of_a_running_one(world: &TestWorld) {
    let item = world.opened();
    let id = world.host_of(item).id;
    world.alter(id, |host| host.state = "stopped".into());
    world.succeed(item, "suspend");
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.bill.item(item).status, SUSPENDED);
    world.alter(id, |host| host.state = "active".into());
    world.succeed(item, "resume");
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.bill.item(item).status, ACTIVE);
}

fn a_vm_that_is_gone_counts_as_closed(world: &TestWorld) {
    let item = world.opened();
    let id = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(id));
    for command in ["suspend", "resume"] {
        world.fail(item, command).is(
            Kind::Vm6NotFound,
            &format!("service {item}"),
            &[&id.to_string(), &world.mark(item)],
        );
        world.drop_operations();
    }
    world.succeed(item, "close");
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.bill.item(item).status, DELETED);
    assert_eq!(addresses(world, item), []);
}

fn an_order_that_was_never_opened_is_closed(world: &TestWorld) {
    let item = world.ordered();
    world.drop_operations();
    world.succeed(item, "close");
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.bill.item(item).status, DELETED);
}

/// What each command may cost: requests besides polling and login.
fn requests_stay_in_the_budget(world: &TestWorld) {
    let item = world.ordered();
    for (command, most) in [("open", 8), ("suspend", 3), ("resume", 3), ("close", 3)] {
        world.forget();
        world.succeed(item, command);
        let requests = world.vmm.requests();
        // While a VM is being made, its task and its state are polled.
        let sent = requests.iter().position(|r| r.method == "POST" && r.path == "/vm/v3/host");
        let is_poll = |(at, request): (usize, &Request)| {
            request.path == "/vm/v3/task" || (sent.is_some_and(|sent| at > sent) && request.path == "/vm/v3/host")
        };
        let counted: Vec<String> = (0..)
            .zip(&requests)
            .filter(|(at, r)| r.path != "/auth/v4/public/token" && !is_poll((*at, r)))
            .map(|(_, r)| format!("{} {}?{}", r.method, r.path, r.query))
            .collect();
        assert!(counted.len() <= most, "{command} makes {} requests: {counted:#?}", counted.len());
    }
    assert_eq!(world.vmm.logins(), 1, "one login for all processes");
}

/// Every form and length of the panel's key [protocol 5.9].
#[test]
fn keys_of_every_kind() {
    let kinds = [(1024, Format::Pkcs1), (1024, Format::Pkcs8), (2048, Format::Pkcs8), (4096, Format::Pkcs1)];
    let cases = kinds.map(|(bits, format)| ("a key", (bits, format)));
    each(&cases, |&(bits, format)| {
        let world = TestWorld::with(|scene| scene.bill.key = sandbox::bill::Key { bits, format });
        let item = world.bill.order(&world.usual_order().secret("password", "Ordered-pass-1"));
        world.succeed(item, "open");
        assert_eq!(world.host_of(item).password, "Ordered-pass-1", "{bits} {format:?}");
    });
}

/// The exact plain parameters of a service: those of the order, and the given ones.
#[track_caller]
fn assert_params(world: &TestWorld, item: u64, facts: &[(&str, &str)], more: &[(&str, &str)]) {
    let ordered = [("ostempl", "ISPsystem__Debian 12")];
    let expected = ordered.iter().chain(facts).chain(more);
    let expected: BTreeMap<String, String> = expected.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    assert_eq!(world.bill.params(item), expected);
}

/// Address and status of each slot.
fn addresses(world: &TestWorld, item: u64) -> Vec<(String, i64)> {
    world.bill.slots(item).into_iter().map(|(_, address, status)| (address, status)).collect()
}

/// Body of the one creation.
#[track_caller]
fn creation(world: &TestWorld) -> Value {
    let is_creation = |request: &Request| request.method == "POST" && request.path == "/vm/v3/host";
    let mut bodies: Vec<Value> =
        world.vmm.requests().into_iter().filter(is_creation).filter_map(|request| request.body).collect();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    bodies.remove(0)
}
