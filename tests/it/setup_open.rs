//! What the handler's switches change in an opening: recipes and the additional network interface.

use std::time::Duration;

use pmvmmanager6::error::Kind;
use sandbox::bill::Order;
use sandbox::vmm::{Action, Description, Fault, Timing};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::world::TestWorld;

/// A world in which a script runs longer than the installation.
fn with_scripts(takes: Duration) -> TestWorld {
    let world = TestWorld::with(|scene| scene.vmm.timing = Timing::default().with("host_run_recipe", takes));
    world.bill.set_handler(world.handler, "use_recipes", "on");
    world
}

#[test]
fn a_service_is_ready_after_its_script() {
    let takes = Duration::from_secs(2);
    let world = with_scripts(takes);
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    let run = world.succeed(item, "open");
    assert!(run.took >= takes, "{:?}", run.took);
    assert_eq!(world.host_of(item).recipes, [4]);
    let plain = world.ordered();
    assert!(world.succeed(plain, "open").took < takes, "nobody waits without a recipe");
}

#[test]
fn a_script_that_failed_keeps_the_vm() {
    let world = with_scripts(Duration::from_secs(1));
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    let failed = r#"{"list":[{"id":1,"name":"host_create","state":"complete"},{"id":2,"name":"host_run_recipe","state":"failed"}]}"#;
    let fault = Fault::on("GET", "/vm/v3/host/*/history").times(2);
    world.vmm.fault(fault.act(Action::Status { code: 200, body: failed.into() }));
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::Vm6Task);
    assert!(refusal.value.contains("is kept") && refusal.value.contains("reopen"), "{refusal:?}");
    let vm = world.host_of(item).id;
    assert_eq!(world.fail(item, "open").kind, Kind::Vm6Task, "the next try does not make another one");
    world.bill.exec("DELETE FROM runningoperation WHERE item = ?", &[&item.to_string()]);
    world.succeed(item, "reopen");
    assert_eq!((world.host_of(item).id, world.host_of(item).installs, world.bill.item(item).status), (vm, 1, 2));
}

/// An administrator may run the recipe again in VMmanager; and a reinstallation waits for its own script.
#[test]
fn the_newest_script_counts() {
    let world = with_scripts(Duration::from_secs(1));
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    let again = r#"{"list":[{"id":2,"name":"host_run_recipe","state":"failed"},{"id":9,"name":"host_run_recipe","state":"complete"}]}"#;
    let fault = Fault::on("GET", "/vm/v3/host/*/history");
    world.vmm.fault(fault.act(Action::Status { code: 200, body: again.into() }));
    world.succeed(item, "open");
    let run = world.run(&["reinstall", "--item", &item.to_string(), "--yes"]);
    assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
    assert!(run.took >= Duration::from_secs(1), "{:?}", run.took);
    assert_eq!(world.host_of(item).installs, 2);
}

#[test]
fn recipes_that_are_off_are_never_sent() {
    let world = with_scripts(Duration::from_secs(3));
    world.bill.set_handler(world.handler, "use_recipes", "off");
    let item = world.bill.order(&world.usual_order().param("recipe", "ISPsystem__Docker"));
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).recipes, [0; 0]);
    let asked = world.vmm.requests().into_iter().any(|request| request.path.contains("recipe"));
    assert!(!asked);
}

/// A world whose handler gives VMs two interfaces.
fn with_two_interfaces(cluster: &str) -> TestWorld {
    let world = TestWorld::start();
    world.bill.set_handler(world.handler, "cluster", cluster);
    world.bill.set_handler(world.handler, "additional_interface", "on");
    world
}

/// The body of the request that made a VM.
fn created(world: &TestWorld) -> Value {
    world.changes().into_iter().find(|request| request.path == "/vm/v3/host").unwrap().body.unwrap()
}

/// Whether VMmanager knows the field `interfaces`, and whether `verify` can have seen it.
#[test]
fn the_better_field_for_interfaces_is_sent_where_it_is_proved() {
    let cases = [
        ("known and described", (Description::Api, true)),
        ("known and described behind the page", (Description::Script, true)),
        ("known and described behind a configuration", (Description::Configuration, true)),
        ("known, but not described", (Description::Missing, true)),
        ("not known", (Description::Api, false)),
        ("not known behind the page", (Description::Script, false)),
    ];
    each(&cases, |(description, is_known)| {
        let world = with_two_interfaces("3");
        world.vmm.change(|platform| {
            (platform.variant.description, platform.variant.interfaces) = (*description, *is_known);
        });
        let run = world.bill.run(&["verify", "--module", &world.handler.to_string()]);
        assert_eq!(run.status, Some(0), "{run:?}");
        world.forget();
        let proved = *is_known && *description != Description::Missing;
        let item = world.ordered();
        world.succeed(item, "open");
        let created = created(&world);
        let both = proved.then_some(r#"[{"interface":0,"ippool":[4]},{"interface":1,"ippool":[5]}]"#.to_owned());
        assert_eq!(created.get("interfaces").map(ToString::to_string), both);
        assert_eq!(created.get("custom_interfaces").is_some(), !proved);
        assert_eq!(world.host_of(item).interfaces.len(), 2);
        // An update that takes the field away: verify takes the proof back.
        world.vmm.change(|platform| platform.variant.interfaces = false);
        world.bill.run(&["verify", "--module", &world.handler.to_string()]);
        world.forget();
        world.succeed(world.ordered(), "open");
        assert!(self::created(&world).get("custom_interfaces").is_some());
    });
}

#[test]
fn a_vm_gets_both_interfaces() {
    let world = with_two_interfaces("3");
    let item = world.bill.order(&Order::new(world.alice, world.tariffs.small, world.handler).ips(3));
    world.succeed(item, "open");
    let host = world.host_of(item);
    let interfaces: Vec<u64> = host.interfaces.iter().map(|interface| interface.interface).collect();
    assert_eq!(interfaces, [0, 1]);
    let created = created(&world);
    let both = r#"[{"ip_count":1,"ippool":4,"is_main_network":true,"model":"virtio"},{"ip_count":1,"ippool":5,"is_main_network":false,"model":"virtio"}]"#;
    assert_eq!(created["custom_interfaces"].to_string(), both);
    assert!(["interfaces", "ipv4_number", "ipv4_pool"].iter().all(|field| created.get(field).is_none()), "{created}");
    let addresses = world.vmm.look(|platform| {
        platform.addresses(host.id, 4).iter().map(|ip| (ip.interface, ip.ip_addr.clone())).collect::<Vec<_>>()
    });
    let main: Vec<&String> = addresses.iter().filter(|(interface, _)| *interface == 0).map(|(_, ip)| ip).collect();
    assert_eq!(
        (main.len(), addresses.len()),
        (3, 4),
        "the address of the second interface is not one of those ordered"
    );
    let slots: Vec<String> = world.bill.slots(item).into_iter().map(|(_, ip, _)| ip).collect();
    assert_eq!(slots.iter().collect::<Vec<_>>(), main, "what is sold is public");
    assert_eq!(&world.bill.params(item)["ip"], main[0]);
    world.forget();
    world.succeed(item, "setparam");
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn a_cluster_with_one_interface_refuses_the_order() {
    let world = with_two_interfaces("1");
    let item = world.ordered();
    world.refuse(item, "open").is(Kind::NoSecondInterface, "additional_interface", &["cluster 1"]);
    world.bill.set_handler(world.handler, "additional_interface", "off");
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).interfaces.len(), 1);
}
