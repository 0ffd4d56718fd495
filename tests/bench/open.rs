//! `open` on a small and on a large platform: a new order costs as much on the one as on the other.

use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use sandbox::World;
use sandbox::vmm::{Action, Fault, Request, Setup};

use crate::calls;
use crate::measure::peak_of;
use crate::scene;
use crate::sheet::{Row, Sheet};

/// VMs on the two platforms.
const SIZES: [u64; 2] = [20, 20_000];
/// What the large one may cost, of what the small one does.
const BUDGET: f64 = 1.1;
/// Orders on each.
const ORDERS: usize = 24;
/// The time for an answer on both: whoever waits runs with cold caches.
const ANSWER: Duration = Duration::from_millis(20);
/// Above the ids that VMmanager gives.
const FIRST: u64 = 100_000;

pub(crate) fn run(sheet: &mut Sheet) {
    let worlds = SIZES.map(with);
    let mut costs = [const { [const { Vec::new() }; 3] }; 2];
    // They take turns, and turns in being first: the machine may get slower meanwhile.
    for round in 0..ORDERS {
        for at in [round % 2, 1 - round % 2] {
            let (world, [requests, times, peaks]) = (&worlds[at], &mut costs[at]);
            world.vmm.forget_requests();
            times.push(processor_time(world));
            requests.push(asked(&world.vmm.requests()));
            peaks.push(peak_of(&opening(world)));
        }
    }
    let [small, large] = costs.map(|costs| costs.map(least));
    for (at, (what, unit)) in
        [("requests", ""), ("processor time", "ms"), ("peak memory", "MiB")].into_iter().enumerate()
    {
        let row = format!("open on {} VMs: {what}, of the same on {}", SIZES[1], SIZES[0]);
        let note = format!("{:.1} and {:.1} {unit}", large[at], small[at]);
        sheet.add(Row::new(row, large[at] / small[at], "×").at_most(BUDGET).note(note));
    }
}

/// Three quarters are more: a busy machine adds to what a process takes, and never takes away.
fn least(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 4]
}

/// The process that opens a new order.
fn opening(world: &World) -> Command {
    scene::operation(world, scene::ordered(world), "open")
}

/// A platform with so many VMs, on which something was opened since the machine was started.
fn with(size: u64) -> World {
    let world = scene::world(Setup::default());
    scene::opened(&world);
    world.vmm.fault(Fault::on("*", "*").always().act(Action::Delay(ANSWER)));
    world.vmm.change(|platform| {
        let first = platform.hosts.values().next().expect("the VM").clone();
        for id in FIRST..FIRST + size {
            let mut host = first.clone();
            (host.id, host.name, host.comment) = (id, format!("vm{id}"), String::new());
            platform.hosts.insert(id, host);
        }
    });
    world
}

/// How often VMmanager was asked for something else than how far it is.
fn asked(requests: &[Request]) -> f64 {
    let counted = (0..requests.len()).filter(|at| !calls::is_polling(requests, *at)).count();
    f64::from(u32::try_from(counted).expect("few requests"))
}

/// What the process itself takes in milliseconds, without those that it starts.
fn processor_time(world: &World) -> f64 {
    let child = opening(world).spawn().expect("the module starts");
    let ends = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(&child)), ends).expect("the module ends");
    let text = std::fs::read_to_string(format!("/proc/{}/schedstat", child.id())).expect("the kernel counts");
    scene::end_well(world, child);
    let nanoseconds: f64 = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).expect("a number");
    nanoseconds / 1e6
}
