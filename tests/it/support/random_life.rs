//! The random life of a few services: operations in any order that makes sense, each disturbed by a kill at a fault
//! point, a misfortune at VMmanager or a panel that is away, then tried again until it succeeds.

use std::time::Duration;

use pmvmmanager6::fault;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sandbox::vmm::{Action, Fault};

use super::invariants::{assert_nothing_forgotten, assert_one_vm_a_service};
use super::world::TestWorld;

const TRIES: usize = 8;

/// One service as it should be.
struct Life {
    item: u64,
    status: i64,
    sizes: (u64, u64, u64),
}

/// `steps` operations on `services` services, everything drawn from `seed`, which a failure names.
pub(crate) fn round(seed: u64, services: usize, steps: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = TestWorld::with(|scene| {
        scene.vmm.timing.other = Duration::from_millis(random.gen_range(20..200));
        scene.vmm.timing.create = Duration::from_millis(random.gen_range(50..300));
    });
    let mut lives: Vec<Life> =
        (0..services).map(|_| Life { item: world.ordered(), status: 5, sizes: (2, 2048, 20_480) }).collect();
    for _ in 0..steps {
        let at = random.gen_range(0..lives.len());
        let life = &mut lives[at];
        let command = next(&mut random, life);
        if command == "setparam" {
            grow(&world, life);
        }
        disturbed(&world, &mut random, life.item, command, seed);
        life.status = match command {
            "suspend" => 3,
            "close" => 4,
            _ if life.status == 3 && command == "setparam" => 3,
            _ => 2,
        };
        check(&world, life, command, seed);
        if life.status == 4 {
            *life = Life { item: world.ordered(), status: 5, sizes: (2, 2048, 20_480) };
        }
    }
}

fn next(random: &mut StdRng, life: &Life) -> &'static str {
    let sensible: &[&str] = match life.status {
        5 => &["open"],
        3 => &["resume", "resume", "setparam", "close"],
        _ => &["suspend", "setparam", "setparam", "reboot", "close"],
    };
    sensible.choose(random).copied().unwrap_or("open")
}

/// The client buys one more core, 1 GiB of memory and 10 GiB of disk.
fn grow(world: &TestWorld, life: &mut Life) {
    life.sizes = (life.sizes.0 + 1, life.sizes.1 + 1024, life.sizes.2 + 10_240);
    for (addon, value) in [("ncpu", life.sizes.0), ("mem", life.sizes.1), ("disk disc", life.sizes.2)] {
        world.bill.set_addon(life.item, addon, i64::try_from(value).unwrap());
    }
}

/// One attempt with a disturbance, then attempts without until the operation is over.
fn disturbed(world: &TestWorld, random: &mut StdRng, item: u64, command: &str, seed: u64) {
    let mut environment = Vec::new();
    let said = match random.gen_range(0..5) {
        0 | 1 => {
            let point = fault::POINTS.choose(random).copied().unwrap_or_default();
            environment.push(("PMVMMANAGER6_FAULT", point));
            format!("killed at {point}")
        }
        2 | 3 => {
            let method = ["GET", "POST", "DELETE"].choose(random).copied().unwrap_or("GET");
            let action = misfortune(random);
            let said = format!("{method} {action:?}");
            world.vmm.fault(Fault::on(method, "*").nth(random.gen_range(1..4)).act(action));
            said
        }
        _ => {
            world.bill.panel_down(Some(random.gen_range(1..3)));
            "panel away".to_owned()
        }
    };
    world.attempt(item, command, &[], &environment);
    assert_one_vm_a_service(world);
    assert_nothing_forgotten(world);
    world.vmm.clear_faults();
    world.bill.panel_up();
    for _ in 0..TRIES {
        if world.bill.running(item).iter().all(|operation| operation.command != command) {
            return;
        }
        world.attempt(item, command, &[], &[]);
    }
    panic!("seed {seed}: {command} of service {item} after \"{said}\" does not succeed\n{}", world.bill.log());
}

/// Something that goes wrong with a request.
pub(crate) fn misfortune(random: &mut StdRng) -> Action {
    match random.gen_range(0..8) {
        0 => Action::Refuse503 { retry_after: None },
        1 => Action::CloseBefore,
        2 => Action::LoseAnswer,
        3 => Action::HalfAnswer,
        4 => Action::Garbage,
        5 => Action::ExpireSession,
        6 => Action::Status { code: 502, body: "<html>bad gateway</html>".to_owned() },
        _ => Action::Delay(Duration::from_millis(300)),
    }
}

fn check(world: &TestWorld, life: &Life, command: &str, seed: u64) {
    let log = || format!("seed {seed}, after {command} of service {}:\n{}", life.item, world.bill.log());
    assert_eq!(world.bill.item(life.item).status, life.status, "{}", log());
    let hosts = world.hosts_of(life.item);
    if life.status == 4 {
        assert!(hosts.is_empty(), "{}", log());
        return;
    }
    assert_eq!(hosts.len(), 1, "{}", log());
    let state = if life.status == 3 { "stopped" } else { "active" };
    assert_eq!(hosts[0].state, state, "{}", log());
    assert_eq!(world.sizes(hosts[0].id), life.sizes, "{}", log());
}
