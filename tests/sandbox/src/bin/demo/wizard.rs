//! The prologue: what a new user sees while he connects VMmanager, from the forms' commands alone; and the statistics
//! of the day at its end.

use anyhow::{Result, bail};
use quick_xml::Reader;
use quick_xml::events::Event;
use sandbox::World;
use sandbox::bill::Run;
use sandbox::vmm::VmManager;

/// Connects every VMmanager.
pub(crate) fn set_up(world: &World) -> Result<()> {
    world.platforms().try_for_each(|(vmm, handler)| connect(world, vmm, handler))
}

/// Runs the commands of the wizard and of the tariff form for one VMmanager; one line each.
fn connect(world: &World, vmm: &VmManager, handler: u64) -> Result<()> {
    world.bill.set_handler(handler, "use_recipes", "on");
    let (id, url) = (handler.to_string(), vmm.url());
    let pin = vmm.fingerprint();
    let pin = pin.map(|pin| format!("<tls_verify>pinned</tls_verify><tls_fingerprint>{pin}</tls_fingerprint>"));
    let fields = format!(
        "<url>{url}</url><username>admin@example.net</username><password>Adm1n-secret-pass</password>{}",
        pin.unwrap_or_default()
    );
    let form = format!("<doc><func>processing.add.user</func>{fields}</doc>");
    let answer = world.bill.run_with_input(&["--command", "tune_connection"], &form);
    say("tune_connection", &format!("clusters to choose from: {}", entries(&answer, "cluster")?.join(", ")));
    let settings = format!(
        "<doc><processingmodule>{fields}<cluster>1</cluster><use_recipes>on</use_recipes></processingmodule></doc>"
    );
    good(&world.bill.run_with_input(&["--command", "check_connection"], &settings))?;
    say("check_connection", "address, login, version, rights and cluster are right");
    for command in ["get_server_config", "sync_server"] {
        good(&world.bill.run(&["--command", command, "--module", &id]))?;
    }
    say("sync_server", &format!("can be ordered: {}", offered(world).join(", ")));
    let tune = ["--command", "pricelist_dynamic_settings_tune", "--module", &id];
    let answer = world.bill.run_with_input(&tune, "<doc/>");
    say("tariff form", &format!("VM configurations: {}", entries(&answer, "preset")?.join(", ")));
    println!();
    Ok(())
}

/// The traffic of the day, after every VM has had some.
pub(crate) fn count_traffic(world: &World) -> Result<()> {
    for (vmm, handler) in world.platforms() {
        vmm.change(|platform| {
            for host in platform.hosts.values_mut() {
                (host.net_rx_summary, host.net_tx_summary) = (Some(host.id << 24), Some(host.id << 22));
            }
        });
        good(&world.bill.run(&["--command", "stat", "--module", &handler.to_string()]))?;
    }
    let rows = world.bill.rows("SELECT COUNT(*), COUNT(DISTINCT item) FROM itemstat", &[]);
    let count = |column: usize| rows[0][column].clone().unwrap_or_default();
    say("stat", &format!("{} rows of traffic for {} services", count(0), count(1)));
    Ok(())
}

fn say(command: &str, result: &str) {
    println!("{command:<17} {result}");
}

fn good(run: &Run) -> Result<()> {
    if run.status == Some(0) { Ok(()) } else { bail!("a command of the setup failed: {run:?}") }
}

/// Texts of a select's entries.
fn entries(run: &Run, select: &str) -> Result<Vec<String>> {
    good(run)?;
    let mut reader = Reader::from_str(&run.stdout);
    let (mut inside, mut found) = (false, Vec::new());
    loop {
        match reader.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == "slist" => {
                inside = tag.try_get_attribute("name")?.is_some_and(|name| name.value == select);
            }
            Event::Text(text) if inside && !["", "null"].contains(&text.trim()) => found.push(text.trim().to_owned()),
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Values of the list parameters.
fn offered(world: &World) -> Vec<String> {
    let rows = world.bill.rows("SELECT intname FROM itemtypeparamvalue ORDER BY itemtypeparam, intname", &[]);
    rows.into_iter().filter_map(|mut row| row[0].take()).collect()
}
