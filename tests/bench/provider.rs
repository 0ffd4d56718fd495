//! A provider with thousands of services: one is opened with the module, the rest are copies of it in BILLmanager, in
//! VMmanager and in the journal.

use pmvmmanager6::digest::hmac_sha256;
use rusqlite::Connection;
use sandbox::World;
use sandbox::bill::Order;
use sandbox::vmm::{Disk, Host, Ip, Setup};

use crate::scene;

/// Services of one client.
const TOGETHER: u64 = 4;

/// The provider, with `size` services on one VMmanager.
pub(crate) fn with(size: u64) -> World {
    let world = scene::world(Setup::default());
    let first = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
    scene::succeed(&world, first, "open");
    let journal = Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).expect("the journal");
    journal.execute_batch("BEGIN").expect("a transaction");
    let copies = Copies::of(&world, &journal, first);
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
    key: String,
}

impl Copies {
    fn of(world: &World, journal: &Connection, first: u64) -> Self {
        let [installation, key] = ["installation", "mark_key"].map(|name| {
            let sql = "SELECT value FROM meta WHERE name = ?1";
            journal.query_row(sql, [name], |row| row.get::<_, String>(0)).expect("a part of the marks")
        });
        world.vmm.look(|platform| {
            let host = platform.hosts.values().next().expect("the VM").clone();
            let ip = platform.addresses(host.id, 4)[0].clone();
            let disk = platform.main_disk(host.id).expect("its disk").clone();
            Copies { first, host, disk, ip, installation, key }
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
            "INSERT INTO item (account, pricelist, processingmodule, status, period, opendate) SELECT (SELECT MAX(id) FROM account), \
             pricelist, processingmodule, 2, 1, opendate FROM item WHERE id = ?",
            &[&self.first.to_string()],
        );
        let row = world.bill.rows("SELECT MAX(id), MAX(account) FROM item", &[]).remove(0);
        let [item, client] = [0, 1].map(|at| row[at].clone().expect("an id"));
        let (vm, ip) = (100_000 + n, format!("198.18.{}.{}", n / 250, n % 250 + 1));
        let name = format!("vps{item}");
        let account = world.vmm.look(|platform| *platform.accounts.keys().next_back().expect("an account"));
        world.vmm.change(|platform| {
            let marked = format!("{}:{item}", self.installation);
            let comment = format!("billmgr:{marked}:{}", &hmac_sha256(self.key.as_bytes(), marked.as_bytes())[..16]);
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
        let sql = "INSERT INTO service (item, client, platform, phase, mark, hash, account, vm, vm_created, changed) \
                   SELECT ?1, ?2, platform, phase, '', hash, ?3, ?4, vm_created, changed FROM service WHERE item = ?5";
        journal.execute(sql, rusqlite::params![item, client, account, vm, self.first]).expect("a row");
        let sql = "INSERT OR IGNORE INTO account (platform, account, client, changed) \
                   SELECT platform, ?1, ?2, changed FROM service WHERE item = ?3";
        journal.execute(sql, rusqlite::params![account, client, self.first]).expect("a row");
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
