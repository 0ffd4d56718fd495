//! `make bench`: what the queue costs with 500 processes in one line. Prints the hand-over time, what the waiters cost
//! while nothing happens, and one lonely operation beside `/bin/true`; fails when a budget of the design is broken.

#[path = "../it/support/processes.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod processes;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use processes::{Room, Running, jobs};

const WAITERS: usize = 500;
/// How long the idle waiters are watched.
const IDLE: Duration = Duration::from_secs(5);

fn main() {
    let mut broken = Vec::new();
    let mut judge = |what: &str, value: f64, unit: &str, budget: f64| {
        println!("{what:<44} {value:>9.3} {unit:<4} budget {budget}");
        if value > budget {
            broken.push(what.to_owned());
        }
    };
    println!("{WAITERS} processes wait in one queue");
    for limit in [1, 4] {
        let line = Line::form(limit);
        let before = line.cpu();
        std::thread::sleep(IDLE);
        let busy = line.cpu().saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
        judge(&format!("{limit} queues: idle, of one processor"), busy, "%", 1.0);
        judge(&format!("{limit} queues: proportional memory of a waiter"), line.memory(), "MiB", 0.6);
        let mut hand_overs = line.drain();
        hand_overs.sort_unstable();
        let at = |share: usize| Duration::from_nanos(hand_overs[hand_overs.len() * share / 1000]).as_secs_f64() * 1e3;
        // With several queues this includes the wait for a hand-over that is under way.
        judge(&format!("{limit} queues: hand-over, median"), at(500), "ms", if limit == 1 { 1.0 } else { 5.0 });
        judge(&format!("{limit} queues: hand-over, 99th percentile"), at(990), "ms", 10.0);
    }
    let lonely = lonely();
    judge("enter and leave alone, of /bin/true", lonely, "x", 8.0);
    assert!(broken.is_empty(), "over budget: {broken:?}");
}

/// A queue full of waiting processes.
struct Line {
    room: Room,
    owners: Vec<Running>,
    waiters: Vec<Running>,
    limit: u32,
}

impl Line {
    fn form(limit: u32) -> Self {
        let room = Room::new();
        let start = |label: String| room.hold("k", &label).limit(limit);
        let owners: Vec<Running> = (0..limit)
            .map(|n| {
                let owner = start(format!("owner{n}")).start();
                room.await_event("start", &format!("owner{n}"));
                owner
            })
            .collect();
        // With several queues, jobs of different lengths: ends that meet would wait for each other's hand-over.
        let length = |n: usize| if limit == 1 { 0 } else { u64::try_from(5 + n % 7).unwrap_or(0) };
        let waiters: Vec<Running> =
            (0..WAITERS).map(|n| start(format!("p{n}")).milliseconds(length(n)).start()).collect();
        room.await_tickets(owners.len() + WAITERS);
        processes::until("sleep", || waiters.iter().all(|hold| is_asleep(hold.pid())).then_some(()));
        Line { room, owners, waiters, limit }
    }

    /// Processor time of all waiters so far.
    fn cpu(&self) -> Duration {
        let ticks = |hold: &Running| {
            let text = fs::read_to_string(format!("/proc/{}/stat", hold.pid())).unwrap();
            let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        };
        Duration::from_millis(self.waiters.iter().map(ticks).sum::<u64>() * 10)
    }

    /// Mean proportional set size in MiB.
    fn memory(&self) -> f64 {
        let kib = |hold: &Running| {
            let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", hold.pid())).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap()
        };
        let count: f64 = self.waiters.iter().map(|_| 1.0).sum();
        self.waiters.iter().map(kib).sum::<f64>() / count / 1024.0
    }

    /// Lets everybody through: from the end of each job to the start of the one that got its place, in nanoseconds.
    fn drain(self) -> Vec<u64> {
        let Line { room, owners, waiters, limit } = self;
        let start = Instant::now();
        owners.into_iter().for_each(Running::succeed);
        waiters.into_iter().for_each(Running::succeed);
        println!("{limit} queues: all through in {} ms", start.elapsed().as_millis());
        let jobs = jobs(&room.events());
        let mut ends: Vec<i64> = jobs.iter().map(|job| job.end.unwrap()).collect();
        ends.sort_unstable();
        // The n-th that ends makes room for the n-th of those that wait.
        let starts = jobs.iter().skip(usize::try_from(limit).unwrap()).map(|job| job.start);
        starts.zip(ends).map(|(start, end)| u64::try_from(start - end).unwrap_or(0)).collect()
    }
}

fn is_asleep(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S')))
}

/// One operation that meets nobody, as a multiple of `/bin/true`; the fast runs, which other programs did not interrupt.
fn lonely() -> f64 {
    let room = Room::new();
    let log = room.path("holds");
    let arguments = ["queue-hold", "--key", "k", "--for", "0", "--log", log.to_str().unwrap()];
    let fast = |command: &mut dyn FnMut() -> Command| {
        let mut times: Vec<Duration> = (0..200)
            .map(|_| {
                let mut command = command();
                let start = Instant::now();
                assert!(command.status().unwrap().success());
                start.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 20].as_secs_f64()
    };
    let floor = fast(&mut || Command::new("/bin/true"));
    let ours = fast(&mut || {
        let mut command = room.command();
        command.args(arguments);
        command
    });
    println!("/bin/true {:.3} ms, enter and leave {:.3} ms", floor * 1e3, ours * 1e3);
    ours / floor
}
