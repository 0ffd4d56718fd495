//! Long and heavy: the crowds that the normal tests only hint at. `make soak` runs them one after another.

#[path = "../it/support/mod.rs"]
#[allow(dead_code, reason = "the normal tests use all of it")]
mod support;

use std::collections::BTreeMap;

use support::processes::{self, Room, Running, jobs, most_at_once};
use support::{chaos, damage, hostile_life, random_life};

/// Rounds of [`chaos::round`]; each prints its seed when it fails.
fn rounds(limits: &[u32], count: u64, crowd: usize) {
    for seed in 0..count {
        let limit = limits[usize::try_from(seed).unwrap() % limits.len()];
        chaos::round(limit, 1000 + seed, crowd);
    }
}

#[test]
fn a_thousand_rounds_with_random_kills() {
    rounds(&[1, 1, 2, 3], 1000, 12);
}

#[test]
fn big_crowds_with_random_kills() {
    rounds(&[1, 2, 4, 8], 20, 200);
}

#[test]
fn five_hundred_in_one_line() {
    let room = Room::new();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let crowd: Vec<Running> = (0..500).map(|n| room.hold("k", &format!("p{n}")).milliseconds(0).start()).collect();
    let line: Vec<String> = room.await_tickets(501).into_iter().map(|entry| entry.label.command).collect();
    owner.succeed();
    crowd.into_iter().for_each(Running::succeed);
    let jobs = jobs(&room.events());
    assert_eq!(jobs.iter().map(|job| job.label.clone()).collect::<Vec<_>>(), line);
    assert_eq!(most_at_once(&jobs, &BTreeMap::new()), 1);
    room.assert_empty();
}

#[test]
fn fifty_keys_with_twenty_each() {
    let room = Room::new();
    let long = room.hold("long", "long").start();
    room.await_event("start", "long");
    let crowd: Vec<Running> =
        (0..1000).map(|n| room.hold(&format!("k{}", n % 50), &format!("p{n}")).milliseconds(1).start()).collect();
    crowd.into_iter().for_each(Running::succeed);
    long.succeed();
    let all = jobs(&room.events());
    for key in 0..50 {
        let of_key = |job: &&processes::Job| {
            job.label.strip_prefix('p').and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n % 50 == key)
        };
        let own: Vec<_> = all.iter().filter(of_key).cloned().collect();
        assert_eq!((own.len(), most_at_once(&own, &BTreeMap::new())), (20, 1));
    }
    room.assert_empty();
}

#[test]
fn two_hundred_first_processes() {
    for _ in 0..10 {
        let room = Room::new();
        let crowd: Vec<Running> =
            (0..200).map(|n| room.hold(&format!("k{n}"), &format!("p{n}")).milliseconds(0).start()).collect();
        crowd.into_iter().for_each(Running::succeed);
        assert!(!room.log().contains("bad-"), "{}", room.log());
        room.hold("k", "next").milliseconds(0).start().succeed();
        room.assert_empty();
    }
}

/// Work conserving: whenever somebody waits and fewer than N work, the next one starts soon.
#[test]
fn no_queue_is_idle_while_somebody_waits() {
    for limit in [1, 2, 4, 8] {
        let room = Room::new();
        let owners: Vec<Running> = (0..limit)
            .map(|n| {
                let owner = room.hold("k", &format!("owner{n}")).limit(limit).start();
                room.await_event("start", &format!("owner{n}"));
                owner
            })
            .collect();
        let crowd: Vec<Running> =
            (0..100).map(|n| room.hold("k", &format!("p{n}")).limit(limit).milliseconds(20).start()).collect();
        room.await_tickets(100 + owners.len());
        owners.into_iter().for_each(Running::succeed);
        crowd.into_iter().for_each(Running::succeed);
        let jobs = jobs(&room.events());
        assert_eq!(most_at_once(&jobs, &BTreeMap::new()), usize::try_from(limit).unwrap());
        // After the end of a job, the next start of anybody is a hand-over.
        let mut gaps: Vec<i64> = jobs
            .iter()
            .filter_map(|job| jobs.iter().map(|next| next.start).filter(|start| *start >= job.end.unwrap()).min())
            .zip(jobs.iter().map(|job| job.end.unwrap()))
            .map(|(start, end)| start - end)
            .collect();
        gaps.sort_unstable();
        let median = gaps[gaps.len() / 2];
        assert!(median < 10_000_000, "{limit} queues: half of the hand-overs took more than {median} ns");
        room.assert_empty();
    }
}

#[test]
fn damage_of_every_kind_with_twenty_waiting() {
    for (name, how) in damage::DAMAGES {
        damage::survives(name, 20, how);
    }
}

/// `SEED` repeats one round that failed.
#[test]
fn random_lives_with_random_disturbances() {
    match std::env::var("SEED") {
        Ok(seed) => random_life::round(seed.parse().expect("SEED is a number"), 3, 40),
        Err(_) => (0..25).for_each(|seed| random_life::round(seed, 3, 40)),
    }
}

/// `LIVES` lives, eight at a time: they mostly wait; `SEED` repeats one that failed.
#[test]
fn random_lives_with_hostile_clients() {
    if let Ok(seed) = std::env::var("SEED") {
        return hostile_life::round(seed.parse().expect("SEED is a number"), 3, 8);
    }
    let count: u64 = std::env::var("LIVES").map_or(2000, |count| count.parse().expect("LIVES is a number"));
    hostile_life::rounds(count, 8, 8);
    println!("{count} lives, seeds 0 to {}", count - 1);
}
