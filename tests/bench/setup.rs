//! The commands on a whole handler, with thousands of services and a VMmanager that takes 20 ms for an answer.

use std::time::Duration;

use sandbox::World;
use sandbox::bill::Order;
use sandbox::vmm::{Action, Fault, Setup};

use crate::scene;
use crate::sheet::{Row, Sheet};

const ANSWER: Duration = Duration::from_millis(20);

pub(crate) fn run(sheet: &mut Sheet) {
    measure(
        sheet,
        2_000,
        &[
            ("stat, the first of a month", "stat", 60.0),
            ("stat, again on the same day", "stat", 60.0),
            ("sync_server, everything new", "sync_server", 10.0),
            ("sync_server, nothing new", "sync_server", 2.0),
            ("get_server_config", "get_server_config", 2.0),
        ],
    );
    measure(sheet, 10_000, &[("stat, the first of a month", "stat", 300.0)]);
}

fn measure(sheet: &mut Sheet, services: u64, commands: &[(&str, &str, f64)]) {
    let world = scene::world(Setup::default());
    fill(&world, services);
    let handler = world.handler.to_string();
    world.vmm.fault(Fault::on("GET", "/vm/v3/host/*/metrics").always().act(Action::Delay(ANSWER)));
    for (what, command, budget) in commands {
        let run = world.bill.run(&["--command", command, "--module", &handler]);
        assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
        sheet.add(Row::new(format!("{services} services: {what}"), run.took.as_secs_f64(), "s").at_most(*budget));
    }
    let rows = world.bill.rows("SELECT COUNT(DISTINCT item) FROM itemstat", &[]);
    assert_eq!(rows[0][0].as_deref(), Some(services.to_string().as_str()), "every service is counted");
}

/// Opens one service with the module, the rest are copies of it.
fn fill(world: &World, services: u64) {
    let first = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
    scene::succeed(world, first, "open");
    let host = world.vmm.look(|platform| platform.hosts.values().next().expect("the VM").clone());
    let (installation, _) = host.comment.rsplit_once(':').expect("the mark");
    let copy = "INSERT INTO item (account, pricelist, processingmodule, status, period, opendate) \
                SELECT account, pricelist, processingmodule, 2, 1, '2024-01-01' FROM item WHERE id = ?";
    for _ in 1..services {
        world.bill.exec(copy, &[&first.to_string()]);
    }
    let sql = "SELECT id FROM item WHERE parent IS NULL AND id <> ?";
    for row in world.bill.rows(sql, &[&first.to_string()]) {
        let item = row[0].as_deref().expect("an id");
        let vm = world.vmm.change(|platform| {
            let vm = platform.add_host(&format!("vps{item}"), host.account, 1);
            if let Some(added) = platform.hosts.get_mut(&vm) {
                added.comment = format!("{installation}:{item}");
                added.net_rx_summary = Some(vm << 20);
            }
            vm
        });
        world.bill.set_param(item.parse().expect("an id"), "panelid", &vm.to_string());
    }
}
