//! `--command stat`: the traffic of every service and day, once. How the counters of a month behave is in `setup_month.rs`.

use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Database, Order, Run, Tariff};
use sandbox::vmm::{Action, Fault};

use jiff::civil::Date;

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

const GIB: u64 = 1 << 30;

/// Runs the statistics on a day.
pub(crate) fn stat(world: &TestWorld, day: &str) -> Run {
    stat_with(world, &[], &[("PMVMMANAGER6_TODAY", day)])
}

fn stat_with(world: &TestWorld, more: &[&str], environment: &[(&str, &str)]) -> Run {
    let handler = world.handler.to_string();
    let args = [&["--command", "stat", "--module", &handler], more].concat();
    let mut command = world.bill.command(&args);
    let output = command.envs(environment.iter().copied()).output().expect("the module starts");
    world.remember(Run::new(&output, Duration::ZERO))
}

/// The same, which must succeed silently and report that the day before is complete.
#[track_caller]
pub(crate) fn counted(world: &TestWorld, day: &str) {
    world.forget();
    let run = stat(world, day);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
    let posts: Vec<_> = world.bill.calls().into_iter().filter(|call| call.function == "service.poststat").collect();
    assert_eq!(posts.len(), 1, "the day is reported once");
    let yesterday = day.parse::<Date>().unwrap().yesterday().unwrap();
    assert_eq!(reported(world), Some(yesterday.to_string()));
}

/// The day up to which BILLmanager knows the statistics to be complete.
fn reported(world: &TestWorld) -> Option<String> {
    let sql = "SELECT laststatdate FROM processingmodule WHERE id = ?";
    world.bill.rows(sql, &[&world.handler.to_string()])[0][0].clone()
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
pub(crate) fn days(world: &TestWorld, item: u64, param: &str) -> Vec<(String, f64)> {
    rows(world, item).into_iter().filter(|row| row.1 == param).map(|row| (row.0, row.2)).collect()
}

pub(crate) fn amounts(list: &[(&str, f64)]) -> Vec<(String, f64)> {
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
        counted(&world, "2025-06-02");
        let gib = |day: &str, param: &str, amount| (day.to_owned(), param.to_owned(), amount, "gib".to_owned());
        assert_eq!(rows(&world, item), [gib("2025-06-01", "in", 3.0), gib("2025-06-01", "out", 0.5)]);
        // What is counted today belongs to no complete day yet.
        used(&world, item, Some(4 * GIB), Some(GIB));
        counted(&world, "2025-06-02");
        assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 3.0)]));
        used(&world, item, Some(6 * GIB), Some(GIB));
        counted(&world, "2025-06-03");
        counted(&world, "2025-06-03");
        assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 3.0), ("2025-06-02", 3.0)]));
        assert_eq!(days(&world, item, "out"), amounts(&[("2025-06-01", 0.5), ("2025-06-02", 0.5)]));
        counted(&world, "2025-06-04");
        assert_eq!(days(&world, item, "in")[2], ("2025-06-03".to_owned(), 0.0), "a zero that is known is written");
        assert_eq!(world.mutations(), [""; 0]);
    });
}

#[test]
fn a_run_that_is_killed_books_nothing_twice_and_renumbers_no_row() {
    let numbers =
        |world: &TestWorld| world.bill.rows("SELECT id, item, statdate, param FROM itemstat ORDER BY id", &[]);
    let cases = [("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)];
    let points = ["statistics.rows_written", "statistics.meters_saved"];
    let cases = cases.into_iter().flat_map(|(name, database)| points.map(|point| (name, (database, point))));
    each(&cases.collect::<Vec<_>>(), |(database, point)| {
        let world = TestWorld::on(*database);
        let item = metered(&world);
        used(&world, item, Some(GIB), Some(0));
        counted(&world, "2025-06-02");
        used(&world, item, Some(5 * GIB), Some(0));
        let killed = stat_with(&world, &[], &[("PMVMMANAGER6_TODAY", "2025-06-04"), ("PMVMMANAGER6_FAULT", point)]);
        assert_eq!(killed.status, None, "{killed:?}");
        let written = numbers(&world);
        // More has come meanwhile.
        used(&world, item, Some(6 * GIB), Some(0));
        counted(&world, "2025-06-04");
        assert_eq!(numbers(&world), written, "rows get new values, not new numbers");
        counted(&world, "2025-06-05");
        let sum: f64 = days(&world, item, "in").iter().map(|(_, amount)| amount).sum();
        assert!((sum - 6.0).abs() < 1e-9, "{:?}", days(&world, item, "in"));
    });
}

#[test]
fn missed_days_share_what_was_counted() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-03");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 1.0), ("2025-06-02", 1.0)]), "since the month began");
    used(&world, item, Some(9 * GIB + 1), Some(0));
    counted(&world, "2025-06-06");
    let recorded = days(&world, item, "in");
    let third = (7.0_f64 / 3.0 * 1e4).floor() / 1e4;
    assert_eq!(recorded[3..], amounts(&[("2025-06-04", third), ("2025-06-05", third)]));
    let sum = |world: &TestWorld| days(world, item, "in").iter().map(|(_, amount)| amount).sum::<f64>();
    assert!((sum(&world) - 9.0).abs() < 1e-6, "nothing is lost by rounding: {recorded:?}");
    // Small amounts add up too.
    for (day, more) in ["2025-06-07", "2025-06-08", "2025-06-09"].into_iter().zip(1..) {
        used(&world, item, Some(9 * GIB + more * GIB / 20_000), Some(0));
        counted(&world, day);
    }
    assert!((sum(&world) - 9.0001).abs() < 1e-6, "{:?}", days(&world, item, "in"));
}

#[test]
fn the_last_day_of_a_month_is_complete_in_the_first_run_of_the_next() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-30");
    used(&world, item, Some(5 * GIB), Some(0));
    counted(&world, "2025-07-01");
    assert_eq!(days(&world, item, "in").last().unwrap(), &("2025-06-30".to_owned(), 3.0));
    // Missed days on both sides of the turn share as well.
    used(&world, item, Some(9 * GIB), Some(0));
    counted(&world, "2025-07-31");
    used(&world, item, Some(12 * GIB), Some(0));
    counted(&world, "2025-08-03");
    let recorded = days(&world, item, "in");
    assert_eq!(
        recorded[recorded.len() - 3..],
        amounts(&[("2025-07-31", 1.0), ("2025-08-01", 1.0), ("2025-08-02", 1.0)])
    );
}

#[test]
fn a_service_is_counted_from_its_first_day() {
    let world = TestWorld::start();
    let item = metered(&world);
    world.bill.set_item(item, "opendate", "2025-06-20");
    used(&world, item, Some(GIB), Some(0));
    counted(&world, "2025-06-20");
    assert_eq!(days(&world, item, "in"), [], "no day of it is complete");
    used(&world, item, Some(3 * GIB), Some(0));
    counted(&world, "2025-06-23");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-20", 1.0), ("2025-06-21", 1.0), ("2025-06-22", 1.0)]));
}

#[test]
fn a_vm_in_the_place_of_another_goes_on_counting() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(5 * GIB), Some(0));
    counted(&world, "2025-06-02");
    let old = world.host_of(item).id;
    world.vmm.change(|platform| platform.remove_host(old));
    world.succeed(item, "reopen");
    used(&world, item, Some(GIB), Some(0));
    counted(&world, "2025-06-03");
    used(&world, item, Some(2 * GIB), Some(0));
    counted(&world, "2025-06-04");
    let expected = [("2025-06-01", 5.0), ("2025-06-02", 1.0), ("2025-06-03", 1.0)];
    assert_eq!(days(&world, item, "in"), amounts(&expected));
}

/// What another module, or a journal that is lost, has recorded before is not billed again.
#[test]
fn what_is_recorded_already_is_not_recorded_again() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(5 * GIB), Some(0));
    counted(&world, "2025-06-04");
    let journal = rusqlite::Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    assert_eq!(journal.execute("DELETE FROM meter", []).unwrap(), 1);
    used(&world, item, Some(7 * GIB), Some(0));
    counted(&world, "2025-06-05");
    let recorded = days(&world, item, "in");
    assert_eq!((recorded.len(), recorded[3].1), (4, 2.0), "{recorded:?}");
}

#[test]
fn a_date_is_accepted_and_the_clock_is_the_servers() {
    let world = TestWorld::start();
    let item = metered(&world);
    used(&world, item, Some(GIB), Some(0));
    let run = stat_with(&world, &["--date", "2025-05-17"], &[("PMVMMANAGER6_TODAY", "2025-06-02")]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(days(&world, item, "in"), amounts(&[("2025-06-01", 1.0)]));
    assert_eq!(reported(&world).as_deref(), Some("2025-06-01"));
    // Without a chosen day it is that of the server's zone, as for BILLmanager's cron.
    for zone in ["Pacific/Kiritimati", "Etc/GMT+12"] {
        let yesterday = || jiff::Timestamp::now().in_tz(zone).unwrap().date().yesterday().unwrap().to_string();
        let before = yesterday();
        assert_eq!(stat_with(&world, &["--date=today"], &[("TZ", zone)]).status, Some(0));
        let found = reported(&world).unwrap();
        assert!([before, yesterday()].contains(&found), "{zone}: {found}");
    }
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
        counted(&world, "2025-06-02");
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
    counted(&world, "2025-06-02");
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
    counted(&world, "2025-06-03");
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
        counted(&world, "2025-06-02");
        assert_eq!(rows(&world, item), [], "{body}");
        world.vmm.clear_faults();
    }
    let metrics = format!("/vm/v3/host/{}/metrics", world.host_of(item).id);
    let body = r#"[{"target":"net_rx_summary","datapoints":[[1610612736.0,1748736000]]}]"#;
    world.vmm.fault(Fault::on("GET", &metrics).always().act(Action::Status { code: 200, body: body.into() }));
    counted(&world, "2025-06-02");
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
    counted(&world, "2025-06-02");
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
