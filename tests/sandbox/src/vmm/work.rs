//! What a task does when it ends well.

use std::time::Instant;

use serde_json::{Map, Value};

use super::model::{Schedule, Tuning};
use super::platform::Platform;
use super::pool::Wanted;

/// What IPv6 is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum V6 {
    Off,
    /// A network of this prefix length, else of the pool's.
    On {
        prefix: Option<u64>,
    },
}

/// The effect of a task, applied at its end.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// A task that accompanies another one under the same consul number and changes nothing itself.
    Companion,
    /// Cannot be done, for this reason.
    Impossible(String),
    Create {
        v4: Vec<Wanted>,
        v6: V6,
        recipes: Vec<u64>,
    },
    Start,
    Stop,
    Delete,
    /// New values by the names of the API.
    Change(Map<String, Value>),
    Resize {
        disk: u64,
        size_mib: u64,
    },
    Reinstall {
        os: Option<u64>,
        image: Option<u64>,
        password: Option<String>,
        recipes: Vec<u64>,
    },
    Password(String),
    Owner(u64),
    Migrate(u64),
    Addresses {
        v4: Vec<Wanted>,
        v6: Option<V6>,
    },
    DropAddress(u64),
    Ptr {
        ip: u64,
        domain: String,
    },
    RunRecipes(Vec<u64>),
    AddInterface {
        bridge: String,
        v4: Vec<Wanted>,
    },
    DropInterface(u64),
    /// The backup schedule as it was when the request came, changed.
    Schedule(Box<Schedule>),
}

impl Platform {
    /// Applies the effect, or says why it cannot be.
    pub(super) fn perform(&mut self, host: Option<u64>, work: &Work, at: Instant) -> Result<(), String> {
        if let Work::Schedule(schedule) = work {
            let known = self.schedules.get_mut(&schedule.id).ok_or(format!("schedule {} not found", schedule.id))?;
            known.clone_from(schedule);
        }
        let Some(id) = host else { return Ok(()) };
        let Some(vm) = self.hosts.get_mut(&id) else { return Err(format!("VM {id} not found")) };
        match work {
            Work::Companion | Work::Schedule(_) => {}
            Work::Impossible(reason) => return Err(reason.clone()),
            Work::Create { v4, v6, recipes } => return self.create(id, v4, *v6, recipes, at),
            Work::Start if vm.state == "active" => return Err("VM is already running".into()),
            Work::Start => {
                vm.state = "active".into();
                vm.starts += 1;
                vm.started = Some(at);
            }
            Work::Stop if vm.state == "stopped" => return Err("VM is already stopped".into()),
            Work::Stop => {
                vm.state = "stopped".into();
                vm.started = None;
            }
            Work::Delete => self.remove_host(id),
            Work::Change(values) => return self.change(id, values),
            Work::Resize { disk, size_mib } => return self.resize(*disk, *size_mib),
            Work::Reinstall { os, image, password, recipes } => {
                (vm.os, vm.image) = (*os, *image);
                vm.password = password.clone().unwrap_or_else(|| vm.password.clone());
                vm.recipes.clone_from(recipes);
                vm.state = "active".into();
                vm.installs += 1;
                vm.starts += 1;
                vm.started = Some(at);
            }
            Work::Password(password) => vm.password.clone_from(password),
            Work::Migrate(node) => vm.node = Some(*node),
            Work::Owner(account) => vm.account = *account,
            Work::Addresses { v4, v6 } => return self.change_addresses(id, v4, *v6, at),
            Work::DropAddress(ip) => {
                self.ips.remove(ip).ok_or(format!("IP address {ip} not found"))?;
            }
            Work::Ptr { ip, domain } => {
                self.ips.get_mut(ip).ok_or(format!("IP address {ip} not found"))?.domain.clone_from(domain);
            }
            Work::RunRecipes(recipes) => vm.recipes.extend(recipes),
            Work::AddInterface { bridge, v4 } => {
                let index = v4.first().map_or(0, |wanted| wanted.interface);
                self.add_interface(id, index, bridge);
                return self.allocate_v4(id, v4, at);
            }
            Work::DropInterface(iface) => vm.interfaces.retain(|i| i.id != *iface),
        }
        Ok(())
    }

    /// Takes back what was announced for a task that failed.
    pub(super) fn withdraw(&mut self, host: Option<u64>, work: &Work) {
        let vm = host.and_then(|id| self.hosts.get_mut(&id));
        match (work, vm) {
            (Work::Change(values), Some(vm)) => {
                for name in values.keys() {
                    vm.announce(name, 0);
                }
            }
            (Work::Resize { disk, .. }, _) => {
                if let Some(disk) = self.disks.get_mut(disk) {
                    disk.size_mib_new = 0;
                }
            }
            _ => {}
        }
    }

    fn create(&mut self, id: u64, v4: &[Wanted], v6: V6, recipes: &[u64], at: Instant) -> Result<(), String> {
        let node = self.hosts.get(&id).and_then(|vm| vm.node);
        node.ok_or("no suitable node to place the VM: not enough free resources in the cluster")?;
        let shown_at = at + self.timing.addresses_after;
        self.allocate_v4(id, v4, shown_at)?;
        if let V6::On { prefix } = v6 {
            self.allocate_v6(id, prefix, shown_at)?;
        }
        if let Some(vm) = self.hosts.get_mut(&id) {
            vm.state = "active".into();
            vm.recipes.extend(recipes);
            vm.installs = 1;
            vm.starts = 1;
            vm.started = Some(at);
        }
        Ok(())
    }

    fn change(&mut self, id: u64, values: &Map<String, Value>) -> Result<(), String> {
        let free = self.free_ram_for(id);
        let Some(vm) = self.hosts.get_mut(&id) else { return Err(format!("VM {id} not found")) };
        let number = |name: &str| values.get(name).and_then(Value::as_u64);
        if let Some(ram) = number("ram_mib") {
            if ram > vm.ram_mib && ram - vm.ram_mib > free {
                return Err(format!("not enough memory on the node: {free} MiB free"));
            }
            if ram > vm.ram_mib && vm.state == "active" {
                vm.hot_plug_cell_counter += 1;
            }
            vm.ram_mib = ram;
        }
        vm.cpu_number = number("cpu_number").unwrap_or(vm.cpu_number);
        vm.net_bandwidth_mbitps = number("net_bandwidth_mbitps").unwrap_or(vm.net_bandwidth_mbitps);
        vm.tuning = vm.tuning.with(values);
        for name in values.keys() {
            vm.announce(name, 0);
        }
        Ok(())
    }

    fn resize(&mut self, disk: u64, size_mib: u64) -> Result<(), String> {
        let disk = self.disks.get_mut(&disk).ok_or(format!("disk {disk} not found"))?;
        if size_mib < disk.size_mib {
            return Err(format!("disk cannot shrink from {} to {size_mib} MiB", disk.size_mib));
        }
        disk.size_mib = size_mib;
        disk.size_mib_new = 0;
        Ok(())
    }

    fn change_addresses(&mut self, id: u64, v4: &[Wanted], v6: Option<V6>, at: Instant) -> Result<(), String> {
        self.allocate_v4(id, v4, at)?;
        match v6 {
            Some(V6::On { prefix }) if self.addresses(id, 6).is_empty() => self.allocate_v6(id, prefix, at)?,
            Some(V6::Off) => {
                self.ips.retain(|_, ip| ip.host != id || ip.family != 6);
                if let Some(vm) = self.hosts.get_mut(&id) {
                    vm.ipv6_enabled = false;
                    vm.ipv6_prefix = None;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn free_ram_for(&self, host: u64) -> u64 {
        let node = self.hosts.get(&host).and_then(|vm| vm.node).and_then(|id| self.nodes.get(&id));
        node.map_or(0, |node| (node.ram_mib * node.overselling).saturating_sub(self.allocated(node.id).ram_mib))
    }
}

impl super::model::Host {
    /// Shows a value as accepted for the next stop (0: no longer).
    pub(super) fn announce(&mut self, name: &str, value: u64) {
        match name {
            "cpu_number" => self.cpu_number_new = value,
            "ram_mib" => self.ram_mib_new = value,
            "net_bandwidth_mbitps" => self.net_bandwidth_mbitps_changed = value != 0,
            _ => {}
        }
    }
}

impl Tuning {
    /// The same with the values that are named; other names are left alone.
    pub(super) fn with(&self, values: &Map<String, Value>) -> Self {
        let Ok(Value::Object(mut all)) = serde_json::to_value(self) else { return self.clone() };
        for (name, value) in values {
            if let Some(slot) = all.get_mut(name) {
                *slot = value.clone();
            }
        }
        serde_json::from_value(Value::Object(all)).unwrap_or_else(|_| self.clone())
    }
}
