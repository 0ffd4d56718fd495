//! `--command stat`: the traffic of every service and day, once.

use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Database, Order, Run, Tariff};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

const GIB: u64 = 1 << 30;

/// Runs the statistics on a day.
pub(crate) fn stat(world: &TestWorld, day: &str) -> Run {
    let args = ["--command", "stat", "--module", &world.handler.to_string()];
    let output = world.bill.command(&args).env("PMVMMANAGER6_TODAY", day).output().expect("the module starts");
    world.remember(Run::new(&output, Duration::ZERO))
}

/// The same, which must succeed silently and report the day.
#[track_caller]
pub(crate) fn counted(world: &TestWorld, day: &str) {
    world.forget();
    let run = stat(world, day);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
    let posts: Vec<_> = world.bill.calls().into_iter().filter(|call| call.function == "service.poststat").collect();
    assert_eq!(posts.len(), 1, "the day is reported once");
    let reported =
        world.bill.rows("SELECT laststatdate FROM processingmodule WHERE id = ?", &[&world.handler.to_string()]);
    assert_eq!(reported[0][0].as_deref(), Some(day));
}

/// Sets the month's counters of a service's VM.
pub(crate) fn used(world: &TestWorld, item: u64, rx: Option<u64>, tx: Option<u64>) {
    let vm = world.host_of(item).id;
    world.vmm.change(|platform| {
        let host = platform.hosts.get_mut(&vm).unwrap();
        (host.net_rx_summary, host.net_tx_summary) = (rx, tx);
    });
}

/// Recorded rows of a service: day, direction, amount, unit.
fn rows(world: &TestWorld, item: u64) -> Vec<(String, String, f64, String)> {
    let sql = "SELECT s.statdate, s.param, s.value, m.intname FROM itemstat s LEFT JOIN measure m ON s.measure = m.id
               WHERE s.item = ? ORDER BY s.param, s.statdate";
    let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let row = |row: &Vec<Option<String>>| (text(&row[0]), text(&row[1]), text(&row[2]).parse().unwrap(), text(&row[3]));
    world.bill.rows(sql, &[&item.to_string()]).iter().map(row).collect()
}

/// The recorded amounts of one direction by day.
fn days(world: &TestWorld, item: u64, param: &str) -> Vec<(String, f64)> {
    rows(world, item).into_iter().filter(|row| row.1 == param).map(|row| (row.0, row.2)).collect()
}

fn amounts(list: &[(&str, f64)]) -> Vec<(String, f64)> {
    list.iter().map(|(day, amount)| ((*day).to_owned(), *amount)).collect()
}

/// An open service whose tariff counts traffic in GiB, open since long ago.
pub(crate) fn metered(world: &TestWorld) -> u64 {
    let item = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
    world.succeed(item, "open");
    world.bill.set_item(item, "opendate", "2024-01-01");
    world.forget();
    item
}

#[test]
fn both_directions_of_every_day_on_both_databases() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = TestWorld::on(*database);
        let item = metered(&world);
        used(&world, item, Some(3 * GIB), Some(GIB / 2));
        counted(&world, "2025-06-01");
        let gib = |day: &str, param: &str, amount| (day.to_owned(), param.to_owned(), amount, "gib".to_owned());
        assert_eq!(rows(&world, item), [gib("2025-06-01", "in", 3.0), gib("2025-06-01", "out", 0.5)]);
        // A second run of the day replaces, it does not add.
        counted(&world, "2025-06-01");
        used(&world, item, Some(4 * GIB), Some(GIB));
        counted(&world, "2025-06-01");
        assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 4.0)]));
        used(&world, item, Some(6 * GIB), Some(GIB));
        counted(&world, "2025-06-02");
        counted(&world, "2025-06-02");
        assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 4.0), ("2025-06-02", 2.0)]));
        assert_eq!(days(&world, item, "out"), amounts(&[("2025-06-01", 1.0), ("2025-06-02", 0.0)]));
        assert_eq!(world.mutations(), [""; 0]);
    });
}

#[test]
fn missed_days_share_what_was_counted() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-02");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 1.0), ("2025-06-02", 1.0)]), "since the month began");
    used(&world, item, Some(9 * GIB + 1), Some(0));
    counted(&world, "2025-06-05");
    let recorded = days(&world, item, "in");
    let third = (7.0_f64 / 3.0 * 1e4).floor() / 1e4;
    assert_eq!(recorded[2..4], amounts(&[("2025-06-03", third), ("2025-06-04", third)]));
    let sum: f64 = recorded.iter().map(|(_, amount)| amount).sum();
    assert!((sum - 9.0).abs() < 1e-6, "nothing is lost by rounding: {recorded:?}");
    // The days before stay as they are, a new month begins at nothing.
    used(&world, item, Some(GIB), Some(0));
    counted(&world, "2025-07-01");
    assert_eq!(days(&world, item, "in")[5..], amounts(&[("2025-07-01", 1.0)]));
    assert_eq!(days(&world, item, "in")[..5], recorded);
}

#[test]
fn a_service_is_counted_from_its_first_day() {
    let world = TestWorld::start();
    let item = metered(&world);
    world.bill.set_item(item, "opendate", "2025-06-20");
    used(&world, item, Some(3 * GIB), Some(0));
    counted(&world, "2025-06-22");
    assert_eq!(days(&world, item, "in").first().unwrap().0, "2025-06-20");
    assert_eq!(days(&world, item, "in").len(), 3);
}

#[test]
fn a_vm_in_the_place_of_another_goes_on_counting() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(5 * GIB), Some(0));
    counted(&world, "2025-06-01");
    let old = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(old));
    world.succeed(item, "reopen");
    used(&world, item, Some(GIB), Some(0));
    counted(&world, "2025-06-02");
    used(&world, item, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-02");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 5.0), ("2025-06-02", 2.0)]));
    // A counter that began again by itself.
    used(&world, item, Some(GIB / 2), Some(0));
    counted(&world, "2025-06-03");
    assert_eq!(days(&world, item, "in")[2], ("2025-06-03".to_owned(), 0.5));
}

#[test]
fn the_unit_is_the_tariff_s() {
    let world = TestWorld::start();
    let tariff = |name: &str, addons: Vec<Addon>| {
        let sized = Tariff::sized(name, 1, 1024, 10_240).handler(world.handler);
        world.bill.add_tariff(&addons.into_iter().fold(sized, Tariff::addon))
    };
    let cases = [
        (tariff("kib", vec![Addon::statistic("in out", "kib", 1)]), "kib", 3.0 * 1024.0 * 1024.0),
        (tariff("byte", vec![Addon::statistic("traffic", "byte", 1)]), "byte", 3.0 * 1_073_741_824.0),
        (tariff("split", vec![Addon::statistic("in", "tib", 1), Addon::statistic("out", "mib", 1)]), "tib", 0.0029),
        (tariff("none", vec![]), "gib", 3.0),
    ];
    for (tariff, unit, amount) in cases {
        let item = world.bill.order(&Order::new(world.bob, tariff, world.handler));
        world.succeed(item, "open");
        used(&world, item, Some(3 * GIB), Some(GIB));
        world.bill.set_item(item, "opendate", "2025-06-01");
        counted(&world, "2025-06-01");
        let recorded = &rows(&world, item)[0];
        assert_eq!((recorded.2, recorded.3.as_str()), (amount, unit));
    }
}

#[test]
fn what_is_not_known_is_not_written() {
    let world = TestWorld::start();
    let [good, blind, broken, gone, foreign, half] = [(); 6].map(|()| metered(&world));
    for item in [good, blind, broken, gone, foreign] {
        used(&world, item, Some(GIB), Some(GIB));
    }
    used(&world, blind, None, None);
    used(&world, half, Some(GIB), None);
    let metrics = |item: u64| format!("/vm/v3/host/{}/metrics", world.host_of(item).id);
    world.vmm.fault(Fault::on("GET", &metrics(broken)).always().act(Action::Garbage));
    let (gone_vm, foreign_vm) = (world.host_of(gone).id, world.host_of(foreign).id);
    world.vmm.change(|platform| {
        platform.remove_host(gone_vm);
        platform.hosts.get_mut(&foreign_vm).unwrap().create_date = "2019-01-01 00:00:00".into();
    });
    counted(&world, "2025-06-01");
    assert_eq!(rows(&world, good).len(), 2);
    for (item, what) in [(blind, "unknown"), (broken, "unreadable"), (gone, "gone"), (foreign, "foreign")] {
        assert_eq!(rows(&world, item), [], "a VM that is {what} has no traffic, not zero traffic");
        assert!(world.bill.log().contains(&format!("service {item}: ")), "{what}");
    }
    assert_eq!(days(&world, half, "in"), amounts(&[("2025-06-01", 1.0)]), "a build without the other counter");
    assert_eq!(days(&world, half, "out"), []);
    // The next day the gap is filled.
    world.vmm.clear_faults();
    used(&world, blind, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-02");
    assert_eq!(days(&world, blind, "in"), amounts(&[("2025-06-01", 1.0), ("2025-06-02", 1.0)]));
}

#[test]
fn a_counter_without_a_point_is_not_known() {
    let world = TestWorld::start();
    let item = metered(&world);
    let other = metered(&world);
    used(&world, other, Some(0), Some(0));
    for body in [
        r"[]",
        r#"[{"target":"x"}]"#,
        r#"[{"datapoints":[]}]"#,
        r#"[{"datapoints":[[null,1]]}]"#,
        r#"[{"datapoints":[["9",1]]}]"#,
    ] {
        let metrics = format!("/vm/v3/host/{}/metrics", world.host_of(item).id);
        world.vmm.fault(Fault::on("GET", &metrics).always().act(Action::Status { code: 200, body: body.into() }));
        counted(&world, "2025-06-01");
        assert_eq!(rows(&world, item), [], "{body}");
        world.vmm.clear_faults();
    }
    let metrics = format!("/vm/v3/host/{}/metrics", world.host_of(item).id);
    let body = r#"[{"target":"net_rx_summary","datapoints":[[1610612736.0,1748736000]]}]"#;
    world.vmm.fault(Fault::on("GET", &metrics).always().act(Action::Status { code: 200, body: body.into() }));
    counted(&world, "2025-06-01");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 1.5)]));
    assert_eq!(days(&world, other, "in"), amounts(&[("2025-06-01", 0.0)]), "a zero that is known is written");
}

#[test]
fn a_day_without_vmmanager_is_not_reported() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(GIB), Some(GIB));
    world.vmm.fault(Fault::on("GET", "/vm/v3/host/*/metrics").always().act(Action::CloseBefore));
    let refusal = Refusal::of(&stat(&world, "2025-06-01"));
    assert_eq!(refusal.kind, Kind::Vm6Connect);
    world.vmm.clear_faults();
    world.bill.set_handler(world.handler, "url", "https://127.0.0.1:1");
    assert_eq!(Refusal::of(&stat(&world, "2025-06-01")).kind, Kind::Vm6Connect);
    assert_eq!(rows(&world, item), []);
    assert!(!world.panel_calls().contains(&"service.poststat".to_owned()));
}

#[test]
fn a_handler_without_services_is_complete_at_once() {
    let world = TestWorld::start();
    counted(&world, "2025-06-01");
    assert!(world.vmm.requests().is_empty());
}

#[test]
fn closed_services_and_those_being_opened_are_not_counted() {
    let world = TestWorld::start();
    let (closed, ordered) = (metered(&world), world.ordered());
    world.succeed(closed, "close");
    counted(&world, "2025-06-01");
    assert_eq!([rows(&world, closed), rows(&world, ordered)], [vec![], vec![]]);
}

#[test]
fn hundreds_of_vms_are_asked_eight_at_a_time() {
    const SERVICES: u64 = 240;
    const PAUSE: Duration = Duration::from_millis(20);
    let world = TestWorld::start();
    let template = metered(&world);
    let owner = world.host_of(template).account;
    let sql = "INSERT INTO item (pricelist, processingmodule, status, period, opendate) SELECT pricelist, processingmodule, 2, 1, '2024-01-01' FROM item WHERE id = ?";
    for _ in 0..SERVICES {
        world.bill.exec(sql, &[&template.to_string()]);
    }
    let items = world.bill.rows("SELECT id FROM item WHERE account IS NULL AND parent IS NULL", &[]);
    for row in &items {
        let item: u64 = row[0].as_deref().unwrap().parse().unwrap();
        let vm = world.make_by_hand(&format!("vps{item}"), owner);
        let mark = world.mark(item);
        world.vmm.change(|platform| {
            let host = platform.hosts.get_mut(&vm).unwrap();
            host.comment = mark;
            host.net_rx_summary = Some(item * GIB);
        });
        world.bill.set_param(item, "panelid", &vm.to_string());
    }
    world.vmm.fault(Fault::on("GET", "/vm/v3/host/*/metrics").always().act(Action::Delay(PAUSE)));
    let started = Instant::now();
    counted(&world, "2025-06-01");
    let took = started.elapsed();
    let one_by_one = PAUSE * u32::try_from(2 * SERVICES).unwrap();
    assert!(took < one_by_one / 3, "{took:?}");
    assert!(took > one_by_one / 9, "no more than eight at a time: {took:?}");
    assert_eq!(world.vmm.logins(), 1, "one login for all threads");
    for row in &items {
        let item: u64 = row[0].as_deref().unwrap().parse().unwrap();
        assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", f64::from(u32::try_from(item).unwrap()))]));
    }
}
