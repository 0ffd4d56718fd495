//! A world around the release binary, and its operations started as BILLmanager starts them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sandbox::World;
use sandbox::bill::{self, Database, Order, Tariff};
use sandbox::vmm;

/// The module as it is installed.
pub(crate) fn module() -> PathBuf {
    let module = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release").join("pmvmmanager6");
    assert!(module.is_file(), "there is no {}; run make build", module.display());
    module
}

/// Both platforms around the module.
pub(crate) fn world(vmm: vmm::Setup) -> World {
    World::with(vmm, bill::Setup::new(module())).expect("the sandbox starts")
}

/// The same as on a client's machine: BILLmanager's database on a real server, the runtime directory in memory.
pub(crate) fn lifelike(vmm: vmm::Setup) -> World {
    let memory = PathBuf::from("/dev/shm");
    let place = memory.is_dir().then_some(memory);
    let bill = bill::Setup { database: Database::MariaDb, place, ..bill::Setup::new(module()) };
    World::with(vmm, bill).expect("the sandbox starts")
}

/// A service of Alice that waits to be opened: 2 cores, 2 GiB, 20 GiB, one address.
pub(crate) fn ordered(world: &World) -> u64 {
    world.bill.order(&order(world))
}

/// The order of such a service.
pub(crate) fn order(world: &World) -> Order {
    let tariff = Tariff::sized("VPS 2-2-20", 2, 2048, 20_480).handler(world.handler);
    Order::new(world.alice, world.bill.add_tariff(&tariff), world.handler)
}

/// An open service.
pub(crate) fn opened(world: &World) -> u64 {
    let item = ordered(world);
    succeed(world, item, "open");
    item
}

/// Runs an operation to its end.
pub(crate) fn succeed(world: &World, item: u64, command: &str) {
    let run = world.bill.perform(item, command);
    assert!(run.done, "{command} of service {item}: {run:#?}\n{}", world.bill.log());
}

/// The process of an operation, not started yet.
pub(crate) fn operation(world: &World, item: u64, command: &str) -> Command {
    let running = world.bill.running(item).into_iter().find(|it| it.command == command);
    let operation = running.map_or_else(|| world.bill.operation(item, command), |it| it.id);
    let arguments = world.bill.arguments(item, command, operation);
    world.bill.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Waits for a process, which must end well.
pub(crate) fn end_well(world: &World, child: Child) {
    let output = child.wait_with_output().expect("the process ends");
    assert!(output.status.success(), "{output:?}\n{}", world.bill.log());
}
