//! The protocol of the queue as a small state machine, searched exhaustively: every interleaving of a few processes,
//! with a crash at every step of each. It shares [`admission::next`] with the real thing.
//!
//! A step here is what happens under the guard (one transaction), or one visible act outside it (a lock given up).

use std::collections::HashSet;

use super::admission::{self, Ahead, LockSignal, Next};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Has not arrived.
    Outside,
    /// Sleeps on these signals.
    Asleep(Vec<LockSignal>),
    /// Has started; still holds its turn file if it waited.
    Started,
    Working,
    /// Its row is gone, its lock is not.
    Leaving,
    /// Ended or killed.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    phase: Phase,
    id: i64,
    limit: u32,
    holds_life: bool,
    holds_turn: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    processes: Vec<Process>,
    /// Rows of the index: ticket and whether it has started.
    rows: Vec<(i64, bool)>,
    last_id: i64,
    crashes: u32,
}

impl World {
    fn new(limits: &[u32], crashes: u32) -> Self {
        let process = |&limit| Process { phase: Phase::Outside, id: 0, limit, holds_life: false, holds_turn: false };
        World { processes: limits.iter().map(process).collect(), rows: Vec::new(), last_id: 0, crashes }
    }

    fn lives(&self, id: i64) -> bool {
        self.processes.iter().any(|p| p.id == id && p.holds_life)
    }

    fn is_given_up(&self, signal: LockSignal) -> bool {
        let held = |p: &Process| match signal {
            LockSignal::Life(id) => p.id == id && p.holds_life,
            LockSignal::Turn(id) => p.id == id && p.holds_turn,
        };
        !self.processes.iter().any(held)
    }

    /// The transaction of an arrival or of a waiter that woke up, as in `line::step`.
    fn ask(&mut self, n: usize, ended: &[LockSignal]) {
        let id = self.processes[n].id;
        let reaped: Vec<i64> = ended.iter().map(|s| s.id()).filter(|id| !self.lives(*id)).collect();
        self.rows.retain(|(id, _)| !reaped.contains(id));
        let ahead: Vec<Ahead> =
            self.rows.iter().filter(|r| r.0 < id).map(|&(id, running)| Ahead { id, running }).collect();
        self.processes[n].phase = match admission::next(&ahead, self.processes[n].limit) {
            Next::Watch(signals) => Phase::Asleep(signals),
            Next::Start => {
                let dead: Vec<i64> = ahead.iter().map(|t| t.id).filter(|id| !self.lives(*id)).collect();
                self.rows.retain(|(id, _)| !dead.contains(id));
                if let Some(row) = self.rows.iter_mut().find(|row| row.0 == id) {
                    row.1 = true;
                }
                Phase::Started
            }
        };
    }

    /// The world after the next step of process `n`, if it can make one.
    fn step(&self, n: usize) -> Option<World> {
        let mut world = self.clone();
        match &self.processes[n].phase {
            Phase::Outside => {
                world.last_id += 1;
                let id = world.last_id;
                world.rows.push((id, false));
                world.processes[n].id = id;
                world.processes[n].holds_life = true;
                world.ask(n, &[]);
                world.processes[n].holds_turn = matches!(world.processes[n].phase, Phase::Asleep(_));
            }
            Phase::Asleep(signals) => {
                let ended: Vec<LockSignal> =
                    signals.iter().copied().filter(|signal| self.is_given_up(*signal)).collect();
                if ended.is_empty() {
                    return None;
                }
                world.ask(n, &ended);
            }
            Phase::Started => {
                world.processes[n].holds_turn = false;
                world.processes[n].phase = Phase::Working;
            }
            Phase::Working => {
                let id = self.processes[n].id;
                world.rows.retain(|row| row.0 != id);
                world.processes[n].phase = Phase::Leaving;
            }
            Phase::Leaving => world.end(n),
            Phase::Gone => return None,
        }
        Some(world)
    }

    fn end(&mut self, n: usize) {
        let process = &mut self.processes[n];
        process.phase = Phase::Gone;
        (process.holds_life, process.holds_turn) = (false, false);
    }

    fn check(&self) {
        let started = |p: &&Process| matches!(p.phase, Phase::Started | Phase::Working);
        for process in self.processes.iter().filter(started) {
            let limit = usize::try_from(process.limit).unwrap();
            let before = self.processes.iter().filter(started).filter(|p| p.id < process.id).count();
            assert!(before < limit, "more than {limit} at once: {self:?}");
            let overtaken =
                self.processes.iter().filter(|p| matches!(p.phase, Phase::Asleep(_)) && p.id < process.id).count();
            assert!(before + overtaken < limit, "a place was jumped: {self:?}");
        }
    }
}

/// Visits every reachable world; returns how many there are.
fn explore(limits: &[u32], deaths: u32) -> usize {
    let equals = limits.iter().all(|limit| limit == &limits[0]);
    let mut open = vec![World::new(limits, deaths)];
    let mut seen: HashSet<World> = open.iter().cloned().collect();
    while let Some(world) = open.pop() {
        if equals {
            world.check();
        }
        let mut next: Vec<World> = (0..limits.len()).filter_map(|n| world.step(n)).collect();
        let all_gone = world.processes.iter().all(|p| p.phase == Phase::Gone);
        assert!(!next.is_empty() || all_gone, "somebody sleeps for ever: {world:?}");
        for n in 0..limits.len() {
            if world.crashes > 0 && world.processes[n].phase != Phase::Gone {
                let mut after = World { crashes: world.crashes - 1, ..world.clone() };
                after.end(n);
                next.push(after);
            }
        }
        open.extend(next.into_iter().filter(|world| seen.insert(world.clone())));
    }
    seen.len()
}

#[test]
fn every_interleaving_of_three_processes_with_a_crash_anywhere() {
    for limit in [1, 2, 3] {
        assert!(explore(&[limit; 3], 3) > 300);
    }
}

#[test]
fn four_processes_two_crashes() {
    for limit in [1, 2, 3] {
        assert!(explore(&[limit; 4], 2) > 1_000);
    }
}

/// Somebody changed "Number of queues" while operations were under way. Places are promised between equals only, but
/// nobody may be left asleep.
#[test]
fn mixed_limits_leave_nobody_asleep() {
    for limits in [[1, 2, 1], [2, 1, 2], [2, 2, 1], [3, 1, 2], [1, 3, 3]] {
        explore(&limits, 2);
    }
}
