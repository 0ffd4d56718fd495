//! A crowd in one queue, some of them killed at random moments.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::processes::{Room, Running, jobs, most_at_once, now_ns};

/// `crowd` processes with short jobs, about a third of them killed by `kill -9` at random moments. Nobody may stay
/// asleep, never more than `limit` may work, nothing may remain after the next arrival.
pub(crate) fn round(limit: u32, seed: u64, crowd: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let room = Room::new();
    let mut running: Vec<Running> = Vec::new();
    let mut deaths = BTreeMap::new();
    for n in 0..crowd {
        let length = random.gen_range(0..4);
        running.push(room.hold("k", &format!("p{n}")).limit(limit).milliseconds(length).start());
        if random.gen_bool(0.35) {
            let victim: Running = running.swap_remove(random.gen_range(0..running.len()));
            std::thread::sleep(std::time::Duration::from_micros(random.gen_range(0..3000)));
            // It dies a little later; nobody could have followed it earlier.
            deaths.insert(victim.label.clone(), now_ns());
            victim.kill();
        }
    }
    for hold in running {
        let label = hold.label.clone();
        let (status, text) = hold.end();
        assert_eq!(status, 0, "seed {seed}, {label}: {text}");
    }
    let jobs = jobs(&room.events());
    let most = most_at_once(&jobs, &deaths);
    assert!(most <= usize::try_from(limit).unwrap(), "seed {seed}: {most} at once");
    room.hold("k", "next").limit(limit).milliseconds(0).start().succeed();
    room.assert_empty();
}
