//! The prologue: what a new user sees while he connects VMmanager, in the four steps of the wizard and the tariff's form; and
//! the statistics of the day at its end.

use anyhow::{Context, Result, anyhow, bail};
use sandbox::bill::{Bill, Form, MODULE, Run, Style};
use sandbox::xml::Node;
use sandbox::{Unconnected, World};

/// Goes through the wizard for one VMmanager, one line a step; the id of the handler.
pub(crate) fn connect(bill: &Bill, new: &Unconnected) -> Result<u64> {
    let wanted = &new.handler;
    println!("{}: {}", wanted.name, wanted.url);
    let products = bill.products();
    let product = products.first().context("the module serves no product")?;
    say("1 product", product);
    let modules = bill.modules(product);
    say("2 module", modules.first().with_context(|| format!("{product} has no module"))?);
    let mut form = accepted(bill.wizard(Style::default()))?;
    let asked = captions(&form);
    let own = [("url", &wanted.url), ("username", &wanted.username), ("password", &wanted.password)];
    let tls = wanted.extra.iter().map(|(name, value)| (name.as_str(), value));
    for (name, value) in own.into_iter().chain(tls) {
        accepted(form.fill(name, value))?;
    }
    accepted(form.send())?;
    say("3 connection", &format!("{asked}: accepted"));
    let clusters: Vec<String> = form.list("cluster").into_iter().map(|(_, text)| text).collect();
    say("4 settings", &format!("{}: {}", captions(&form), clusters.join(", ")));
    accepted(form.fill("cluster", &wanted.cluster))?;
    accepted(form.fill("use_recipes", "on"))?;
    let handler = accepted(form.save(&wanted.name))?;
    say("check_connection", "address, login, version, rights and cluster are right");
    println!();
    Ok(handler)
}

/// What BILLmanager asks the handlers next, and what the form of a tariff offers.
pub(crate) fn set_up(world: &World) -> Result<()> {
    for (_, handler) in world.platforms() {
        let id = handler.to_string();
        for command in ["get_server_config", "sync_server"] {
            good(&world.bill.run(&["--command", command, "--module", &id]))?;
        }
        let tune = ["--command", "pricelist_dynamic_settings_tune", "--module", &id];
        let answer = world.bill.run_with_input(&tune, "<doc/>");
        say("tariff form", &format!("VM configurations of handler {id}: {}", entries(&answer, "preset")?.join(", ")));
    }
    say("sync_server", &format!("can be ordered: {}", offered(world).join(", ")));
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

fn say(step: &str, result: &str) {
    println!("{step:<17} {result}");
}

fn good(run: &Run) -> Result<()> {
    if run.status == Some(0) { Ok(()) } else { bail!("a command of the setup failed: {run:?}") }
}

fn accepted<T>(answer: Result<T, Box<Run>>) -> Result<T> {
    answer.map_err(|run| anyhow!("{MODULE} has refused the form: {}{}", run.stdout, run.stderr))
}

/// What a page asks for.
fn captions(form: &Form) -> String {
    form.fields().into_iter().map(|field| field.caption).collect::<Vec<_>>().join(", ")
}

/// Texts of a list's entries.
fn entries(run: &Run, list: &str) -> Result<Vec<String>> {
    good(run)?;
    let answer = Node::parse(&run.stdout)?;
    let list = answer.named("slist", list).with_context(|| format!("there is no list {list}"))?;
    let texts = list.children.iter().map(|entry| entry.text.trim().to_owned());
    Ok(texts.filter(|text| !text.is_empty() && text != "null").collect())
}

/// Values of the list parameters.
fn offered(world: &World) -> Vec<String> {
    let rows = world.bill.rows("SELECT intname FROM itemtypeparamvalue ORDER BY itemtypeparam, intname", &[]);
    rows.into_iter().filter_map(|mut row| row[0].take()).collect()
}
