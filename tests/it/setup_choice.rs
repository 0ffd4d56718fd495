//! `--command get_suitable_module`: the handlers of a tariff, best first.

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire;
use sandbox::bill::{Database, Handler, Order, Tariff};
use sandbox::vmm::Figures;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

fn handler(world: &TestWorld, password: &str, cluster: &str, place: u64) -> u64 {
    let id = world.bill.add_handler(&Handler::new(&world.vmm.url(), "admin@example.net", password, cluster));
    order(world, id, "orderpriority", place);
    id
}

fn order(world: &TestWorld, handler: u64, column: &str, value: u64) {
    let sql = format!("UPDATE processingmodule SET {column} = ? WHERE id = ?");
    world.bill.exec(&sql, &[&value.to_string(), &handler.to_string()]);
}

fn asked(tariff: u64, skip: &str) -> String {
    format!("<doc><item><pricelist>{tariff}</pricelist></item><skip_modules>{skip}</skip_modules></doc>")
}

#[track_caller]
fn chosen(world: &TestWorld, tariff: u64, skip: &str) -> Vec<u64> {
    listed(world, &asked(tariff, skip))
}

#[track_caller]
fn listed(world: &TestWorld, input: &str) -> Vec<u64> {
    let run = world.run_with_input(&["--command", "get_suitable_module"], input);
    assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
    let answer = wire::parse(run.stdout.as_bytes()).unwrap();
    let modules = answer.find("modules").expect("a list, even if it is empty");
    modules.all("module").map(|module| module.get("id").unwrap().parse().unwrap()).collect()
}

fn sold_by(world: &TestWorld, handlers: &[u64]) -> u64 {
    let tariff = handlers.iter().fold(Tariff::sized("VPS", 1, 1024, 10_240), |tariff, id| tariff.handler(*id));
    world.bill.add_tariff(&tariff)
}

const PASSWORD: &str = "Adm1n-secret-pass";

#[test]
fn the_order_is_the_panels_with_the_unready_last_on_both_databases() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = TestWorld::on(*database);
        let full = handler(&world, PASSWORD, "3", 1);
        let locked_out = handler(&world, "wrong-password", "1", 2);
        let good = handler(&world, PASSWORD, "1", 3);
        let better = handler(&world, PASSWORD, "1", 2);
        let off = handler(&world, PASSWORD, "1", 1);
        world.bill.exec("UPDATE processingmodule SET active = 'off' WHERE id = ?", &[&off.to_string()]);
        world.vmm.change(|platform| {
            platform.nodes.values_mut().filter(|node| node.cluster == 3).for_each(|node| node.maintenance_mode = true);
        });
        let tariff = sold_by(&world, &[full, locked_out, good, better, off]);
        assert_eq!(chosen(&world, tariff, ""), [better, good, full, locked_out]);
        assert_eq!(chosen(&world, tariff, &format!("{better}, {full}")), [good, locked_out]);
        assert_eq!(chosen(&world, tariff, &format!("{better},{full},{good}")), [locked_out], "better than none");
        assert_eq!(chosen(&world, tariff, &format!("{better},{full},{good},{locked_out}")), [0; 0]);
        assert_eq!(chosen(&world, 999_999, ""), [0; 0], "nobody sells it");
        assert_eq!(world.mutations(), [""; 0], "VMmanager is only read");
    });
}

/// Room for one tariff is no room for another. What nobody tells is no reason to put a handler last.
#[test]
fn a_handler_without_room_for_the_tariff_is_put_last() {
    let world = TestWorld::start();
    let [full, good] = [("3", 1), ("1", 2)].map(|(cluster, place)| handler(&world, PASSWORD, cluster, place));
    let add = |tariff: Tariff| world.bill.add_tariff(&tariff.handler(full).handler(good));
    let [small, large] = [1024, 8192].map(|memory| add(Tariff::sized("VPS", 1, memory, 10_240)));
    let preset = add(Tariff::new("VPS").preset("KVM-SSD-2"));
    let elsewhere = add(Tariff::sized("VPS", 1, 8192, 10_240).param("cluster", "1"));
    world.vmm.change(|platform| platform.nodes.get_mut(&4).unwrap().ram_mib = 4096);
    for (tariff, best) in [(small, full), (large, good), (preset, good), (elsewhere, full)] {
        assert_eq!(chosen(&world, tariff, "").first(), Some(&best), "tariff {tariff}");
    }
    world.vmm.change(|platform| platform.variant.figures = Figures::WithoutOverselling);
    assert_eq!(chosen(&world, large, ""), [full, good], "it may sell more memory than it has");
    world.bill.exec("UPDATE pricelist SET active = 'off' WHERE id = ?", &[&small.to_string()]);
    world.vmm.change(|platform| platform.nodes.get_mut(&4).unwrap().host_creation_blocked = true);
    assert_eq!(chosen(&world, small, ""), [good, full], "a tariff that is no longer sold has services all the same");
}

/// The service's own handler is kept, unless it cannot make the VM or has enough to do.
#[test]
fn the_handler_that_the_service_has_is_kept() {
    let world = TestWorld::start();
    let [first, second, third] = [1, 2, 3].map(|place| handler(&world, PASSWORD, "1", place));
    let tariff = sold_by(&world, &[first, second, third]);
    let item = world.bill.order(&Order::new(world.alice, tariff, third));
    let ask = |item: &str| {
        let input = format!("<doc><item><pricelist>{tariff}</pricelist>{item}</item><skip_modules/></doc>");
        listed(&world, &input)
    };
    assert_eq!(ask(""), [first, second, third]);
    for named in [format!("<processingmodule>{third}</processingmodule>"), format!("<id>{item}</id>")] {
        assert_eq!(ask(&named), [third, first, second], "{named}");
    }
    assert_eq!(ask("<id>4711</id>"), [first, second, third], "a service that does not exist");
    // The running operation of the service itself does not count.
    world.bill.set_handler(third, "queue_enabled", "on");
    assert_eq!(ask(&format!("<id>{item}</id>")), [third, first, second]);
    let other = world.bill.order(&Order::new(world.bob, tariff, third));
    assert_eq!(ask(&format!("<id>{item}</id>")), [first, second, third], "its queue is full");
    world.bill.exec("UPDATE runningoperation SET manual = 'on' WHERE item = ?", &[&other.to_string()]);
    assert_eq!(ask(&format!("<id>{item}</id>")), [third, first, second], "an operation that staff has does not run");
    world.bill.set_handler(third, "cluster", "77");
    assert_eq!(ask(&format!("<id>{item}</id>")), [first, second, third], "its cluster is gone");
}

#[test]
fn the_ip_manager_of_the_last_skipped_handler_decides() {
    let world = TestWorld::start();
    let [first, second, third] = [1, 2, 3].map(|place| handler(&world, PASSWORD, "1", place));
    order(&world, first, "ipmgr", 7);
    order(&world, third, "ipmgr", 7);
    let tariff = sold_by(&world, &[first, second, third]);
    assert_eq!(chosen(&world, tariff, ""), [first, second, third]);
    assert_eq!(chosen(&world, tariff, &first.to_string()), [third]);
    assert_eq!(chosen(&world, tariff, &second.to_string()), [first, third]);
}

#[test]
fn a_question_that_cannot_be_understood_is_refused() {
    let world = TestWorld::start();
    let ask = |input: &str| Refusal::of(&world.run_with_input(&["--command", "get_suitable_module"], input));
    ask("<doc/>").is(Kind::BadInputXml, "pricelist", &["pricelist"]);
    ask(&asked(1, "7,x")).is(Kind::BadInputXml, "skip_modules", &["x"]);
    ask("<doc>").is(Kind::BadInputXml, "xml", &[]);
}
