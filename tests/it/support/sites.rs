//! Worlds of several platforms. Their ids collide, so a VM is its platform and its id. The first VMmanager is 0.

use std::collections::BTreeMap;

use sandbox::bill::Order;
use sandbox::vmm::{self, Host, Platform, VmManager};

use super::world::{Scene, TestWorld};

/// A client of the second VMmanager whom BILLmanager does not know.
pub(crate) const STRANGER: &str = "mallory@example.com";

/// A VMmanager that no other one resembles: its clusters have names of their own.
pub(crate) fn another() -> vmm::Setup {
    let clusters = vmm::ClusterNames { suffix: "-fra".to_owned(), ..vmm::ClusterNames::default() };
    vmm::Setup { clusters, ..vmm::Setup::default() }
}

/// Two platforms.
pub(crate) fn two(scene: &mut Scene) {
    scene.more.push(another());
}

/// Two platforms; the id that the first client's account gets on the first one is a stranger's on the second.
pub(crate) fn start_two() -> TestWorld {
    let world = TestWorld::with(two);
    world.site(1).change(|platform| platform.add_account(STRANGER, "Pass-of-mallory-1", "@user"));
    world
}

impl TestWorld {
    /// A VMmanager.
    pub(crate) fn site(&self, site: usize) -> &VmManager {
        self.platforms().nth(site).expect("the world has such a VMmanager").0
    }

    /// The handler of a VMmanager.
    pub(crate) fn handler_on(&self, site: usize) -> u64 {
        self.platforms().nth(site).expect("the world has such a VMmanager").1
    }

    /// An order for a VPS as in [`TestWorld::tariff`] on a VMmanager, not placed yet.
    pub(crate) fn order_on(&self, site: usize, client: u64) -> Order {
        Order::new(client, self.tariff(), self.handler_on(site))
    }

    /// An open service on a VMmanager.
    pub(crate) fn opened_on(&self, site: usize, client: u64) -> u64 {
        self.opened_as(&self.order_on(site, client))
    }

    /// VMs that have the mark of a service, wherever they are.
    pub(crate) fn placed(&self, item: u64) -> Vec<(usize, Host)> {
        let mark = self.mark(item);
        let is_its = |host: &&Host| host.comment.split_whitespace().any(|word| word == mark);
        self.on_each_site(|platform| platform.hosts.values().filter(is_its).cloned().collect())
    }

    /// VMs of the whole world by platform and id.
    pub(crate) fn all_hosts(&self) -> BTreeMap<(usize, u64), Host> {
        let hosts = self.on_each_site(|platform| platform.hosts.values().cloned().collect());
        hosts.into_iter().map(|(site, host)| ((site, host.id), host)).collect()
    }

    /// The account with an e-mail on a VMmanager.
    pub(crate) fn account_on(&self, site: usize, email: &str) -> Option<u64> {
        self.site(site)
            .look(|platform| platform.accounts.values().find(|account| account.email == email).map(|it| it.id))
    }

    /// What each platform shows, with the number of the platform.
    pub(crate) fn on_each_site<T>(&self, read: impl Fn(&Platform) -> Vec<T>) -> Vec<(usize, T)> {
        let sites = self.platforms().enumerate();
        sites.flat_map(|(site, (vmm, _))| vmm.look(&read).into_iter().map(move |it| (site, it))).collect()
    }

    /// What the journal says of a service's platform and VM.
    pub(crate) fn journal_platform(&self, item: u64) -> Option<u64> {
        let file = self.bill.root().join("var/pmvmmanager6/journal.db");
        let journal = rusqlite::Connection::open(file).unwrap();
        journal.query_row("SELECT platform FROM service WHERE item = ?1", [item], |row| row.get(0)).ok().flatten()
    }
}
