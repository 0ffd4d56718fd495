//! `make bench`: the commands on a whole handler, with 2,000 services and a VMmanager that takes 20 ms for an answer.
//! Fails when a budget is broken.

use std::time::Duration;

use sandbox::World;
use sandbox::bill::Order;
use sandbox::vmm::{Action, Fault};

const SERVICES: u64 = 2_000;
const ANSWER: Duration = Duration::from_millis(20);

fn main() {
    let world = World::start(env!("CARGO_BIN_EXE_pmvmmanager6")).expect("the sandbox starts");
    let run = |args: &[&str]| {
        let run = world.bill.run(args);
        assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
        run.took.as_secs_f64()
    };
    fill(&world);
    let handler = world.handler.to_string();
    world.vmm.fault(Fault::on("GET", "/vm/v3/host/*/metrics").always().act(Action::Delay(ANSWER)));
    println!("{SERVICES} services, {} ms for an answer", ANSWER.as_millis());
    let mut broken = Vec::new();
    for (what, command, budget) in [
        ("stat, the first of a month", "stat", 60.0),
        ("stat, again on the same day", "stat", 60.0),
        ("sync_server, everything new", "sync_server", 10.0),
        ("sync_server, nothing new", "sync_server", 2.0),
        ("get_server_config", "get_server_config", 2.0),
    ] {
        let took = run(&["--command", command, "--module", &handler]);
        println!("{what:<44} {took:>9.3} s    budget {budget}");
        if took > budget {
            broken.push(what);
        }
    }
    let rows = world.bill.rows("SELECT COUNT(DISTINCT item) FROM itemstat", &[]);
    assert_eq!(rows[0][0].as_deref(), Some(SERVICES.to_string().as_str()), "every service is counted");
    assert!(broken.is_empty(), "over budget: {broken:?}");
}

/// Opens one service with the module, the rest are copies of it.
fn fill(world: &World) {
    let first = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
    let runs = world.bill.perform_until_done(first, "open", 3);
    assert!(runs.last().is_some_and(|run| run.done), "{runs:#?}");
    let host = world.vmm.look(|platform| platform.hosts.values().next().expect("the VM").clone());
    let (installation, _) = host.comment.rsplit_once(':').expect("the mark");
    let copy = "INSERT INTO item (account, pricelist, processingmodule, status, period, opendate) \
                SELECT account, pricelist, processingmodule, 2, 1, '2024-01-01' FROM item WHERE id = ?";
    for _ in 1..SERVICES {
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
