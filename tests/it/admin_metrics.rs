//! `pmvmmanager6 metrics`: what runs count, added up exactly whatever happens to them, in a text that Prometheus reads.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use sandbox::vmm::{Action, Fault};

use crate::support::processes::{Room, finished};
use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

/// A command that every room can run: it is refused, and counted.
const REFUSED: [&str; 2] = ["--command", "fly"];

#[test]
fn nothing_has_happened_yet() {
    let room = Room::new();
    let metrics = Metrics::in_room(&room);
    assert_eq!(metrics.all("info"), [format!("{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(metrics.all("operations_total"), [""; 0]);
    assert_eq!(metrics.all("stopped_again_total"), [" 0"]);
    assert_eq!(metrics.all("queues_paused"), [" 0"]);
    let phases = ["accepted", "deleted", "deleting", "intended", "ready", "refused", "requested"];
    assert_eq!(metrics.all("journal_services"), phases.map(|phase| format!("{{phase=\"{phase}\"}} 0")));
    assert_eq!(metrics.all("journal_oldest_unfinished_seconds"), [" 0"]);
    let parts = ["audit", "counters", "journal", "queue"];
    assert_eq!(metrics.all("readable"), parts.map(|part| format!("{{part=\"{part}\"}} 1")));
    assert!(!room.path("var/pmvmmanager6").exists(), "looking creates nothing");
}

#[test]
fn json_says_the_same() {
    let world = TestWorld::start();
    world.opened();
    let metrics = Metrics::of(&world);
    let run = world.bill.run(&["metrics", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let blocks = document["metrics"].as_array().unwrap();
    let mut samples = 0;
    for sample in blocks.iter().flat_map(|block| block["samples"].as_array().unwrap()) {
        let labels = sample["labels"].as_object().unwrap().iter();
        let mut labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
        // The text has the bound of a bucket at the end, an object of JSON is in alphabetical order.
        labels.sort_by_key(|label| label.starts_with("le="));
        let braced = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let series = format!("{}{braced}", sample["name"].as_str().unwrap());
        let value = sample["value"].as_f64().unwrap();
        // The text rounds to microseconds.
        assert!(metrics.get(&series).is_some_and(|text| (text - value).abs() < 1e-6), "{series}: {value}");
        samples += 1;
    }
    assert_eq!(samples, metrics.count());
    assert!(blocks.iter().all(|block| ["gauge", "counter", "histogram"].contains(&block["type"].as_str().unwrap())));
    assert_eq!(world.bill.run(&["metrics", "--json", "--output", "x.prom"]).status, Some(2));
}

#[test]
fn every_run_is_counted_with_all_that_it_met() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.succeed(item, "open");
    // Asleep twice, then an expired session, then an answer that cannot be read.
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").times(2));
    world.succeed(item, "suspend");
    world.vmm.expire_sessions();
    world.succeed(item, "resume");
    world.vmm.fault(Fault::on("GET", "/vm/v3/host").act(Action::Garbage));
    world.succeed(item, "suspend");
    let host = world.host_of(item).id;
    world.alter(host, |vm| "active".clone_into(&mut vm.state));
    assert!(world.aside(item, "sync_item").done);
    // What fails, with and without VMmanager.
    let second = world.ordered();
    let action = Action::FailTask { word: "failed", text: "no space left".to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
    world.fail(second, "open");
    world.run(&REFUSED);
    world.run(&["--command", "open", "--item", "4000000"]);
    world.bill.run(&["--command", "features"]);
    let metrics = Metrics::of(&world);
    let operations = [
        "{command=\"open\",result=\"bad_argument\"} 1",
        "{command=\"open\",result=\"success\"} 1",
        "{command=\"open\",result=\"vm6_task\"} 1",
        "{command=\"resume\",result=\"success\"} 1",
        "{command=\"suspend\",result=\"success\"} 2",
        "{command=\"sync_item\",result=\"success\"} 1",
        "{command=\"unknown\",result=\"not_supported\"} 1",
    ];
    assert_eq!(metrics.all("operations_total"), operations);
    let durations = [("open", 3), ("resume", 1), ("suspend", 2), ("sync_item", 1), ("unknown", 1)];
    let durations = durations.map(|(command, count)| format!("{{command=\"{command}\"}} {count}"));
    assert_eq!(metrics.all("operation_duration_seconds_count"), durations);
    assert!(metrics.get("operation_duration_seconds_sum{command=\"open\"}").unwrap() >= 0.15, "a VM takes that long");
    assert_eq!(metrics.all("queue_wait_seconds_count"), ["{ticket=\"service\"} 6"]);
    let retries = ["{reason=\"asleep\"} 2", "{reason=\"read\"} 1", "{reason=\"session\"} 1"];
    assert_eq!(metrics.all("vmmanager_retries_total"), retries);
    assert_eq!(metrics.all("vmmanager_logins_total"), ["{result=\"success\"} 2"]);
    assert_eq!(metrics.all("stopped_again_total"), [" 1"]);
    for (outcome, count) in
        [("POST\",outcome=\"not_taken", 2.0), ("GET\",outcome=\"no_session", 1.0), ("GET\",outcome=\"unknown", 1.0)]
    {
        assert_eq!(metrics.get(&format!("vmmanager_requests_total{{method=\"{outcome}\"}}")), Some(count), "{outcome}");
    }
    let asked = world.vmm.requests();
    for method in ["GET", "POST", "DELETE"] {
        let count = asked.iter().filter(|request| request.method == method).count();
        let series = format!("vmmanager_request_duration_seconds_count{{method=\"{method}\"}}");
        assert_eq!(metrics.get(&series), Some(f64::from(u32::try_from(count).unwrap())), "{method}");
    }
    let phases = ["accepted 0", "deleted 0", "deleting 0", "intended 0", "ready 1", "refused 1", "requested 0"];
    let phases = phases.map(|it| it.split_once(' ').unwrap()).map(|(name, n)| format!("{{phase=\"{name}\"}} {n}"));
    assert_eq!(metrics.all("journal_services"), phases);
}

#[test]
fn a_vmmanager_that_is_down_is_counted() {
    let world = TestWorld::start();
    let item = world.opened();
    world.bill.set_handler(world.handler, "url", "http://127.0.0.1:1");
    world.fail(item, "stop");
    let metrics = Metrics::of(&world);
    assert_eq!(metrics.get("operations_total{command=\"stop\",result=\"vm6_connect\"}"), Some(1.0));
    assert_eq!(metrics.get("vmmanager_logins_total{result=\"vm6_connect\"}"), Some(1.0));
    assert_eq!(metrics.get("vmmanager_retries_total{reason=\"connect\"}"), Some(2.0));
    assert_eq!(metrics.get("vmmanager_requests_total{method=\"POST\",outcome=\"not_taken\"}"), Some(3.0));
}

#[test]
fn processes_at_the_same_time_add_up() {
    let world = TestWorld::start();
    let item = world.opened().to_string();
    let asked = |metrics: &Metrics| metrics.get("vmmanager_requests_total{method=\"GET\",outcome=\"done\"}");
    let before = asked(&Metrics::of(&world));
    let args = ["--command", "sync_item", "--item", &item];
    let children: Vec<Child> = (0..20).map(|_| world.bill.command(&args).spawn().unwrap()).collect();
    for child in children {
        assert_eq!(finished(child.wait_with_output().unwrap()).0, 0, "{}", world.bill.log());
    }
    let metrics = Metrics::of(&world);
    assert_eq!(metrics.get("operations_total{command=\"sync_item\",result=\"success\"}"), Some(20.0));
    assert_eq!(metrics.get("operation_duration_seconds_count{command=\"sync_item\"}"), Some(20.0));
    // One more for the opening.
    assert_eq!(metrics.get("queue_wait_seconds_count{ticket=\"service\"}"), Some(21.0));
    let heard = world.vmm.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(asked(&metrics), before.map(|before| before + f64::from(u32::try_from(heard).unwrap())));
}

#[test]
fn the_queue_as_it_stands() {
    let room = Room::new();
    let running = room.hold("a \"b\"\\", "open").service(17).start();
    room.await_event("start", "open");
    let waiting = room.hold("a \"b\"\\", "suspend").start();
    room.await_event("waiting", "suspend");
    room.run(&["queue", "pause", "k"]);
    let metrics = Metrics::in_room(&room);
    let odd = r#"{queue="a \"b\"\\"}"#;
    let three = |values: [u8; 3]| {
        let names = [odd, "{queue=\"k\"}", "{queue=\"service:*\"}"];
        names.iter().zip(values).map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>()
    };
    assert_eq!(metrics.all("queue_running"), three([1, 0, 1]));
    assert_eq!(metrics.all("queue_waiting"), three([1, 0, 0]));
    assert_eq!(metrics.all("queue_paused"), three([0, 1, 0]));
    assert!(metrics.get(&format!("queue_oldest_wait_seconds{odd}")).unwrap() < 60.0);
    assert_eq!(metrics.get("queues_paused"), Some(0.0));
    room.run(&["queue", "pause", "--all"]);
    assert_eq!(Metrics::in_room(&room).get("queues_paused"), Some(1.0));
    room.run(&["queue", "resume", "--all"]);
    running.succeed();
    waiting.succeed();
}

/// Runs the refused command; the exit status, minus the signal for a killed process.
fn refused(room: &Room, environment: &[(&str, &str)]) -> i32 {
    finished(room.command().args(REFUSED).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap()).0
}

#[track_caller]
fn assert_counted(room: &Room, count: f64) {
    let counted = Metrics::in_room(room).get("operations_total{command=\"unknown\",result=\"not_supported\"}");
    assert_eq!(counted, Some(count));
}

#[test]
fn a_killed_run_takes_only_its_own_numbers_with_it() {
    let room = Room::new();
    assert_eq!(refused(&room, &[]), 1);
    assert_eq!(refused(&room, &[("PMVMMANAGER6_FAULT", "metrics.storing")]), -9);
    assert_counted(&room, 1.0);
    assert_eq!(refused(&room, &[]), 1);
    assert_counted(&room, 2.0);
    assert!(!room.runtime().join("metrics.json.bad-1").exists());
    let file = fs::metadata(room.runtime().join("metrics.json")).unwrap();
    assert_eq!(file.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn numbers_that_cannot_be_stored_change_no_operation() {
    let room = Room::new();
    let plain = finished(room.command().args(REFUSED).output().unwrap());
    fs::write(room.runtime().join("metrics.json"), [7; 5000]).unwrap();
    assert_eq!(finished(room.command().args(REFUSED).output().unwrap()), plain);
    assert!(room.runtime().join("metrics.json.bad-1").exists(), "a damaged file is set aside");
    assert_counted(&room, 1.0);
    fs::remove_file(room.runtime().join("metrics.json")).unwrap();
    fs::create_dir(room.runtime().join("metrics.json")).unwrap();
    assert_eq!(finished(room.command().args(REFUSED).output().unwrap()), plain);
    let (status, text, complaint) = room.run(&["metrics"]);
    assert_eq!(status, 1);
    assert!(complaint.starts_with("pmvmmanager6: state (") && complaint.lines().count() == 1, "{complaint}");
    let metrics = Metrics::parse(&text);
    let readable = ["audit\"} 1", "counters\"} 0", "journal\"} 1", "queue\"} 1"];
    assert_eq!(metrics.all("readable"), readable.map(|part| format!("{{part=\"{part}")));
    assert_eq!(metrics.all("stopped_again_total"), [""; 0], "what is not known is not written as zero");
}

#[test]
fn a_file_is_replaced_in_one_step() {
    let room = Room::new();
    let directory = room.path("textfile");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("pmvmmanager6.prom");
    let write = |file: &Path| room.run(&["metrics", "--output", file.to_str().unwrap()]);
    assert_eq!(write(&file), (0, String::new(), String::new()));
    assert_eq!(refused(&room, &[]), 1);
    let reader = fs::File::open(&file).unwrap();
    assert_eq!(write(&file), (0, String::new(), String::new()));
    let old = std::io::read_to_string(reader).unwrap();
    let new = fs::read_to_string(&file).unwrap();
    assert_eq!(Metrics::parse(&old).all("operations_total").len(), 0, "who reads meanwhile reads the whole old text");
    assert_eq!(Metrics::parse(&new).all("operations_total").len(), 1);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644, "node exporter is not root");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    let (status, text, complaint) = write(&room.path("missing/pmvmmanager6.prom"));
    assert_eq!((status, text.as_str()), (1, ""));
    assert!(complaint.contains("cannot be written") && complaint.lines().count() == 1, "{complaint}");
}

#[test]
fn the_readme_names_every_metric() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `pmvmmanager6_")?.split('`').next());
    let mut described: Vec<String> = rows.map(|name| format!("pmvmmanager6_{name}")).collect();
    described.sort();
    let page = TestWorld::start().bill.run(&["metrics", "--probe", "--capacity"]).stdout;
    let exported: Vec<String> = Metrics::parse(&page).types.into_keys().collect();
    assert_eq!(described, exported);
}

/// Bounds of the buckets of a series, in order.
fn bounds(metrics: &Metrics, name: &str, labels: &str) -> Vec<String> {
    let mut bounds: Vec<(f64, String)> = metrics
        .all(&format!("{name}_bucket"))
        .iter()
        .filter_map(|series| series.split_once(&format!("{{{labels},le=\""))?.1.split_once('"'))
        .map(|(bound, _)| (bound.parse().unwrap(), bound.to_owned()))
        .collect();
    bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    bounds.into_iter().map(|(_, bound)| bound).collect()
}

#[test]
fn buckets_fit_what_is_measured_and_only_used_series_have_them() {
    let world = TestWorld::start();
    let item = world.opened();
    world.succeed(item, "suspend");
    let metrics = Metrics::of(&world);
    let work = "1 5 10 30 60 120 300 600 1200 1800 3600 +Inf";
    let answer = "0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf";
    for (name, labels, expected) in [
        ("operation_duration_seconds", "command=\"open\"", work),
        ("queue_wait_seconds", "ticket=\"service\"", work),
        ("vmmanager_request_duration_seconds", "method=\"POST\"", answer),
    ] {
        assert_eq!(bounds(&metrics, name, labels).join(" "), expected, "{name}");
    }
    // Two commands have run: twelve buckets each.
    assert_eq!(metrics.all("operation_duration_seconds_bucket").len(), 24);
}

#[test]
fn a_service_that_nobody_goes_on_with_grows_old() {
    let world = TestWorld::start();
    let item = world.opened();
    let oldest = || Metrics::of(&world).get("journal_oldest_unfinished_seconds").unwrap();
    assert!(oldest() < f64::EPSILON, "a service that is ready waits for nothing");
    let journal = rusqlite::Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    for phase in ["intended", "requested", "accepted", "deleting"] {
        let sql = "UPDATE service SET phase = ?, changed = unixepoch() - 7200 WHERE item = ?";
        journal.execute(sql, rusqlite::params![phase, item]).unwrap();
        assert!((7200.0..7260.0).contains(&oldest()), "{phase}");
    }
    journal.execute("UPDATE service SET phase = 'ready' WHERE item = ?", [item]).unwrap();
    assert!(oldest() < f64::EPSILON);
}
