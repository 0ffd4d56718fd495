//! The commands on a whole handler, with thousands of services and a VMmanager that takes 20 ms for an answer.

use std::time::Duration;

use sandbox::vmm::{Action, Fault};

use crate::provider;
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
    let world = provider::with(services);
    world.bill.exec("UPDATE item SET opendate = '2024-01-01'", &[]);
    world.vmm.change(|platform| {
        platform.hosts.values_mut().for_each(|host| host.net_rx_summary = Some(host.id << 20));
    });
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
