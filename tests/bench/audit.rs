//! `audit` of thousands of services, each with a VM of its own: all of them right, and all of them wrong.

use std::process::Child;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sandbox::World;
use sandbox::bill::Order;
use sandbox::vmm::{Disk, Host, Ip, Setup};

use crate::scene;
use crate::sheet::{Row, Sheet};

const SIZES: [u64; 2] = [2_000, 10_000];
const BUDGET_SECONDS: f64 = 60.0;
const BUDGET_MIB: f64 = 200.0;
/// Services of one client.
const TOGETHER: u64 = 4;

pub(crate) fn run(sheet: &mut Sheet) {
    for size in SIZES {
        let world = filled(size);
        for (what, status) in [("everything is right", 0), ("every service differs", 1)] {
            if status == 1 {
                world.bill.exec("UPDATE itemparam SET value = 'other' WHERE intname = 'serverid'", &[]);
            }
            let (took, mib) = audit(&world, status);
            let what = format!("{size} services and VMs: audit, {what}");
            sheet.add(Row::new(what.as_str(), took.as_secs_f64(), "s").at_most(BUDGET_SECONDS));
            sheet.add(Row::new(format!("{what}: peak memory"), mib, "MiB").at_most(BUDGET_MIB));
        }
    }
}

/// How long an audit takes, and how much memory at most.
fn audit(world: &World, status: i32) -> (Duration, f64) {
    let started = Instant::now();
    let output = std::fs::File::create(world.bill.root().join("audit.json")).expect("a file");
    let mut child = world.bill.command(&["audit", "--json"]).stdout(output).spawn().expect("the module starts");
    let mut peak = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the module ends") {
            break ended;
        }
        peak = peak_mib(&child).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(ended.code(), Some(status), "{}", world.bill.log());
    (started.elapsed(), peak)
}

/// The kernel's own record of the peak.
fn peak_mib(child: &Child) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

/// One service is opened with the module, the rest are copies of it.
fn filled(size: u64) -> World {
    let world = scene::world(Setup::default());
    let first = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
    scene::succeed(&world, first, "open");
    let journal = Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).expect("the journal");
    journal.execute_batch("BEGIN").expect("a transaction");
    let copies = Copies::of(&world, first);
    for n in 1..size {
        copies.add(&world, &journal, n);
    }
    journal.execute_batch("COMMIT").expect("the journal is written");
    copies.complete(&world);
    world
}

/// What is copied.
struct Copies {
    first: u64,
    host: Host,
    disk: Disk,
    ip: Ip,
    installation: String,
}

impl Copies {
    fn of(world: &World, first: u64) -> Self {
        world.vmm.look(|platform| {
            let host = platform.hosts.values().next().expect("the VM").clone();
            let ip = platform.addresses(host.id, 4)[0].clone();
            let disk = platform.main_disk(host.id).expect("its disk").clone();
            let (installation, _) = host.comment.rsplit_once(':').expect("the mark");
            Copies { first, disk, ip, installation: installation.to_owned(), host }
        })
    }

    /// Client, service, VM and journal number `n`.
    fn add(&self, world: &World, journal: &Connection, n: u64) {
        let email = format!("client{}@example.com", n / TOGETHER);
        if n == 1 || n.is_multiple_of(TOGETHER) {
            world.bill.add_client("Client", &email);
            world.vmm.change(|platform| platform.add_account(&email, "Pass-of-client-1", "@user"));
        }
        world.bill.exec(
            "INSERT INTO item (account, pricelist, processingmodule, status, period) SELECT (SELECT MAX(id) FROM account), \
             pricelist, processingmodule, 2, 1 FROM item WHERE id = ?",
            &[&self.first.to_string()],
        );
        let row = world.bill.rows("SELECT MAX(id), MAX(account) FROM item", &[]).remove(0);
        let [item, client] = [0, 1].map(|at| row[at].clone().expect("an id"));
        let (vm, ip) = (100_000 + n, format!("198.18.{}.{}", n / 250, n % 250 + 1));
        let name = format!("vps{item}");
        world.vmm.change(|platform| {
            let account = *platform.accounts.keys().next_back().expect("an account");
            let comment = format!("{}:{item}", self.installation);
            let (mut host, mut disk, mut address) = (self.host.clone(), self.disk.clone(), self.ip.clone());
            (host.id, disk.id, address.id) = (vm, vm, vm);
            (disk.host, address.host) = (vm, vm);
            (host.name, host.comment, host.account) = (name.clone(), comment, account);
            address.ip_addr.clone_from(&ip);
            platform.hosts.insert(vm, host);
            platform.disks.insert(vm, disk);
            platform.ips.insert(vm, address);
        });
        for (param, value) in [("panelid", vm.to_string()), ("serverid", name), ("ip", ip)] {
            let sql = "INSERT INTO itemparam (item, intname, value) VALUES (?, ?, ?)";
            world.bill.exec(sql, &[&item, param, &value]);
        }
        let sql = "INSERT INTO service (item, client, phase, mark, hash, account, vm, vm_created, changed) \
                   SELECT ?1, ?2, phase, '', hash, account, ?3, vm_created, changed FROM service WHERE item = ?4";
        journal.execute(sql, rusqlite::params![item, client, vm, self.first]).expect("a row");
    }

    /// Add-ons, the other parameters and the IP slots of every copy.
    fn complete(&self, world: &World) {
        let first = self.first.to_string();
        world.bill.exec(
            "INSERT INTO item (parent, account, pricelist, processingmodule, status, period, intvalue, addonlimit) \
             SELECT c.id, c.account, a.pricelist, a.processingmodule, a.status, a.period, a.intvalue, a.addonlimit \
             FROM item a JOIN item c ON c.parent IS NULL AND c.id <> a.parent WHERE a.parent = ?",
            &[&first],
        );
        world.bill.exec(
            "INSERT INTO itemparam (item, intname, value) SELECT c.id, p.intname, p.value FROM itemparam p \
             JOIN item c ON c.parent IS NULL AND c.id <> p.item WHERE p.item = ? \
             AND p.intname NOT IN ('panelid', 'serverid', 'ip')",
            &[&first],
        );
        world.bill.exec(
            "INSERT INTO ip (name, item, status) SELECT v.value, a.id, 2 FROM item a JOIN itemparam v ON v.item = a.parent \
             AND v.intname = 'ip' WHERE a.parent <> ? AND a.pricelist = (SELECT f.pricelist FROM ip JOIN item f \
             ON ip.item = f.id LIMIT 1)",
            &[&first],
        );
    }
}
