//! What the queue costs with a crowd in one line: the hand-over time, and what the waiters cost while nothing happens.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use pmvmmanager6::queue;
use sandbox::World;
use sandbox::vmm::Setup;

use crate::measure::Times;
use crate::processes::{self, Room, Running, jobs};
use crate::scene;
use crate::sheet::{Row, Sheet};

/// How long the idle waiters are watched.
const IDLE: Duration = Duration::from_secs(5);
/// So many start at a time: MariaDB takes no more than 151 connections, and who waits has none.
const TOGETHER: usize = 50;

pub(crate) fn run(sheet: &mut Sheet) {
    let crowd = Crowd::gather(500);
    let what = "500 waiting operations";
    sheet.add(Row::new(format!("{what}: idle, of one processor"), crowd.idle(), "%").at_most(1.0));
    sheet.add(Row::new(format!("{what}: proportional memory of each"), crowd.memory(), "MiB").at_most(0.6));
    crowd.end();
    for (limit, waiters) in [(1, 10), (1, 100), (1, 500), (4, 500)] {
        let crowd =
            if limit == 1 { format!("{waiters} waiters") } else { format!("{waiters} waiters, {limit} at a time") };
        let hand_overs = Line::form(limit, waiters).drain();
        // With several at a time this includes the wait for a hand-over that is under way.
        let median = if limit == 1 { 1.0 } else { 5.0 };
        sheet.add(Row::new(format!("{crowd}: hand-over, median"), hand_overs.median(), "ms").at_most(median));
        sheet.add(Row::new(format!("{crowd}: hand-over, 99th percentile"), hand_overs.at(990), "ms").at_most(10.0));
    }
}

/// Operations of the release that wait, as BILLmanager has started them, while the queues are paused.
struct Crowd {
    world: World,
    waiters: Vec<Child>,
}

impl Crowd {
    fn gather(count: usize) -> Self {
        let world = scene::lifelike(Setup::default());
        let item = scene::opened(&world).to_string();
        assert_eq!(world.bill.run(&["queue", "pause", "--all"]).status, Some(0));
        let runtime = world.bill.root().join("var/pmvmmanager6/run");
        let start = |_| {
            let mut command = world.bill.command(&["--command", "sync_item", "--item", &item]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        };
        let mut waiters = Vec::new();
        while waiters.len() < count {
            waiters.extend((0..TOGETHER.min(count - waiters.len())).map(start));
            let all = || queue::list(&runtime).is_ok_and(|entries| entries.len() == waiters.len());
            processes::until("they wait", || all().then_some(()));
        }
        processes::until("sleep", || waiters.iter().all(|child| is_asleep(child.id())).then_some(()));
        Crowd { world, waiters }
    }

    /// Share of one processor that all take, in percent.
    fn idle(&self) -> f64 {
        let before = self.cpu();
        std::thread::sleep(IDLE);
        self.cpu().saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0
    }

    /// Processor time of all so far.
    fn cpu(&self) -> Duration {
        let ticks = |child: &Child| {
            let text = proc(child.id(), "stat");
            let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        };
        Duration::from_millis(self.waiters.iter().map(ticks).sum::<u64>() * 10)
    }

    /// Mean proportional set size in MiB.
    fn memory(&self) -> f64 {
        let kib = |child: &Child| {
            let text = proc(child.id(), "smaps_rollup");
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap()
        };
        let count: f64 = self.waiters.iter().map(|_| 1.0).sum();
        self.waiters.iter().map(kib).sum::<f64>() / count / 1024.0
    }

    fn end(self) {
        assert_eq!(self.world.bill.run(&["queue", "resume", "--all"]).status, Some(0));
        self.waiters.into_iter().for_each(|child| scene::end_well(&self.world, child));
    }
}

/// A queue full of waiting processes.
struct Line {
    room: Room,
    owners: Vec<Running>,
    waiters: Vec<Running>,
    limit: u32,
}

impl Line {
    fn form(limit: u32, waiters: usize) -> Self {
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
            (0..waiters).map(|n| start(format!("p{n}")).milliseconds(length(n)).start()).collect();
        room.await_tickets(owners.len() + waiters.len());
        processes::until("sleep", || waiters.iter().all(|hold| is_asleep(hold.pid())).then_some(()));
        Line { room, owners, waiters, limit }
    }

    /// Lets everybody through: from the end of each job to the start of the one that got its place.
    fn drain(self) -> Times {
        let Line { room, owners, waiters, limit } = self;
        owners.into_iter().for_each(Running::succeed);
        waiters.into_iter().for_each(Running::succeed);
        let jobs = jobs(&room.events());
        let mut ends: Vec<i64> = jobs.iter().map(|job| job.end.unwrap()).collect();
        ends.sort_unstable();
        // The n-th that ends makes room for the n-th of those that wait.
        let starts = jobs.iter().skip(usize::try_from(limit).unwrap()).map(|job| job.start);
        let took = |(start, end): (i64, i64)| Duration::from_nanos(u64::try_from(start - end).unwrap_or(0));
        Times::new(starts.zip(ends).map(took).collect())
    }
}

fn is_asleep(pid: u32) -> bool {
    proc(pid, "stat").rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
}

/// What the kernel says about a process.
fn proc(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process lives")
}
