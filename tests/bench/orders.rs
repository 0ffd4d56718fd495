//! 200 orders at once through a queue of N: how long they take beside the ideal, in which VMmanager's own time is all.
//!
//! No budget: with many at a time the processors of this machine, which also play VMmanager and BILLmanager, are the
//! limit.

use std::time::{Duration, Instant};

use sandbox::vmm::{Setup, Timing};

use crate::scene;
use crate::sheet::{Row, Sheet};

const ORDERS: u32 = 200;
/// Time that VMmanager takes for a VM; with the time until a task is listed it ends just before the module's first look.
const CREATION: Duration = Duration::from_millis(150);

pub(crate) fn run(sheet: &mut Sheet) {
    for queues in [1, 4, 16] {
        let ratio = ratio(queues);
        let ideal = f64::from(ORDERS) * CREATION.as_secs_f64() / f64::from(queues);
        let said = format!("{:.1} s, of which VMmanager's share is {ideal:.1} s", ratio * ideal);
        sheet.add(Row::new(format!("{ORDERS} orders, {queues} at a time"), ratio, "× the ideal").note(said));
    }
}

fn ratio(queues: u32) -> f64 {
    let timing = Timing { create: CREATION, listed_after: Duration::from_millis(10), ..Timing::default() };
    let world = scene::world(Setup { timing, ..Setup::default() });
    world.bill.set_handler(world.handler, "queue_enabled", "on");
    world.bill.set_handler(world.handler, "queue_count", &queues.to_string());
    scene::opened(&world);
    let order = scene::order(&world);
    let items: Vec<u64> = (0..ORDERS).map(|_| world.bill.order(&order)).collect();
    let mut commands: Vec<_> = items.iter().map(|item| scene::operation(&world, *item, "open")).collect();
    let started = Instant::now();
    let children: Vec<_> = commands.iter_mut().map(|command| command.spawn().expect("it starts")).collect();
    for child in children {
        scene::end_well(&world, child);
    }
    let took = started.elapsed();
    assert_eq!(world.vmm.logins(), 1, "one login for all");
    let ideal = CREATION * ORDERS / queues;
    took.as_secs_f64() / ideal.as_secs_f64()
}
