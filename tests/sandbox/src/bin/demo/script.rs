//! The play: who orders what, what happens to it afterwards, and what must be true at the end.

use std::thread;

use anyhow::{Result, bail};
use sandbox::World;
use sandbox::bill::{Bill, Order};
use sandbox::xml::Node;

use crate::timeline::Timeline;

/// How often BILLmanager starts an operation that failed.
const TRIES: u32 = 3;

/// What a service must look like at the end.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub cpu: u64,
    pub ram_mib: u64,
    pub disk_mib: u64,
    pub ipv4: usize,
    pub ipv6: bool,
    /// State of the VM, `None` when there must be none.
    pub state: Option<&'static str>,
    /// BILLmanager's status.
    pub status: i64,
}

/// A service of the play.
pub(crate) struct Service {
    pub item: u64,
    pub client: &'static str,
    pub email: &'static str,
    pub title: &'static str,
    /// Its handler, i.e. its VMmanager.
    pub handler: u64,
    pub expected: Expected,
    /// Operations after the opening, in this order.
    operations: Vec<&'static str>,
}

impl Service {
    /// How the timeline calls it.
    fn label(&self) -> String {
        format!("#{} {}, {}", self.item, self.client, self.title)
    }
}

/// All services, ordered.
pub(crate) struct Script(Vec<Service>);

impl Script {
    /// Places the orders; what happens to a service later is limited to the operations that the module declares.
    pub(crate) fn order(world: &World, features: &[String]) -> Result<Self> {
        let declared = |command: &str| features.iter().any(|feature| feature == command);
        if !declared("open") {
            bail!("the module does not declare the feature `open`");
        }
        let services = plan(world)
            .into_iter()
            .map(|(mut service, order, effects)| {
                service.item = world.bill.order(&order);
                service.handler = order.handler;
                for (command, effect) in effects.into_iter().filter(|(command, _)| declared(command)) {
                    service.operations.push(command);
                    effect(&mut service.expected);
                }
                service
            })
            .collect();
        Ok(Self(services))
    }

    /// The services in the order of their ids.
    pub(crate) fn services(&self) -> &[Service] {
        &self.0
    }

    /// Opens all services at once, then lets each live its life beside the others.
    pub(crate) fn play(&self, world: &World, timeline: &Timeline) {
        in_parallel(&self.0, |service| perform(world, timeline, service, "open"));
        println!();
        in_parallel(&self.0, |service| {
            service.operations.iter().all(|command| perform(world, timeline, service, command))
        });
    }
}

/// What an operation changes in the expectation.
type Effect = (&'static str, fn(&mut Expected));

/// The services with their orders and their later life.
fn plan(world: &World) -> Vec<(Service, Order, Vec<Effect>)> {
    let (alice, bob, tariffs) = (world.alice, world.bob, world.tariffs);
    let order = |client, tariff| Order::new(client, tariff, world.handler);
    // On the second VMmanager, if there is one.
    let other = world.others.first().map_or(world.handler, |site| site.handler);
    let elsewhere = |client, tariff| Order::new(client, tariff, other);
    let suspend: Effect = ("suspend", |it| (it.state, it.status) = (Some("stopped"), 3));
    let resume: Effect = ("resume", |it| (it.state, it.status) = (Some("active"), 2));
    let close: Effect = ("close", |it| (it.state, it.status) = (None, 4));
    let grow: Effect = ("setparam", |it| (it.ram_mib, it.disk_mib) = (12 * 1024, 61_440));
    let [start, stop, reboot] = ["start", "stop", "reboot"].map(|command| -> Effect { (command, |_| ()) });
    let medium = order(alice, tariffs.medium).addon("ncpu", "4").addon("mem", "8").param("domain", "shop.example.com");
    let stack = order(bob, tariffs.medium).param("ostempl", "ISPsystem__Ubuntu 24.04");
    vec![
        (service(ALICE, "VPS small", [1, 1024, 10_240]), order(alice, tariffs.small), vec![suspend]),
        (service(ALICE, "VPS medium, 4 cores, 8 GiB", [4, 8192, 40_960]), medium, vec![grow]),
        (
            service(ALICE, "VPS preset KVM-SSD-1", [2, 2048, 20_480]),
            elsewhere(alice, tariffs.preset),
            vec![stop, start],
        ),
        (two_addresses(), order(bob, tariffs.small).ips(2), vec![suspend, resume]),
        (dual_stack(), elsewhere(bob, tariffs.dual_stack).ips6(1), vec![reboot]),
        (
            service(BOB, "VPS medium, Ubuntu, Docker", [2, 4096, 40_960]),
            stack.param("recipe", "ISPsystem__Docker"),
            vec![close],
        ),
    ]
}

const ALICE: (&str, &str) = ("Alice", "alice@example.com");
const BOB: (&str, &str) = ("Bob", "bob@example.org");

fn service((client, email): (&'static str, &'static str), title: &'static str, size: [u64; 3]) -> Service {
    let [cpu, ram_mib, disk_mib] = size;
    let expected = Expected { cpu, ram_mib, disk_mib, ipv4: 1, ipv6: false, state: Some("active"), status: 2 };
    Service { item: 0, client, email, title, handler: 0, expected, operations: Vec::new() }
}

fn two_addresses() -> Service {
    let mut service = service(BOB, "VPS small, one more IPv4", [1, 1024, 10_240]);
    service.expected.ipv4 = 2;
    service
}

fn dual_stack() -> Service {
    let mut service = service(BOB, "VPS dual-stack", [1, 1024, 10_240]);
    service.expected.ipv6 = true;
    service
}

/// Runs an operation until it is done or was tried often enough; false when it was not done.
fn perform(world: &World, timeline: &Timeline, service: &Service, command: &str) -> bool {
    let label = service.label();
    if command == "setparam" {
        world.bill.set_addon(service.item, "mem", 12);
        world.bill.set_addon(service.item, "disc", 61_440);
    }
    (0..TRIES).any(|_| {
        timeline.starts(command, &label);
        let run = world.bill.perform(service.item, command);
        timeline.ends(command, &label, &run);
        run.done
    })
}

fn in_parallel(services: &[Service], act: impl Fn(&Service) -> bool + Sync) {
    thread::scope(|scope| {
        for service in services {
            scope.spawn(|| act(service));
        }
    });
}

/// The features that the module declares.
pub(crate) fn features(bill: &Bill) -> Result<Vec<String>> {
    let run = bill.run(&["--command", "features"]);
    if run.status != Some(0) {
        bail!("the module cannot tell its features: {run:?}");
    }
    let answer = Node::parse(&run.stdout)?;
    let declared = answer.find("features").into_iter().flat_map(|features| features.all("feature"));
    Ok(declared.filter_map(|feature| Some(feature.get("name")?.to_owned())).collect())
}
