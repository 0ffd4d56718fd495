//! First come first served, at most N at once, keys apart from each other.

use std::collections::BTreeMap;

use pmvmmanager6::queue::Standing;

use crate::support::processes::{Room, Running, jobs, most_at_once};

/// Starts `count` processes behind each other, so that their labels are their order.
fn line_up(room: &Room, key: &str, limit: u32, count: usize, milliseconds: u64) -> Vec<Running> {
    let before = room.tickets().len();
    let start = |n: usize| {
        let hold = room.hold(key, &format!("{key}{n}")).limit(limit).milliseconds(milliseconds).start();
        room.await_tickets(before + n + 1);
        hold
    };
    (0..count).map(start).collect()
}

#[test]
fn one_queue_is_strictly_first_come_first_served() {
    let room = Room::new();
    let first = room.hold("k", "first").start();
    room.await_event("start", "first");
    let waiting = line_up(&room, "k", 1, 30, 0);
    assert!(room.tickets()[1..].iter().enumerate().all(|(n, e)| e.place == Standing::Waiting { place: n + 1 }));
    first.succeed();
    let expected: Vec<String> = waiting.iter().map(|hold| hold.label.clone()).collect();
    waiting.into_iter().for_each(Running::succeed);
    let jobs = jobs(&room.events());
    assert_eq!(jobs[1..].iter().map(|job| job.label.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(most_at_once(&jobs, &BTreeMap::new()), 1);
    assert!(jobs.iter().all(|job| job.number == 1));
    room.assert_empty();
}

#[test]
fn with_n_queues_n_run_and_no_queue_is_idle() {
    for limit in [2_u32, 4] {
        let room = Room::new();
        let count = usize::try_from(limit).unwrap();
        let first: Vec<Running> =
            (0..limit).map(|n| room.hold("k", &format!("first{n}")).limit(limit).start()).collect();
        (0..limit).for_each(|n| _ = room.await_event("start", &format!("first{n}")));
        let waiting = line_up(&room, "k", limit, 12, 3);
        first.into_iter().for_each(Running::succeed);
        waiting.into_iter().for_each(Running::succeed);
        let jobs = jobs(&room.events());
        assert_eq!(most_at_once(&jobs, &BTreeMap::new()), count);
        assert!(jobs.iter().all(|job| (1..=limit).contains(&job.number)));
        // Two that run at once have different numbers.
        for job in &jobs {
            let same = |other: &&super::support::processes::Job| {
                other.number == job.number && other.start <= job.start && job.start < other.end.unwrap()
            };
            assert_eq!(jobs.iter().filter(same).count(), 1, "{job:?}");
        }
        room.assert_empty();
    }
}

#[test]
fn the_lowest_free_number_is_given_and_who_waits_gets_the_queue_that_ends() {
    let room = Room::new();
    let holds: Vec<Running> = (0..3)
        .map(|n| {
            let hold = room.hold("k", &format!("h{n}")).limit(3).start();
            room.await_event("start", &format!("h{n}"));
            hold
        })
        .collect();
    let next = room.hold("k", "next").limit(3).start();
    room.await_event("waiting", "next");
    let mut holds = holds.into_iter();
    let (zero, one, two) = (holds.next().unwrap(), holds.next().unwrap(), holds.next().unwrap());
    one.succeed();
    room.await_event("start", "next");
    let numbers: BTreeMap<String, u32> = jobs(&room.events()).into_iter().map(|j| (j.label, j.number)).collect();
    assert_eq!(numbers["h2"], 3);
    assert_eq!(numbers["next"], 2);
    [zero, two, next].into_iter().for_each(Running::succeed);
    room.assert_empty();
}

#[test]
fn keys_do_not_delay_each_other() {
    let room = Room::new();
    let long = room.hold("a", "long").start();
    room.await_event("start", "long");
    let behind = room.hold("a", "behind").start();
    room.await_event("waiting", "behind");
    for key in ["b", "c", "d"] {
        let crowd: Vec<Running> =
            (0..3).map(|n| room.hold(key, &format!("{key}{n}")).milliseconds(2).start()).collect();
        crowd.into_iter().for_each(Running::succeed);
    }
    assert_eq!(room.moment("start", "behind"), None);
    long.succeed();
    behind.succeed();
    room.assert_empty();
}

#[test]
fn operations_of_one_service_wait_for_each_other_whatever_their_queue() {
    let room = Room::new();
    let one = room.hold("a", "one").service(17).start();
    room.await_event("start", "one");
    let two = room.hold("b", "two").service(17).start();
    room.await_event("waiting", "two");
    let other = room.hold("b", "other").service(18).start();
    room.await_event("start", "other");
    assert_eq!(room.moment("start", "two"), None);
    let (_, text, _) = room.run(&["queue"]);
    assert!(text.contains("service:17") && text.contains("b-1"), "{text}");
    one.succeed();
    other.succeed();
    two.succeed();
    room.assert_empty();
}

/// Order and turns must not depend on the date: only the log and the panel's rows may ask for it.
#[test]
fn the_queue_and_the_session_cache_ask_no_clock_that_can_be_set() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = ["queue", "state"].into_iter().flat_map(|folder| std::fs::read_dir(source.join(folder)).unwrap());
    let files: Vec<_> = files.map(|entry| entry.unwrap().path()).chain([source.join("vmm/session.rs")]).collect();
    assert!(files.len() > 15);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for clock in ["SystemTime", "jiff", "Realtime"] {
            assert!(!text.contains(clock), "{} uses {clock}", file.display());
        }
    }
}
