//! What the queue costs with a crowd in one line: the hand-over time, and what the waiters cost while nothing happens.

use std::fs;
use std::time::Duration;

use crate::measure::Times;
use crate::processes::{self, Room, Running, jobs};
use crate::sheet::{Row, Sheet};

/// How long the idle waiters are watched.
const IDLE: Duration = Duration::from_secs(5);

pub fn run(sheet: &mut Sheet) {
    for (limit, waiters) in [(1, 10), (1, 100), (1, 500), (4, 500)] {
        let line = Line::form(limit, waiters);
        let crowd =
            if limit == 1 { format!("{waiters} waiters") } else { format!("{waiters} waiters, {limit} at a time") };
        if waiters == 500 {
            sheet.add(Row::new(format!("{crowd}: idle, of one processor"), line.idle(), "%").at_most(1.0));
            sheet.add(Row::new(format!("{crowd}: proportional memory of each"), line.memory(), "MiB").at_most(0.6));
        }
        let hand_overs = line.drain();
        // With several at a time this includes the wait for a hand-over that is under way.
        let median = if limit == 1 { 1.0 } else { 5.0 };
        sheet.add(Row::new(format!("{crowd}: hand-over, median"), hand_overs.median(), "ms").at_most(median));
        sheet.add(Row::new(format!("{crowd}: hand-over, 99th percentile"), hand_overs.at(990), "ms").at_most(10.0));
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

    /// Share of one processor that all waiters take, in percent.
    fn idle(&self) -> f64 {
        let before = self.cpu();
        std::thread::sleep(IDLE);
        self.cpu().saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0
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
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S')))
}
