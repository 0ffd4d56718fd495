//! Both sides together: one or several VMmanagers, a BILLmanager with a handler for each, two clients and the usual
//! tariffs.

use std::path::PathBuf;

use anyhow::Result;

use crate::bill::{self, Addon, Bill, Handler, Tariff};
use crate::vmm::{self, VmManager};

/// A world in which services can be sold.
pub struct World {
    /// The VMmanager, or the first of several.
    pub vmm: VmManager,
    /// The BILLmanager.
    pub bill: Bill,
    /// The handler of the first VMmanager: its first cluster, KVM.
    pub handler: u64,
    /// The further VMmanagers.
    pub others: Vec<Site>,
    /// Account id of Alice, <alice@example.com>.
    pub alice: u64,
    /// Account id of Bob, <bob@example.org>.
    pub bob: u64,
    /// Ids of the tariffs.
    pub tariffs: Tariffs,
}

/// One VMmanager of several, with its handler.
pub struct Site {
    /// The VMmanager.
    pub vmm: VmManager,
    /// Its handler: its first cluster, KVM.
    pub handler: u64,
}

/// The tariffs of a [`World`], all sold through each of its handlers.
#[derive(Clone, Copy, Debug)]
pub struct Tariffs {
    /// 1 core, 1 GiB of memory (in MiB), 10 GiB of disk (in GiB), one IPv4 address.
    pub small: u64,
    /// 2 cores, 4 GiB, 40 GiB, one IPv4 address, 1 TiB of counted traffic; everything can be extended.
    pub medium: u64,
    /// Whatever the preset `KVM-SSD-1` of VMmanager says, one IPv4 address.
    pub preset: u64,
    /// Like small, and IPv6.
    pub dual_stack: u64,
}

impl World {
    /// A world with default settings around a module.
    pub fn start(module: impl Into<PathBuf>) -> Result<Self> {
        Self::with(vmm::Setup::default(), bill::Setup::new(module))
    }

    /// A world with settings of its own. A VMmanager with TLS is trusted by its fingerprint.
    pub fn with(vmm: vmm::Setup, bill: bill::Setup) -> Result<Self> {
        Self::with_platforms(vmm, Vec::new(), bill)
    }

    /// A world with several VMmanagers. They count accounts, VMs and tasks from the same numbers, so that ids collide;
    /// addresses are unique, as in the real world.
    pub fn with_platforms(first: vmm::Setup, more: Vec<vmm::Setup>, bill: bill::Setup) -> Result<Self> {
        Self::connected(first, more, bill, |bill, new| Ok(bill.add_handler(&new.handler)))
    }

    /// The same with handlers that `connect` makes; it answers their ids.
    pub fn connected(
        first: vmm::Setup,
        more: Vec<vmm::Setup>,
        bill: bill::Setup,
        mut connect: impl FnMut(&Bill, &Unconnected) -> Result<u64>,
    ) -> Result<Self> {
        let bill = Bill::start(bill)?;
        let mut start = |setup, place: &str| Unconnected::start(setup, place)?.connect(&bill, &mut connect);
        let Site { vmm, handler } = start(first, "Amsterdam")?;
        let mut others = Vec::new();
        for (setup, block) in more.into_iter().zip(1..) {
            let setup = vmm::Setup { address_block: block, ..setup };
            others.push(start(setup, &format!("no. {}", block + 1))?);
        }
        let alice = bill.add_client("Alice", "alice@example.com");
        let bob = bill.add_client("Bob", "bob@example.org");
        let handlers: Vec<u64> = [handler].into_iter().chain(others.iter().map(|site| site.handler)).collect();
        let tariffs = Tariffs::add(&bill, &handlers);
        Ok(Self { vmm, bill, handler, others, alice, bob, tariffs })
    }

    /// Every VMmanager with its handler, the first one first.
    pub fn platforms(&self) -> impl Iterator<Item = (&VmManager, u64)> {
        let others = self.others.iter().map(|site| (&site.vmm, site.handler));
        std::iter::once((&self.vmm, self.handler)).chain(others)
    }
}

/// A VMmanager that has no handler yet.
pub struct Unconnected {
    /// The VMmanager.
    pub vmm: VmManager,
    /// The handler that it needs: its first cluster, KVM; trusted by its fingerprint.
    pub handler: Handler,
}

impl Unconnected {
    fn start(setup: vmm::Setup, place: &str) -> Result<Self> {
        let (username, password) = (setup.admin_email.clone(), setup.admin_password.clone());
        let cluster = (1 + setup.clusters.offset).to_string();
        let vmm = VmManager::start(setup)?;
        let name = format!("VMmanager 6 {place}");
        let mut handler = Handler::new(&vmm.url(), &username, &password, &cluster).named(&name);
        if let Some(fingerprint) = vmm.fingerprint() {
            handler = handler.with("tls_verify", "pinned").with("tls_fingerprint", &fingerprint);
        }
        Ok(Self { vmm, handler })
    }

    fn connect(self, bill: &Bill, connect: &mut impl FnMut(&Bill, &Self) -> Result<u64>) -> Result<Site> {
        let handler = connect(bill, &self)?;
        Ok(Site { vmm: self.vmm, handler })
    }
}

impl Tariffs {
    fn add(bill: &Bill, handlers: &[u64]) -> Self {
        let small = || {
            Tariff::new("VPS small")
                .addon(Addon::amount("ncpu", "piece", 1).max(8))
                .addon(Addon::amount("mem", "mib", 1024).max(16_384))
                .addon(Addon::amount("disk disc", "gib", 10).max(200))
                .addon(Addon::amount("ip", "piece", 1).max(8))
        };
        let medium = Tariff::new("VPS medium")
            .addon(Addon::amount("ncpu", "", 2).max(16))
            .addon(Addon::amount("mem", "gib", 4).max(64))
            .addon(Addon::amount("disc", "mib", 40_960).max(409_600))
            .addon(Addon::amount("ip", "", 1).max(8))
            .addon(Addon::statistic("in out", "gib", 1024));
        let preset = Tariff::new("VPS preset").preset("KVM-SSD-1").addon(Addon::amount("ip", "piece", 1).max(8));
        let mut dual_stack = small().addon(Addon::amount("ipv6", "piece", 1).max(4));
        dual_stack.name = "VPS dual-stack".into();
        let add = |tariff: Tariff| bill.add_tariff(&Tariff { handlers: handlers.to_vec(), ..tariff });
        Self { small: add(small()), medium: add(medium), preset: add(preset), dual_stack: add(dual_stack) }
    }
}
