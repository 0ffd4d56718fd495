//! `--command stat` and what VMmanager's month is: a calendar month, a window that moves, a counter that is lost. Whatever it
//! is, nothing is billed twice.

use jiff::civil::{Date, DateTime};
use jiff::{Span, ToSpan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::bill::Order;
use sandbox::vmm::{Month, Traffic};

use crate::setup_stat::{amounts, counted, days, metered};
use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

const GIB: u64 = 1 << 30;
/// The daily runs around the end of a month.
const DAILY: [&str; 5] = ["2025-06-29", "2025-06-30", "2025-07-01", "2025-07-02", "2025-07-03"];

/// A world in which traffic has its time, and services whose VMs were made on the first day.
struct Clock {
    world: TestWorld,
    items: Vec<u64>,
}

impl Clock {
    /// Some open services.
    fn start(begin: &str, month: Month, services: usize) -> Self {
        let world = TestWorld::start();
        let begin: DateTime = begin.parse().unwrap();
        let items: Vec<u64> = (0..services).map(|_| metered(&world)).collect();
        world.vmm.change(|platform| platform.traffic = Some(Traffic::new(begin, month)));
        let clock = Clock { world, items };
        clock.items.iter().for_each(|item| clock.made(*item, &begin.strftime("%Y-%m-%d %H:%M:%S").to_string()));
        clock
    }

    /// The VM of a service was made at this time, and the service opened.
    fn made(&self, item: u64, time: &str) {
        let vm = self.vm(item);
        self.world.vmm.change(|platform| time.clone_into(&mut platform.hosts.get_mut(&vm).unwrap().create_date));
        let journal = rusqlite::Connection::open(self.world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
        let sql = "UPDATE service SET vm_created = ?2 WHERE item = ?1";
        assert_eq!(journal.execute(sql, rusqlite::params![item, time]).unwrap(), 1);
        self.world.bill.set_item(item, "opendate", &time[..10]);
    }

    fn vm(&self, item: u64) -> u64 {
        self.world.host_of(item).id
    }

    fn traffic<T>(&self, change: impl FnOnce(&mut Traffic) -> T) -> T {
        self.world.vmm.change(|platform| change(platform.traffic.as_mut().unwrap()))
    }

    /// It is this time now.
    fn at(&self, now: &str) {
        self.traffic(|traffic| traffic.now = now.parse().unwrap());
    }

    /// The VM of a service receives so many GiB at this time.
    fn flow(&self, time: &str, item: u64, gib: u64) {
        let vm = self.vm(item);
        self.at(time);
        self.traffic(|traffic| traffic.flow(vm, gib * GIB, 0));
    }

    /// The daily run: 20 minutes after midnight.
    fn run(&self, day: &str) {
        self.at(&format!("{day}T00:20"));
        counted(&self.world, day);
    }

    fn proved(&self) {
        let journal = rusqlite::Connection::open(self.world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
        let sql = "INSERT INTO platform_proof (platform, proof, proved) SELECT id, 'calendar_month', 0 FROM platform";
        assert_eq!(journal.execute(sql, []).unwrap(), 1);
    }

    fn days(&self, item: u64) -> Vec<(String, f64)> {
        days(&self.world, item, "in")
    }

    fn sum(&self, item: u64) -> f64 {
        self.days(item).iter().map(|(_, amount)| amount).sum()
    }
}

#[test]
fn a_window_that_moves_bills_nothing_twice() {
    let clock = Clock::start("2025-05-20T08:00", Month::Window(30), 1);
    let item = clock.items[0];
    clock.flow("2025-05-20T10:00", item, 100);
    clock.run("2025-05-21");
    clock.flow("2025-06-10T10:00", item, 10);
    clock.run("2025-06-11");
    // The hundred leave the window, and most of what is left was billed before.
    for day in ["2025-06-18", "2025-06-19", "2025-06-20"] {
        clock.run(day);
    }
    let vm = clock.vm(item);
    assert_eq!(clock.traffic(|traffic| traffic.counters(vm)[0]), 10 * GIB);
    assert!((clock.sum(item) - 110.0).abs() < 1e-3, "{:?}", clock.days(item));
    assert!(clock.world.bill.log().contains("fell from"), "{}", clock.world.bill.log());
    // What comes from then on is billed.
    clock.flow("2025-06-20T10:00", item, 4);
    clock.run("2025-06-21");
    assert!((clock.sum(item) - 114.0).abs() < 1e-3, "{:?}", clock.days(item));
}

#[test]
fn a_counter_that_falls_a_little_did_not_begin_anew() {
    each(&[("not proved", false), ("a proved calendar month", true)], |proved| {
        let world = TestWorld::start();
        let item = metered(&world);
        let used = |gib: u64| crate::setup_stat::used(&world, item, Some(gib * GIB), Some(0));
        used(100);
        counted(&world, "2025-06-02");
        let clock = Clock { world, items: vec![item] };
        if *proved {
            clock.proved();
        }
        let world = &clock.world;
        let used = |gib: u64| crate::setup_stat::used(world, item, Some(gib * GIB), Some(0));
        for (gib, day) in [(95, "2025-06-03"), (99, "2025-06-04"), (100, "2025-06-05"), (103, "2025-06-06")] {
            used(gib);
            counted(world, day);
        }
        let expected = [("2025-06-01", 100.0), ("2025-06-04", 0.0), ("2025-06-05", 3.0)];
        assert_eq!(clock.days(item), amounts(&expected), "what is not known is not written");
        assert_eq!(world.bill.log().matches("fell from").count(), 2, "{}", world.bill.log());
    });
}

#[test]
fn a_lost_counter_is_billed_only_where_a_fall_is_known_to_be_a_new_beginning() {
    each(&[("not proved", false), ("a proved calendar month", true)], |proved| {
        let clock = Clock::start("2025-06-01T08:00", Month::Calendar(0), 1);
        let item = clock.items[0];
        clock.flow("2025-06-09T10:00", item, 8);
        clock.run("2025-06-10");
        if *proved {
            clock.proved();
        }
        clock.at("2025-06-10T09:00");
        let vm = clock.vm(item);
        clock.traffic(|traffic| traffic.lose(vm));
        clock.flow("2025-06-10T10:00", item, 2);
        clock.run("2025-06-11");
        clock.flow("2025-06-11T10:00", item, 1);
        clock.run("2025-06-12");
        let billed = if *proved { 11.0 } else { 9.0 };
        assert!((clock.sum(item) - billed).abs() < 1e-3, "{:?}", clock.days(item));
        assert_eq!(clock.days(item).last().unwrap(), &("2025-06-11".to_owned(), 1.0));
    });
}

/// The turn of a month, by VMmanager's clock before, with and after the billing server's.
#[test]
fn a_calendar_month_that_ends() {
    for ahead in [-5, 0, 3] {
        let clock = Clock::start("2025-06-01T08:00", Month::Calendar(ahead), 1);
        let item = clock.items[0];
        clock.flow("2025-06-02T10:00", item, 20);
        clock.run("2025-06-03");
        clock.proved();
        clock.run("2025-06-30");
        clock.flow("2025-06-30T10:00", item, 2);
        clock.run("2025-07-01");
        clock.flow("2025-07-01T10:00", item, 3);
        clock.run("2025-07-02");
        let recorded = clock.days(item);
        // With the server's clock or before it the counter is gone at midnight: then the last day is not known.
        let last = recorded.iter().find(|(day, _)| day == "2025-06-30").map(|(_, amount)| *amount);
        assert_eq!(last, (ahead < 0).then_some(2.0), "{ahead}: {recorded:?}");
        assert_eq!(recorded.last().unwrap(), &("2025-07-01".to_owned(), 3.0), "{ahead}");
    }
}

#[test]
fn missed_days_after_the_turn_belong_to_the_new_month() {
    let clock = Clock::start("2025-06-01T08:00", Month::Calendar(0), 1);
    let item = clock.items[0];
    clock.flow("2025-06-02T10:00", item, 20);
    clock.run("2025-06-03");
    clock.proved();
    clock.run("2025-06-28");
    clock.flow("2025-07-02T10:00", item, 3);
    clock.run("2025-07-04");
    let july: Vec<_> = clock.days(item).into_iter().filter(|(day, _)| day.as_str() > "2025-06-27").collect();
    assert_eq!(july, amounts(&[("2025-07-01", 1.0), ("2025-07-02", 1.0), ("2025-07-03", 1.0)]));
}

/// The daily runs around the end of a month show what the month is; `verify` says it, and what it has proved is relied on.
#[test]
fn verify_says_whether_the_month_is_a_calendar_month() {
    let cases = [
        ("a calendar month", (Month::Calendar(0), &DAILY[..], "yes", true)),
        ("a calendar month of a clock ahead", (Month::Calendar(3), &DAILY[..], "yes", true)),
        ("a calendar month of a clock behind", (Month::Calendar(-11), &DAILY[..], "yes", true)),
        ("a window", (Month::Window(30), &DAILY[..], "no", false)),
        ("no run after the turn", (Month::Calendar(0), &DAILY[..1], "unknown", false)),
        ("no run near the turn", (Month::Calendar(0), &["2025-06-12", "2025-07-20"][..], "unknown", false)),
    ];
    each(&cases, |(month, runs, agrees, proved)| {
        let clock = Clock::start("2025-06-01T08:00", *month, 4);
        for (item, gib) in clock.items.iter().zip([1, 5, 20, 0]) {
            clock.flow("2025-06-10T10:00", *item, gib);
        }
        clock.run("2025-06-11");
        runs.iter().for_each(|day| clock.run(day));
        let verify = |clock: &Clock| {
            let run = clock.world.bill.run(&["verify", "--module", &clock.world.handler.to_string(), "--json"]);
            assert_eq!(run.status, Some(i32::from(*agrees == "no")), "{run:?}");
            serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()
        };
        let said = verify(&clock);
        let question = |asked: &&serde_json::Value| asked["question"] == "traffic-month";
        let answer = said["questions"].as_array().unwrap().iter().find(question).unwrap();
        assert_eq!(answer["agrees"], *agrees, "{answer}");
        let is_proved = said["proved"].as_array().unwrap().iter().any(|proof| proof == "calendar_month");
        assert_eq!(is_proved, *proved, "{said:#}");
        // A counter that is lost brings what it has counted since.
        let item = clock.items[2];
        let vm = clock.vm(item);
        let before = clock.sum(item);
        clock.flow("2025-07-21T10:00", item, 40);
        clock.run("2025-07-22");
        clock.at("2025-07-22T09:00");
        clock.traffic(|traffic| traffic.lose(vm));
        clock.flow("2025-07-22T10:00", item, 2);
        clock.run("2025-07-23");
        let billed = clock.sum(item) - before;
        assert!(billed <= 42.0 + 1e-3 && (billed > 41.9) == *proved, "{billed} of 42 GiB: {:?}", clock.days(item));
        // What is not seen again stays proved.
        let is_proved = verify(&clock)["proved"].as_array().unwrap().iter().any(|proof| proof == "calendar_month");
        assert_eq!(is_proved, *proved);
    });
}

/// A VM that is older than what its counter is known to show, or was another service's, brings nothing into the bill.
#[test]
fn what_was_counted_before_the_service_is_not_billed() {
    let clock = Clock::start("2025-04-10T08:00", Month::Window(30), 2);
    let [old, shared] = [clock.items[0], clock.items[1]];
    clock.flow("2025-06-10T10:00", old, 40);
    clock.run("2025-06-20");
    assert_eq!(clock.days(old), [], "the counter may show what belongs to another month");
    clock.flow("2025-06-20T10:00", old, 2);
    clock.flow("2025-06-20T10:00", shared, 5);
    clock.run("2025-06-21");
    assert_eq!(clock.days(old), amounts(&[("2025-06-20", 2.0)]));
    assert_eq!(clock.days(shared), amounts(&[("2025-06-20", 5.0)]));
    // The service changes hands: a copy with another number has the VM.
    let world = &clock.world;
    world.waive(Invariant::NothingForgotten, "the mark of the VM is that of the service before");
    let vm = clock.vm(shared);
    world.bill.set_item(shared, "status", 4);
    let copy = world.bill.order(&Order::new(world.bob, world.tariffs.medium, world.handler));
    world.bill.set_item(copy, "status", 2);
    world.bill.set_item(copy, "opendate", "2025-04-10");
    world.bill.set_param(copy, "panelid", &vm.to_string());
    let journal = rusqlite::Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    let sql = "UPDATE service SET item = ?1 WHERE item = ?2";
    assert_eq!(journal.execute(sql, [copy, shared]).unwrap(), 1);
    clock.at("2025-06-21T10:00");
    clock.traffic(|traffic| traffic.flow(vm, GIB, 0));
    clock.run("2025-06-22");
    assert_eq!(clock.days(copy), amounts(&[("2025-06-21", 1.0)]));
}

/// Random traffic, runs that are missed, counters that are lost, months of every kind: what is billed up to any day was there.
#[test]
fn nothing_is_ever_billed_twice() {
    let months = [
        ("a calendar month", Month::Calendar(0), false),
        ("a proved calendar month", Month::Calendar(0), true),
        ("a proved calendar month of a clock ahead", Month::Calendar(11), true),
        ("a proved calendar month of a clock behind", Month::Calendar(-11), true),
        ("a window of 30 days", Month::Window(30), false),
        ("a window of 31 days", Month::Window(31), false),
    ];
    let cases: Vec<_> =
        months.iter().zip(0..).map(|((name, month, proved), seed)| (*name, (*month, *proved, seed))).collect();
    each(&cases, |(month, proved, seed)| {
        let mut random = StdRng::seed_from_u64(*seed);
        let clock = Clock::start("2025-05-28T12:00", *month, 2);
        clock.run("2025-05-29");
        if *proved {
            clock.proved();
        }
        let mut real = [0_u32; 2];
        let begin: Date = "2025-05-29".parse().unwrap();
        for day in begin.series(Span::new().days(1)).take(45) {
            for (item, real) in clock.items.iter().zip(&mut real) {
                let vm = clock.vm(*item);
                for _ in 0..random.gen_range(0..3) {
                    let minutes = random.gen_range(21..24 * 60);
                    let mib = *[1_u32, 50, 2000, 300_000].get(random.gen_range(0..4)).unwrap();
                    clock.at(&day
                        .to_datetime(jiff::civil::Time::midnight())
                        .saturating_add(minutes.minutes())
                        .to_string());
                    clock.traffic(|traffic| traffic.flow(vm, u64::from(mib) << 20, 0));
                    *real += mib;
                }
                if *proved && random.gen_bool(0.03) {
                    clock.traffic(|traffic| traffic.lose(vm));
                }
            }
            if random.gen_bool(0.25) {
                continue;
            }
            let next = day.tomorrow().unwrap().to_string();
            clock.run(&next);
            for (item, real) in clock.items.iter().zip(real) {
                let (billed, real) = (clock.sum(*item), f64::from(real) / 1024.0);
                assert!(billed <= real + 1e-6, "{next}: {billed} of {real} GiB: {:?}", clock.days(*item));
                assert!(clock.days(*item).iter().all(|(at, _)| *at < next), "{:?}", clock.days(*item));
            }
        }
        assert!(clock.items.iter().all(|item| clock.sum(*item) > 1.0), "something is billed");
    });
}
