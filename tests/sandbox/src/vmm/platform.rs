//! The state of the simulated platform, and what somebody at the panel can do to it.
//!
//! Invariant: every number in `hosts`, `disks`, `ips` and `tasks` refers to an object that exists, except in finished
//! tasks. The maps are public so that a test can look at and change anything; [`Platform::remove_host`] and
//! [`Platform::add_host`] keep the invariant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use jiff::{SignedDuration, Zoned};

use super::lists::Lists;
use super::model::{
    Account, Cluster, Disk, Host, Image, Interface, Ip, Node, Os, Pool, Preset, Recipe, Repository, Schedule, Storage,
    Tag, Task,
};
use super::session::Sessions;
use super::setup::{Setup, Timing};
use super::traffic::Traffic;
use super::variant::Variant;
use super::world;

/// Numbers of new objects; the two spaces of task numbers never meet.
#[derive(Debug)]
pub(super) struct Counters {
    pub host: u64,
    pub account: u64,
    pub disk: u64,
    pub ip: u64,
    pub interface: u64,
    pub task: u64,
    pub consul: u64,
}

/// Everything the platform knows. Plain data under the API's names; the rest of this module acts on it.
#[derive(Debug)]
#[allow(missing_docs, reason = "each map holds what its name says, by number")]
pub struct Platform {
    pub hosts: BTreeMap<u64, Host>,
    pub accounts: BTreeMap<u64, Account>,
    pub clusters: BTreeMap<u64, Cluster>,
    pub nodes: BTreeMap<u64, Node>,
    pub storages: BTreeMap<u64, Storage>,
    pub os: BTreeMap<u64, Os>,
    pub images: BTreeMap<u64, Image>,
    pub repositories: BTreeMap<u64, Repository>,
    pub presets: BTreeMap<u64, Preset>,
    pub recipes: BTreeMap<u64, Recipe>,
    pub tags: BTreeMap<u64, Tag>,
    pub pools: BTreeMap<u64, Pool>,
    pub schedules: BTreeMap<u64, Schedule>,
    pub disks: BTreeMap<u64, Disk>,
    pub ips: BTreeMap<u64, Ip>,
    /// By task-manager number, not by consul number.
    pub tasks: BTreeMap<u64, Task>,
    /// Durations of the tasks accepted from now on.
    pub timing: Timing,
    /// The word of a failed task [api 3.4].
    pub failure_word: &'static str,
    /// `GET /version`.
    pub version: String,
    /// How far the platform's clock is ahead of the world's, as the `Date` header of every answer and the dates of VMs and
    /// tasks show.
    pub clock_ahead: SignedDuration,
    /// How lists are paged.
    pub lists: Lists,
    /// What this build of the platform does in its own way.
    pub variant: Variant,
    /// Traffic in time; without it the counters are those of [`Host`].
    pub traffic: Option<Traffic>,
    /// Whether the licence is valid; without it only nodes, images and VMs are listed and VMs deleted [api 1.5].
    pub licence_valid: bool,
    pub(super) sessions: Sessions,
    pub(super) open_tasks: BTreeSet<u64>,
    /// Times at which something becomes visible without a task ending.
    pub(super) moments: BTreeSet<Instant>,
    pub(super) hidden: HashMap<u64, usize>,
    pub(super) next: Counters,
    pub(super) notify: u64,
}

impl Platform {
    /// The default world with the administrator of `setup`.
    pub(super) fn new(setup: Setup) -> Self {
        let mut platform = Self {
            hosts: BTreeMap::new(),
            accounts: BTreeMap::new(),
            clusters: world::clusters(),
            nodes: world::nodes(),
            storages: world::storages(),
            os: world::os(),
            images: world::images(),
            repositories: world::repositories(),
            presets: world::presets(),
            recipes: world::recipes(),
            tags: world::tags(),
            pools: world::pools(),
            schedules: world::schedules(),
            disks: BTreeMap::new(),
            ips: BTreeMap::new(),
            tasks: BTreeMap::new(),
            timing: setup.timing,
            failure_word: setup.failure_word,
            version: "2024.03.1".into(),
            clock_ahead: SignedDuration::ZERO,
            lists: Lists::default(),
            variant: Variant::default(),
            traffic: None,
            licence_valid: true,
            sessions: Sessions::new(setup.session_idle, setup.allowed_clients),
            open_tasks: BTreeSet::new(),
            moments: BTreeSet::new(),
            hidden: HashMap::new(),
            next: Counters { host: 215, account: 1, disk: 318, ip: 77, interface: 510, task: 7731, consul: 48213 },
            notify: 90_100,
        };
        platform.add_account(&setup.admin_email, &setup.admin_password, "@admin");
        platform.next.account = 41;
        platform.rename_clusters(&setup.clusters);
        platform.use_address_block(setup.address_block);
        platform
    }

    /// VMs whose comment contains this text, in order of their numbers.
    pub fn host_by_comment(&self, text: &str) -> Vec<&Host> {
        self.hosts.values().filter(|host| host.comment.contains(text)).collect()
    }

    /// The account with this e-mail, letter case ignored.
    pub fn account_by_email(&self, email: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.email.eq_ignore_ascii_case(email))
    }

    /// VMs whose creation has ended.
    pub fn live_hosts(&self) -> Vec<&Host> {
        self.hosts.values().filter(|host| host.state != "creating").collect()
    }

    /// Addresses of a VM that the API shows, the main one first.
    pub fn addresses(&self, host: u64, family: u8) -> Vec<&Ip> {
        let now = Instant::now();
        let mut found: Vec<&Ip> =
            self.ips.values().filter(|ip| ip.host == host && ip.family == family && ip.shown_at <= now).collect();
        found.sort_by_key(|ip| (!ip.is_main, ip.id));
        found
    }

    /// The same in the order of this build's lists.
    pub(super) fn listed_addresses(&self, host: u64, family: u8) -> Vec<&Ip> {
        let mut found = self.addresses(host, family);
        if self.variant.main_address_last {
            found.reverse();
        }
        found
    }

    /// Tasks that the task manager lists by now, in order of their numbers.
    pub fn listed_tasks(&self) -> Vec<&Task> {
        let now = Instant::now();
        self.tasks.values().filter(|task| task.is_listed(now)).collect()
    }

    /// The main disk of a VM.
    pub fn main_disk(&self, host: u64) -> Option<&Disk> {
        self.disks.values().find(|disk| disk.host == host && disk.is_main)
    }

    /// Addresses of a pool not yet given away: IPv4, and IPv6 networks.
    pub fn free_addresses(&self, pool: u64) -> (u64, u64) {
        let free = |family| {
            let (total, used) = self.pool_usage(pool, family);
            total.saturating_sub(used)
        };
        (free(4), free(6))
    }

    /// A new account, as made by hand in the panel.
    pub fn add_account(&mut self, email: &str, password: &str, role: &str) -> u64 {
        let id = self.next.account;
        self.next.account += 1;
        self.accounts.insert(
            id,
            Account {
                id,
                email: email.into(),
                password: password.into(),
                state: "active".into(),
                roles: vec![role.into()],
                full_name: String::new(),
                phone_number: String::new(),
                lang: "en".into(),
                shows_roles: self.variant.shows_roles,
                ssh_keys: Vec::new(),
                limits: serde_json::Map::new(),
            },
        );
        id
    }

    /// A finished, running VM made by hand in the panel: no task, one IPv4 address if the cluster has a free one.
    ///
    /// Everything else (comment, sizes, state) can be set in `hosts` afterwards.
    pub fn add_host(&mut self, name: &str, account: u64, cluster: u64) -> u64 {
        let id = self.next.host;
        self.next.host += 1;
        let lxd = self.clusters.get(&cluster).is_some_and(|c| c.virtualization_type == "lxd");
        let os = self.os.values().find(|os| os.clusters.contains(&cluster) && os.is_lxd_image == lxd).map(|os| os.id);
        let node = self.nodes.values().find(|node| node.cluster == cluster).map(|node| node.id);
        let host = Host { account, cluster, node, os, ..Host::blank(id, name, self.clock_ahead) };
        self.hosts.insert(id, Host { state: "active".into(), starts: 1, installs: 1, ..host });
        self.add_disk(id, "vda", 20_480, true);
        self.add_interface(id, 0, "vmbr0");
        let wanted = super::pool::Wanted { interface: 0, pools: Vec::new(), count: 1, fixed: None };
        self.allocate_v4(id, &[wanted], Instant::now()).ok();
        id
    }

    /// Forgets a VM with its disks and addresses at once, as if it had never been.
    pub fn remove_host(&mut self, id: u64) {
        self.hosts.remove(&id);
        self.hidden.remove(&id);
        self.disks.retain(|_, disk| disk.host != id);
        self.ips.retain(|_, ip| ip.host != id);
        self.orphan_tasks(id);
    }

    /// A VM that is not listed or not found before these moments.
    pub(super) fn show_late(&mut self, host: u64, listed_at: Instant, found_at: Instant) {
        if let Some(vm) = self.hosts.get_mut(&host) {
            (vm.listed_at, vm.found_at) = (listed_at, found_at);
            self.moments.extend([listed_at, found_at]);
        }
    }

    /// Ends every session, so that the next request of each client is answered 401.
    pub fn expire_sessions(&mut self) {
        self.sessions.clear();
    }

    pub(super) fn add_disk(&mut self, host: u64, name: &str, size_mib: u64, is_main: bool) -> u64 {
        let id = self.next.disk;
        self.next.disk += 1;
        let cluster = self.hosts.get(&host).map_or(0, |h| h.cluster);
        let storage = self.clusters.get(&cluster).and_then(|c| c.storages.first().copied()).unwrap_or(1);
        let boot_order = 1 + self.disks.values().filter(|disk| disk.host == host).count() as u64;
        self.disks.insert(
            id,
            Disk {
                id,
                name: format!("{id}_{name}"),
                host,
                size_mib,
                size_mib_new: 0,
                boot_order,
                is_main,
                bus: "virtio".into(),
                storage,
                tags: Vec::new(),
                expand_part: String::new(),
            },
        );
        id
    }

    pub(super) fn add_interface(&mut self, host: u64, index: u64, bridge: &str) -> u64 {
        let id = self.next.interface;
        self.next.interface += 1;
        if let Some(host) = self.hosts.get_mut(&host) {
            let name = format!("eth{}", host.interfaces.len());
            let [a, b, c, d] = u32::try_from(id).unwrap_or(u32::MAX).to_be_bytes();
            let mac = format!("52:54:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
            let (bridge, model) = (bridge.into(), "virtio".into());
            host.interfaces.push(Interface { id, name, mac, bridge, interface: index, model });
        }
        id
    }

    /// The event counter of the notification service moves with every change [api 2].
    pub(super) fn touch(&mut self) {
        self.notify += 1;
    }
}

/// Local time as a platform writes it whose clock is ahead, `2025-06-01 12:00:00`.
pub(super) fn wall_clock(ahead: SignedDuration) -> String {
    Zoned::now().saturating_add(ahead).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
