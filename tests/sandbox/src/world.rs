//! Both platforms together: a VMmanager, a BILLmanager whose handler points at it, two clients and the usual tariffs.

use std::path::PathBuf;

use anyhow::Result;

use crate::bill::{self, Addon, Bill, Handler, Tariff};
use crate::vmm::{self, VmManager};

/// A world in which services can be sold.
pub struct World {
    /// The VMmanager.
    pub vmm: VmManager,
    /// The BILLmanager.
    pub bill: Bill,
    /// The handler: cluster 1, KVM.
    pub handler: u64,
    /// Account id of Alice, <alice@example.com>.
    pub alice: u64,
    /// Account id of Bob, <bob@example.org>.
    pub bob: u64,
    /// Ids of the tariffs.
    pub tariffs: Tariffs,
}

/// The tariffs of a [`World`], all sold through its handler.
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
        let (username, password) = (vmm.admin_email.clone(), vmm.admin_password.clone());
        let vmm = VmManager::start(vmm)?;
        let bill = Bill::start(bill)?;
        let mut handler = Handler::new(&vmm.url(), &username, &password, "1").named("VMmanager 6 Amsterdam");
        if let Some(fingerprint) = vmm.fingerprint() {
            handler = handler.with("tls_verify", "pinned").with("tls_fingerprint", &fingerprint);
        }
        let handler = bill.add_handler(&handler);
        let alice = bill.add_client("Alice", "alice@example.com");
        let bob = bill.add_client("Bob", "bob@example.org");
        let tariffs = Tariffs::add(&bill, handler);
        Ok(Self { vmm, bill, handler, alice, bob, tariffs })
    }
}

impl Tariffs {
    fn add(bill: &Bill, handler: u64) -> Self {
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
        Self {
            small: bill.add_tariff(&small().handler(handler)),
            medium: bill.add_tariff(&medium.handler(handler)),
            preset: bill.add_tariff(&preset.handler(handler)),
            dual_stack: bill.add_tariff(&dual_stack.handler(handler)),
        }
    }
}
