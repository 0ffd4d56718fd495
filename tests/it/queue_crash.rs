//! Processes that die, stop, or are told to stop, at every point of their way through the queue.

use std::collections::BTreeMap;
use std::time::Duration;

use pmvmmanager6::fault;
use rustix::process::Signal;

use crate::support::processes::{Room, Running, jobs, most_at_once, now_ns, until};

/// What is asked of the median; a single hand-over may meet a busy machine.
const HAND_OVER: Duration = Duration::from_millis(50);

/// A runs, V will die at the point, W waits behind. Returns how long W waited after the last of A and V was gone.
fn next_in_line_after_a_kill(point: &str) -> Duration {
    let room = Room::new();
    let a = room.hold("k", "a").start();
    room.await_event("start", "a");
    let v = room.hold("k", "v").milliseconds(0).fault(point).start();
    let arrives = !matches!(point, "queue.before_insert" | "queue.after_insert" | "queue.after_file");
    let dies_on_arrival = !arrives || matches!(point, "queue.after_commit" | "queue.wait");
    let mut v = Some(v);
    if dies_on_arrival {
        let (status, _) = v.take().unwrap().end();
        assert_eq!(status, -9, "{point}");
    } else {
        room.await_event("waiting", "v");
    }
    let w = room.hold("k", "w").milliseconds(0).start();
    room.await_event("waiting", "w");
    a.succeed();
    let mut free = room.moment("end", "a").unwrap();
    if let Some(v) = v {
        assert_eq!(v.end().0, -9, "{point}");
        free = room.moment("end", "v").unwrap_or_else(now_ns);
    }
    w.succeed();
    let jobs = jobs(&room.events());
    assert_eq!(most_at_once(&jobs, &BTreeMap::new()), 1, "{point}");
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
    let waited = room.moment("start", "w").unwrap() - free;
    Duration::from_nanos(u64::try_from(waited).unwrap_or(0))
}

#[test]
fn killed_at_every_point_the_next_in_line_starts_and_nothing_remains() {
    let points = fault::POINTS.iter().filter(|point| point.starts_with("queue.") && !point.contains("resume"));
    let mut waits: Vec<Duration> = points.map(|point| next_in_line_after_a_kill(point)).collect();
    waits.sort();
    assert!(waits[waits.len() / 2] <= HAND_OVER, "{waits:?}");
}

#[test]
fn dead_tickets_anywhere_in_the_line_are_removed_by_who_comes_next() {
    for limit in [1, 2] {
        let room = Room::new();
        let start = |label: &str| {
            let hold = room.hold("k", label).limit(limit).start();
            until(label, || Some(()).filter(|()| room.line().iter().any(|l| l == label)));
            hold
        };
        let [owner, first, middle, last, tail] = ["owner", "first", "middle", "last", "tail"].map(start);
        middle.kill();
        tail.kill();
        assert_eq!(room.line(), ["owner", "first", "last"]);
        owner.kill();
        room.await_event("start", "first");
        first.succeed();
        room.await_event("start", "last");
        last.succeed();
        let all = ["x", "y", "z"].map(start);
        all.into_iter().for_each(Running::kill);
        let one = room.hold("k", "one").limit(limit).milliseconds(0).start();
        one.succeed();
        room.assert_empty();
    }
}

#[test]
fn a_stopped_owner_keeps_its_turn_until_it_goes_on_or_dies() {
    for signal in [Signal::CONT, Signal::KILL] {
        let room = Room::new();
        let mut owner = room.hold("k", "owner").start();
        room.await_event("start", "owner");
        owner.signal(Signal::STOP);
        owner.release();
        let waiter = room.hold("k", "waiter").milliseconds(0).start();
        room.await_event("waiting", "waiter");
        let newcomer = room.hold("k", "newcomer").milliseconds(0).start();
        room.await_event("waiting", "newcomer");
        assert_eq!(room.moment("start", "waiter"), None);
        owner.signal(signal);
        let (status, text) = waiter.end();
        assert_eq!(status, 0, "{text}");
        assert!(text.contains(&format!("owner (process {}, for ", owner.pid())), "{text}");
        newcomer.succeed();
        assert_eq!(room.moment("end", "owner").is_some(), signal == Signal::CONT);
        drop(owner);
        room.hold("k", "next").milliseconds(0).start().succeed();
        room.assert_empty();
    }
}

#[test]
fn a_waiter_that_is_told_to_stop_leaves_cleanly() {
    for (signal, limit) in [(Signal::TERM, 1), (Signal::INT, 1), (Signal::TERM, 2)] {
        let room = Room::new();
        let owners: Vec<Running> = (0..limit)
            .map(|n| {
                let owner = room.hold("k", &format!("owner{n}")).limit(limit).start();
                room.await_event("start", &format!("owner{n}"));
                owner
            })
            .collect();
        let waiter = room.hold("k", "waiter").limit(limit).start();
        room.await_event("waiting", "waiter");
        let behind = room.hold("k", "behind").limit(limit).milliseconds(0).start();
        room.await_event("waiting", "behind");
        waiter.signal(signal);
        let (status, text) = waiter.end();
        assert_eq!(status, 1, "{text}");
        assert!(text.contains("state (k): the process was told to stop while it waited in queue k"), "{text}");
        assert!(!room.line().contains(&"waiter".to_owned()));
        assert_eq!(room.moment("start", "waiter"), None);
        owners.into_iter().for_each(Running::succeed);
        behind.succeed();
        room.assert_empty();
    }
}

#[test]
fn a_running_operation_dies_of_a_signal_as_ever() {
    let room = Room::new();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let waiter = room.hold("k", "waiter").start();
    room.await_event("waiting", "waiter");
    owner.succeed();
    room.await_event("start", "waiter");
    // It has waited before, so its handlers are installed.
    waiter.signal(Signal::TERM);
    let mut waiter = waiter;
    let status = until("the end", || waiter.try_end());
    assert_eq!(status, -15);
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn a_child_that_outlives_the_operation_does_not_hold_the_queue() {
    let room = Room::new();
    room.hold("k", "parent").milliseconds(0).with_child().start().succeed();
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn a_process_id_proves_nothing() {
    let room = Room::new();
    room.hold("k", "first").milliseconds(0).start().succeed();
    let row = "INSERT INTO ticket (key, queues, command, pid, pid_start, boot, entered, number, started)
               VALUES ('k', 1, 'ghost', ?1, ?2, ?3, 0, 1, 0)";
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let me = std::process::id();
    // A living process of another start time without a file, and our own number with a file that nobody holds.
    room.database().execute(row, rusqlite::params![me, 1, boot.trim()]).unwrap();
    room.database().execute(row, rusqlite::params![me, 1, boot.trim()]).unwrap();
    let id: i64 = room.database().query_row("SELECT max(id) FROM ticket", [], |row| row.get(0)).unwrap();
    std::fs::write(room.runtime().join(format!("tickets/{id}")), "").unwrap();
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn random_kills_leave_nobody_asleep_and_never_two_at_once() {
    for (limit, seed) in [(1, 1), (3, 2)] {
        crate::support::chaos::round(limit, seed, 30);
    }
}
