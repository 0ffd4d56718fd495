//! What a tariff sells beyond sizes and addresses: it is delivered where VMmanager is proved to know it, and named elsewhere.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Order, Tariff, billtype};
use sandbox::vmm::{Description, Known};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::world::TestWorld;

/// Everything that needs a proof, small.
fn tuned() -> Tariff {
    let tariff = Tariff::sized("tuned", 1, 1024, 10_240).addon(Addon::choice("cpu_mode", &["host-model", "custom"]));
    tariff
        .addon(Addon::choice("cpu_custom_model", &["EPYC-Rome", "Skylake-Server"]))
        .addon(Addon::amount("cpu_weight", "", 200).max(1000))
        .addon(Addon::amount("io_weight", "", 300).max(1000))
        .addon(Addon::amount("iolimit", "mib", 10).max(1000))
        .addon(Addon::amount("iopslimit", "iops", 500).max(1000))
        .addon(Addon::switch("anti_spoofing", true))
}

/// What that becomes; 10 MiB a second are 83.9 Mbit/s.
const FIELDS: &str = r#"{"anti_spoofing":true,"cpu_mode":"host-model","cpu_weight":200,"io_read_iops":500,"io_read_mbitps":84,
    "io_weight":300,"io_write_iops":500,"io_write_mbitps":84}"#;
const NAMES: [&str; 6] = ["cpu_mode", "cpu_weight", "io_weight", "iolimit", "iopslimit", "anti_spoofing"];

/// A world in which requests know these limits and modes, and `verify` has looked.
fn world(at_creation: Known, at_change: Known) -> TestWorld {
    let world = TestWorld::start();
    know(&world, at_creation, at_change);
    world
}

fn know(world: &TestWorld, at_creation: Known, at_change: Known) {
    world.vmm.change(|platform| {
        (platform.variant.tuning_at_creation, platform.variant.tuning_at_change) = (at_creation, at_change);
    });
    let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
    assert_eq!(run.status, Some(0), "{run:?}");
    world.forget();
}

fn order(world: &TestWorld, tariff: Tariff) -> u64 {
    let tariff = world.bill.add_tariff(&tariff.handler(world.handler));
    world.bill.order(&Order::new(world.alice, tariff, world.handler))
}

/// What a VM has of everything that needs a proof, as far as it has something.
fn has(world: &TestWorld, item: u64) -> Value {
    let Value::Object(mut all) = serde_json::to_value(world.host_of(item).tuning).unwrap() else { unreachable!() };
    all.retain(|name, value| {
        !name.starts_with("net_") && !["nesting", "firewall_rules"].contains(&name.as_str()) && !value.is_null()
    });
    Value::Object(all)
}

fn fields() -> Value {
    serde_json::from_str(FIELDS).unwrap()
}

/// Names of the add-ons that staff was told of, with the texts.
fn reported(world: &TestWorld) -> Vec<String> {
    let rows = world.bill.rows("SELECT params FROM problem WHERE name = 'processingmodule_connect' ORDER BY id", &[]);
    let text = |row: &Vec<Option<String>>| {
        let params: Value = serde_json::from_str(row[0].as_deref().unwrap()).unwrap();
        params["errormsg"].as_str().unwrap().to_owned()
    };
    rows.iter().map(text).collect()
}

fn audited(world: &TestWorld) -> Vec<Value> {
    let run = world.bill.run(&["audit", "--module", &world.handler.to_string(), "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let findings = document["handlers"][0]["findings"].as_array().or(document["findings"].as_array());
    findings.unwrap_or_else(|| panic!("{document:#}")).clone()
}

#[test]
fn what_is_proved_is_delivered_changed_planned_and_judged() {
    let world = world(Known::All, Known::All);
    let item = order(&world, tuned());
    let plan = world.bill.run(&["plan", "--item", &item.to_string()]);
    assert!(plan.stdout.contains("io_read_mbitps=84") && plan.stdout.contains("anti_spoofing=true"), "{}", plan.stdout);
    world.succeed(item, "open");
    assert_eq!(has(&world, item), fields());
    assert_eq!((audited(&world), reported(&world)), (vec![], vec![]));
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!(world.mutations(), [""; 0], "nothing differs");

    for (name, value) in [("cpu_mode", "custom"), ("cpu_custom_model", "Skylake-Server"), ("anti_spoofing", "off")] {
        world.bill.set_addon(item, name, value);
    }
    world.bill.set_addon(item, "cpu_weight", 900);
    let found = audited(&world);
    assert!(found.len() == 1 && found[0]["kind"] == "size", "{found:?}");
    assert!(
        found[0]["should"].as_str().unwrap().contains("cpu_custom_model Skylake-Server, cpu_mode custom"),
        "{found:?}"
    );
    let plan = world.bill.run(&["plan", "--item", &item.to_string(), "--command", "setparam"]);
    for part in ["cpu_weight=900", "cpu_mode=custom", "anti_spoofing=false", "cpu_weight 200 → 900"] {
        assert!(plan.stdout.contains(part), "no {part} in {}", plan.stdout);
    }
    world.succeed(item, "setparam");
    let mut expected = fields();
    expected["cpu_mode"] = json!("custom");
    expected["cpu_custom_model"] = json!("Skylake-Server");
    (expected["cpu_weight"], expected["anti_spoofing"]) = (json!(900), json!(false));
    assert_eq!((has(&world, item), world.host_of(item).starts), (expected, 2), "with one restart");
    assert_eq!(audited(&world), [] as [Value; 0]);
}

#[test]
fn what_is_not_proved_is_named_once_and_the_order_carried_out() {
    let cases = [
        ("unknown to VMmanager", (Known::None, Description::Api)),
        ("known in part", (Known::Without("io_weight"), Description::Api)),
        ("known, but not described", (Known::All, Description::Missing)),
    ];
    each(&cases, |(known, description)| {
        let world = TestWorld::start();
        world.vmm.change(|platform| platform.variant.description = *description);
        know(&world, *known, *known);
        let item = order(&world, tuned());
        world.succeed(item, "open");
        assert_eq!(has(&world, item), json!({"anti_spoofing": false}));
        let texts = reported(&world);
        assert_eq!(texts.len(), NAMES.len(), "{texts:?}");
        for name in NAMES {
            assert!(texts.iter().any(|text| text.contains(&format!("delivered, {name}:"))), "{name}: {texts:?}");
        }
        let found = audited(&world);
        let kinds: Vec<&str> = found.iter().map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["addon"], "{found:?}");
        assert!(found[0]["advice"].as_str().unwrap().ends_with(&NAMES.join(", ")), "{found:?}");
        world.forget();
        world.succeed(item, "setparam");
        assert_eq!((world.mutations(), reported(&world).len()), (vec![], NAMES.len()));
    });
}

#[test]
fn what_is_not_proved_is_refused_where_the_handler_says_so() {
    let world = world(Known::None, Known::None);
    world.bill.set_handler(world.handler, "unknown_addons", "refuse");
    let item = order(&world, tuned());
    world.fail(item, "open").is(Kind::AddonUnsupported, &NAMES.join(", "), &["cpu_weight", "report"]);
    assert!(world.mutations().is_empty() && world.vmm.look(|platform| platform.hosts.is_empty()));
    know(&world, Known::All, Known::All);
    world.succeed(item, "open");
    assert_eq!(has(&world, item), fields());
}

#[test]
fn only_new_vms_get_what_only_creation_is_proved_to_set() {
    let world = world(Known::All, Known::None);
    let item = order(&world, tuned());
    world.succeed(item, "open");
    assert_eq!((has(&world, item), reported(&world)), (fields(), vec![]));
    world.succeed(item, "setparam");
    world.bill.set_addon(item, "cpu_weight", 900);
    let plan = world.bill.run(&["plan", "--item", &item.to_string(), "--command", "setparam"]);
    assert!(plan.stdout.contains("problems.register") && plan.stdout.contains("cpu_weight"), "{}", plan.stdout);
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!((has(&world, item), world.mutations()), (fields(), vec![]));
    let texts = reported(&world);
    assert!(texts.len() == 1 && texts[0].contains("cpu_weight") && texts[0].contains("new VMs only"), "{texts:?}");
    let found = audited(&world);
    assert!(found.len() == 1 && found[0]["kind"] == "addon" && found[0]["is"] == "cpu_weight 200", "{found:?}");
}

#[test]
fn a_new_vm_is_changed_where_only_a_change_is_proved() {
    let world = world(Known::None, Known::All);
    let item = order(&world, tuned());
    world.succeed(item, "open");
    assert_eq!((has(&world, item), reported(&world)), (fields(), vec![]));
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!(world.mutations(), [""; 0]);
}

/// A change that nobody can see must not be made again and again: each may restart the VM.
#[test]
fn a_vm_that_does_not_show_its_limits_is_left_alone() {
    let world = world(Known::All, Known::All);
    world.vmm.change(|platform| platform.variant.shows_tuning = false);
    let item = order(&world, tuned());
    world.succeed(item, "open");
    assert_eq!(has(&world, item), fields());
    world.bill.set_addon(item, "cpu_weight", 900);
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!((world.mutations(), audited(&world)), (vec![], vec![]));
}

#[test]
fn a_vm_configuration_gives_what_the_add_ons_leave_out() {
    let world = world(Known::All, Known::All);
    let preset = Tariff::new("preset").preset("KVM-SSD-1").addon(Addon::amount("ip", "", 1));
    let item = order(&world, preset.addon(Addon::amount("io_weight", "", 300)));
    world.succeed(item, "open");
    let host = world.host_of(item);
    assert_eq!((host.cpu_number, host.ram_mib, host.tuning.io_weight), (2, 2048, Some(300)));
}

#[test]
fn containers_have_no_cpu_mode() {
    let world = world(Known::All, Known::All);
    world.bill.set_handler(world.handler, "cluster", "2");
    let tariff = world.bill.add_tariff(&tuned().handler(world.handler));
    let order = Order::new(world.alice, tariff, world.handler);
    let item = world.bill.order(&order.param("ostempl", "ISPsystem LXD__Debian 12"));
    world.fail(item, "open").is(Kind::BadParam, "cpu_mode", &["host-model", "LXD"]);
    assert!(world.vmm.look(|platform| platform.hosts.is_empty()));
}

/// A tariff with add-ons that nobody here delivers: one paid, one included, one on, one chosen; and some that cost nothing.
fn foreign() -> Tariff {
    let by_staff = Addon { billtype: billtype::MANUAL, ..Addon::amount("administration", "", 1) };
    Tariff::sized("foreign", 1, 1024, 10_240)
        .addon(Addon::amount("privateip", "", 2))
        .addon(Addon::switch("monitoring", true))
        .addon(Addon::choice("panel", &["ispmanager-lite", "none"]))
        .addon(Addon::choice("cluster", &["fast"]))
        .addon(Addon::amount("numproc", "", 0).max(10))
        .addon(Addon::switch("ddos", false))
        .addon(Addon::choice("ns", &["none", "four"]))
        .addon(by_staff)
}

#[test]
fn staff_is_told_of_an_unknown_add_on_once_for_each_tariff() {
    let world = TestWorld::start();
    let tariff = world.bill.add_tariff(&foreign().handler(world.handler));
    let order = || world.bill.order(&Order::new(world.alice, tariff, world.handler));
    let first = order();
    world.succeed(first, "open");
    let texts = reported(&world);
    assert_eq!(texts.len(), 4, "{texts:?}");
    for name in ["privateip", "monitoring", "panel", "cluster"] {
        let about = |text: &&String| text.contains(&format!("delivered, {name}: ")) && text.contains("\"foreign\"");
        assert_eq!(texts.iter().filter(about).count(), 1, "{name}: {texts:?}");
    }
    world.succeed(order(), "open");
    world.succeed(first, "setparam");
    assert_eq!(reported(&world).len(), 4);
    // A client who orders more of it.
    world.bill.set_addon(first, "numproc", 5);
    world.succeed(first, "setparam");
    assert!(reported(&world)[4].contains("numproc"));
    // Another tariff is another promise.
    let other = crate::addons::order(&world, foreign());
    world.succeed(other, "open");
    assert_eq!(reported(&world).len(), 9);
}

#[test]
fn an_unknown_add_on_is_refused_before_anything_is_asked() {
    let world = TestWorld::start();
    let item = order(&world, foreign());
    world.bill.set_handler(world.handler, "unknown_addons", "refuse");
    let names = "cluster, monitoring, panel, privateip";
    world.fail(item, "open").is(Kind::AddonUnsupported, names, &["does not know"]);
    assert_eq!(world.requests().len(), 0, "{:?}", world.requests());
    world.bill.set_handler(world.handler, "unknown_addons", "report");
    world.succeed(item, "open");
    world.bill.set_handler(world.handler, "unknown_addons", "refuse");
    world.forget();
    world.fail(item, "setparam").is(Kind::AddonUnsupported, names, &[]);
    assert_eq!(world.mutations(), [""; 0]);
    world.bill.exec("DELETE FROM runningoperation WHERE item = ?", &[&item.to_string()]);
    // What frees and protects a VM never depends on a tariff.
    for command in ["suspend", "resume", "close"] {
        world.succeed(item, command);
    }
}

#[test]
fn a_pool_is_chosen_by_id_or_name() {
    let pool = |world: &TestWorld, item: u64| {
        let host = world.host_of(item).id;
        world.vmm.look(|platform| platform.addresses(host, 4).iter().map(|ip| ip.ippool).collect::<Vec<_>>())
    };
    let world = TestWorld::start();
    let name = world.vmm.look(|platform| platform.pools[&2].name.clone());
    let tariff = |choice: &str| Tariff::sized("pool", 1, 1024, 10_240).addon(Addon::choice("ippool", &[choice]));
    for choice in ["2", &name, &name.to_uppercase().replace('-', " ")] {
        let item = order(&world, tariff(choice));
        world.succeed(item, "open");
        world.bill.set_addon(item, "ip", 2);
        world.succeed(item, "setparam");
        assert_eq!(pool(&world, item), [2; 2], "{choice}");
    }
    let item = order(&world, tariff("2").param("ippool", "1"));
    world.succeed(item, "open");
    assert_eq!(pool(&world, item), [1], "the tariff's own field goes first");
    for (choice, reason) in [("77", "no pool"), ("gold", "no pool"), ("4", "does not serve")] {
        let item = order(&world, tariff(choice));
        let possible = format!("2 ({name})");
        world.forget();
        world.fail(item, "open").is(Kind::BadParam, "ippool", &[&format!("\"{choice}\""), reason, &possible]);
        assert_eq!(world.mutations(), [""; 0], "{choice}");
    }
}

#[test]
fn values_that_cannot_be_understood_are_refused_before_anything_is_asked() {
    let with = |addon: Addon| Tariff::sized("bad", 1, 1024, 10_240).addon(addon);
    let cases = [
        ("cpu_mode", with(Addon::choice("cpu_mode", &["turbo"])), &["\"turbo\"", "host-passthrough"]),
        ("cpu_mode", with(Addon::choice("cpu_mode", &["custom"])), &["\"custom\"", "cpu_custom_model"]),
        ("cpu_custom_model", with(Addon::choice("cpu_custom_model", &["a/b"])), &["\"a/b\"", "Skylake"]),
        ("cpu_weight", with(Addon::amount("cpu_weight", "", -5)), &["\"-5\"", "whole number"]),
        ("iolimit", with(Addon::amount("iolimit", "", 10)), &["\"10\"", "no unit"]),
        ("iolimit", with(Addon::amount("iolimit", "mhz", 10)), &["10 mhz", "mbit/s"]),
        ("iopslimit", with(Addon::amount("iopslimit", "mhz", 10)), &["10 mhz", "iops"]),
        ("anti_spoofing", with(Addon::choice("anti_spoofing", &["strict"])), &["\"strict\"", "on, off"]),
    ];
    let world = world(Known::All, Known::All);
    for (name, tariff, parts) in cases {
        let item = order(&world, tariff);
        world.fail(item, "open").is(Kind::BadParam, name, parts);
        assert!(world.requests().is_empty(), "{name}: {:?}", world.requests());
    }
    let prefix = with(Addon::amount("ipv6", "", 1)).addon(Addon::choice("ipv6subnet_prefix", &["big"]));
    let prefix = world.bill.add_tariff(&prefix.handler(world.handler));
    let item = world.bill.order(&Order::new(world.alice, prefix, world.handler).ips6(1));
    world.fail(item, "open").is(Kind::BadParam, "ipv6subnet_prefix", &["\"big\"", "prefix64"]);
}

#[test]
fn choices_give_the_os_and_the_length_of_the_ipv6_network() {
    let world = TestWorld::start();
    let tariff = Tariff::sized("choices", 1, 1024, 10_240).addon(Addon::amount("ipv6", "", 1));
    let tariff = tariff.addon(Addon::choice("ipv6subnet_prefix", &["prefix64"]));
    let tariff = tariff.addon(Addon::choice("ostempl", &["ISPsystem__Debian 12"])).handler(world.handler);
    let tariff = world.bill.add_tariff(&tariff);
    let item = world.bill.order(&Order::new(world.alice, tariff, world.handler).param("ostempl", "").ips6(1));
    world.succeed(item, "open");
    let host = world.host_of(item);
    let os = world.vmm.look(|platform| platform.os[&host.os.unwrap()].name.clone());
    assert_eq!((host.ipv6_prefix, os.as_str()), (Some(64), "Debian 12"));
}

#[test]
fn the_doctor_names_what_tariffs_offer_and_nobody_delivers() {
    let world = world(Known::None, Known::None);
    let doctor = || world.bill.run(&["doctor", "--module", &world.handler.to_string()]).stdout;
    assert!(doctor().contains("all that the tariffs offer is delivered"), "{}", doctor());
    world.bill.add_tariff(&foreign().handler(world.handler));
    world.bill.add_tariff(&tuned().handler(world.handler));
    let said = doctor();
    let all = "cluster, ddos, monitoring, ns, numproc, panel, privateip: this module does not know it";
    let unproved =
        "anti_spoofing, cpu_custom_model, cpu_mode, cpu_weight, io_weight, iolimit, iopslimit: VMmanager was not";
    assert!(said.contains(all) && said.contains(unproved), "{said}");
    know(&world, Known::All, Known::All);
    assert!(!doctor().contains("VMmanager was not seen"), "{}", doctor());
}
