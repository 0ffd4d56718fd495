//! One service beside its VM.

use std::collections::BTreeSet;

use super::differences::{differences, tuning};
use super::drift::{DriftKind, Finding, Remedy};
use super::reading::Reading;
use crate::error::{Kind as ErrorKind, Result};
use crate::id::{ClientId, ServiceId, VmId};
use crate::journal::Record;
use crate::panel::{Service, ServiceStatus, Slot};
use crate::service::handler::HandlerJob;
use crate::service::job::evidence::{Facts, Owner, Refusal};
use crate::service::job::facts::Background;
use crate::service::order::Order;
use crate::service::order::addons::{ADDONS, Addon};
use crate::service::platform::{catalogue, interfaces};
use crate::service::vm::{addresses, sizes, speed_cap};
use crate::vmm::{Host, HostState};

/// Services read and judged together.
const TOGETHER: usize = 500;

/// Judges the handler's open services, or those of them that are in `only`. These are suspected, and worth a request
/// for a VM alone where the handler's additional interface asks for one.
pub(super) fn services(
    job: &HandlerJob,
    reading: &Reading,
    only: Option<&BTreeSet<ServiceId>>,
    show: &dyn Fn(&str),
) -> Result<Vec<Finding>> {
    let items: Vec<ServiceId> =
        reading.open.keys().copied().filter(|item| only.is_none_or(|only| only.contains(item))).collect();
    let mut found = Vec::new();
    for (at, part) in items.chunks(TOGETHER).enumerate() {
        show(&format!("{} of {} services compared", at * TOGETHER, items.len()));
        let mut slots = job.panel.slots_of(part)?;
        for service in job.panel.services(part)? {
            let slots = slots.remove(&service.id).unwrap_or_default();
            let record = reading.records.get(&service.id);
            Subject { job, reading, record, slots, closely: only.is_some(), found: &mut found, service }.judge()?;
        }
    }
    Ok(found)
}

struct Subject<'a> {
    job: &'a HandlerJob<'a>,
    reading: &'a Reading,
    record: Option<&'a Record>,
    slots: Vec<Slot>,
    closely: bool,
    found: &'a mut Vec<Finding>,
    service: Service,
}

impl<'a> Subject<'a> {
    fn judge(mut self) -> Result<()> {
        if ![ServiceStatus::Active, ServiceStatus::Suspended].contains(&self.service.status) {
            return Ok(());
        }
        let Some(host) = self.vm() else { return Ok(()) };
        self.recorded(host);
        self.owner(host);
        self.state(host);
        match Order::read(&self.service) {
            Ok(order) => {
                self.os(&order, host);
                if [HostState::Running, HostState::Stopped].contains(&host.state) {
                    self.size(&order, host);
                    self.addons(&order, host);
                    self.addresses(&order, host)?;
                    self.backups(&order, host);
                }
            }
            Err(error) => self.order(host, &error.message()),
        }
        Ok(())
    }

    fn add(
        &mut self,
        kind: DriftKind,
        vm: Option<VmId>,
        is: impl Into<String>,
        should: impl Into<String>,
        remedy: Remedy,
    ) {
        let (is, should) = (is.into(), should.into());
        self.found.push(Finding { kind, service: Some(self.service.id), vm, is, should, remedy });
    }

    fn module(&self, command: &str) -> Remedy {
        Remedy::Module(format!("--command {command} --item {}", self.service.id))
    }

    fn module_with(&self, command: &str, slot: u64) -> Remedy {
        Remedy::Module(format!("--command {command} --item {} --ip {slot}", self.service.id))
    }

    fn link(&self, rest: &str) -> Remedy {
        Remedy::Operator(format!("link --item {}{rest}", self.service.id))
    }

    fn forget_vm(&self) -> Remedy {
        Remedy::Panel(format!("service.dropparam elid={} name=panelid sok=ok", self.service.id))
    }

    /// The service's VM as an operation would find it: by its recorded id, else by its mark.
    fn vm(&mut self) -> Option<&'a Host> {
        let reading = self.reading;
        let named = match self.service.named_vm() {
            Ok(named) => named,
            Err(text) => {
                let is = format!("BILLmanager names the VM \"{text}\"");
                self.add(DriftKind::Panelid, None, is, "the id of a VM", self.forget_vm());
                return None;
            }
        };
        let recorded = named.into_iter().chain(self.living_vm()).find_map(|vm| reading.hosts.get(&vm));
        let marked = reading.marked.get(&self.service.id).map_or(&[][..], Vec::as_slice);
        let host = match (recorded, marked) {
            (Some(host), _) => host,
            (None, [vm]) => &reading.hosts[vm],
            // Several are reported where VMs are judged.
            (None, [_, ..]) => return None,
            (None, []) => {
                let is = named.map_or_else(|| "no VM".to_owned(), |vm| format!("VMmanager has no VM {vm}"));
                self.add(DriftKind::NoVm, named, is, "a VM of the service", self.module("reopen"));
                return None;
            }
        };
        self.proved(host, named).then_some(host)
    }

    /// The VM that the journal knows, while it may exist.
    fn living_vm(&self) -> Option<VmId> {
        self.record.filter(|record| record.is_living())?.vm
    }

    fn facts(&self, host: &Host) -> Facts {
        let (reading, item) = (self.reading, self.service.id);
        let has_others = |found: Option<&Vec<ServiceId>>| found.is_some_and(|items| items.iter().any(|it| *it != item));
        let owner = host.account.as_ref().map(|account| account.id).unwrap_or_default();
        let background = Background {
            service: &self.service,
            marker: &self.job.marker,
            mark: &self.job.mark(item),
            record: self.record,
            platform: reading.platform,
            tie: reading.ties.get(&owner).copied(),
            is_claimed: has_others(reading.claims.get(&host.id)),
            is_others: has_others(reading.journalled.get(&host.id)),
            is_earlier: false,
        };
        background.facts(host)
    }

    fn proved(&mut self, host: &Host, named: Option<VmId>) -> bool {
        let facts = self.facts(host);
        match facts.judge() {
            Ok(()) if self.job.mark(self.service.id).is_in(&host.comment) => {}
            Ok(()) => {
                let is = format!("comment \"{}\"", host.comment);
                self.add(
                    DriftKind::LostMark,
                    Some(host.id),
                    is,
                    self.job.mark(self.service.id).to_string(),
                    Remedy::Safe,
                );
            }
            Err(Refusal::Owner) => self.other_owner(host),
            Err(Refusal::Elsewhere) => self.elsewhere(),
            Err(Refusal::OtherClient) => self.other_client(host),
            Err(refusal) => self.foreign(host, named, facts, refusal),
        }
        facts.judge().is_ok()
    }

    fn elsewhere(&mut self) {
        let own = self.record.and_then(|record| record.platform).unwrap_or_default();
        let is = format!("the handler leads to platform {}", self.reading.platform);
        let text = format!("give service {} a handler of platform {own}", self.service.id);
        self.add(DriftKind::Platform, self.living_vm(), is, format!("platform {own}"), Remedy::ByHand(text));
    }

    fn other_client(&mut self, host: &Host) {
        let before = self.record.map_or_else(ClientId::default, |record| record.client);
        let is = format!("VM {} of client {before}", host.id);
        let should = format!("a VM of client {}", self.service.client.id);
        let (email, item) = (self.service.client.email.clone(), self.service.id);
        let text =
            format!("in VMmanager give VM {} to {email}, then run: pmvmmanager6 link --item {item} --yes", host.id);
        self.add(DriftKind::Client, Some(host.id), is, should, Remedy::ByHand(text));
    }

    /// A service that was handed to another client is a copy with a new number: the closed one still has the VM.
    fn is_handed_over(&self, host: &Host) -> bool {
        let others = self.reading.journalled.get(&host.id).map_or(&[][..], Vec::as_slice);
        let is_closed = |item: &ServiceId| *item != self.service.id && self.reading.closed.contains(item);
        others.iter().any(is_closed)
    }

    fn foreign(&mut self, host: &Host, named: Option<VmId>, facts: Facts, refusal: Refusal) {
        let claims = self.reading.claims.get(&host.id).map_or(&[][..], Vec::as_slice);
        let others: Vec<String> =
            claims.iter().filter(|item| **item != self.service.id).map(ServiceId::to_string).collect();
        let owned = facts.owner != Owner::Other;
        // Without the id in BILLmanager the journal's still counts.
        let elsewhere = named.is_some() && self.living_vm() != Some(host.id);
        let handed_over = self.is_handed_over(host);
        let remedy = match refusal {
            _ if handed_over => self.link(&format!(" --vm {} --yes", host.id)),
            Refusal::Unproved if owned && others.is_empty() => self.link(&format!(" --vm {} --yes", host.id)),
            Refusal::Unproved if owned => self.link(""),
            _ if elsewhere => self.forget_vm(),
            _ => self.link(""),
        };
        let is = format!("VM {} of {}, comment \"{}\"", host.id, owner_of(host), host.comment);
        let (kind, is) = match others.as_slice() {
            _ if handed_over => (DriftKind::HandedOver, is),
            [] => (DriftKind::ForeignVm, is),
            others => (DriftKind::SharedVm, format!("{is}, is named by service {} too", others.join(", "))),
        };
        let should = format!("a VM of {} with \"{}\"", self.service.client.email, self.job.mark(self.service.id));
        self.add(kind, Some(host.id), is, should, remedy);
    }

    fn other_owner(&mut self, host: &Host) {
        let email = self.service.client.email.clone();
        let remembered = self.service.param("username").map(str::to_lowercase);
        let by_id = self.record.and_then(|record| record.account);
        let exists = self.reading.emails.contains(&email.to_lowercase())
            || remembered.is_some_and(|name| self.reading.emails.contains(&name))
            || by_id.is_some_and(|id| self.reading.accounts.contains(&id));
        let kind = if exists { DriftKind::Owner } else { DriftKind::AccountGone };
        let first = if exists { "" } else { "make the account, then " };
        let remedy = Remedy::ByHand(format!("in VMmanager {first}give VM {} to {email}", host.id));
        self.add(kind, Some(host.id), format!("VM of {}", owner_of(host)), format!("VM of {email}"), remedy);
    }

    /// The account is right as far as a proof goes; it may be gone, or the service may have another client since.
    fn owner(&mut self, host: &Host) {
        if host.account.as_ref().is_some_and(|owner| !self.reading.accounts.contains(&owner.id)) {
            return self.other_owner(host);
        }
        let email = self.service.client.email.clone();
        let is_clients = host.account.as_ref().is_some_and(|owner| owner.email.eq_ignore_ascii_case(&email));
        let before = self.record.map_or_else(ClientId::default, |record| record.client);
        if is_clients || email.is_empty() || !before.is_known() || before == self.service.client.id {
            return;
        }
        let is = format!("VM of {}, as before the service changed hands", owner_of(host));
        let remedy = Remedy::ByHand(format!("in VMmanager give VM {} to {email}", host.id));
        self.add(DriftKind::Owner, Some(host.id), is, format!("VM of {email}"), remedy);
    }

    /// What BILLmanager keeps of the VM.
    fn recorded(&mut self, host: &Host) {
        let named = self.service.named_vm().ok().flatten();
        if named != Some(host.id) {
            let is =
                named.map_or_else(|| "BILLmanager names no VM".to_owned(), |vm| format!("BILLmanager names VM {vm}"));
            self.add(DriftKind::Panelid, Some(host.id), is, format!("VM {}", host.id), Remedy::Safe);
        }
        let name = self.service.param("serverid").unwrap_or_default();
        if name != host.name {
            let is = format!("BILLmanager says \"{name}\"");
            self.add(DriftKind::Name, Some(host.id), is, format!("\"{}\"", host.name), Remedy::Safe);
        }
    }

    fn state(&mut self, host: &Host) {
        let (is, vm) = (format!("VM is {}", host.state), Some(host.id));
        match (self.service.status, &host.state) {
            (ServiceStatus::Suspended, HostState::Running) => {
                self.add(DriftKind::SuspendedRunning, vm, is, "VM is stopped", Remedy::Safe);
            }
            (ServiceStatus::Active, HostState::Stopped) => {
                self.add(DriftKind::State, vm, is, "VM runs", self.module("start"));
            }
            (_, HostState::Running | HostState::Stopped) => {}
            _ => {
                let text = format!("look at the tasks of VM {} in VMmanager", host.id);
                self.add(DriftKind::State, vm, is, "VM is active or stopped", Remedy::ByHand(text));
            }
        }
    }

    fn order(&mut self, host: &Host, error: &str) {
        let remedy = Remedy::ByHand("correct the tariff or the order in BILLmanager".to_owned());
        self.add(DriftKind::Order, Some(host.id), error, "an order that can be understood", remedy);
    }

    /// A template that VMmanager does not list any more has no name to compare.
    fn os(&mut self, order: &Order, host: &Host) {
        let title = host.os.as_ref().and_then(|os| self.reading.templates.get(&os.id));
        let (Some(is), Some(ordered)) = (title, &order.os) else { return };
        if catalogue::forgiving(is) != catalogue::forgiving(ordered) {
            let is = format!("VM has {is}");
            self.add(DriftKind::Os, Some(host.id), is, format!("BILLmanager says {ordered}"), Remedy::Safe);
        }
    }

    fn size(&mut self, order: &Order, host: &Host) {
        let wanted = match sizes::sizes_of(order, host, self.reading.tunable.at_change, || {
            Ok(self.reading.presets.as_slice())
        }) {
            Ok(wanted) => speed_cap::leave_capped(self.reading.caps.get(&self.service.id).copied(), host, wanted),
            Err(error) => return self.order(host, &error.message()),
        };
        let remedy = match sizes::compare(&wanted, host) {
            Ok(change) if change.is_empty() => return,
            Ok(change) if sizes::restarts(host, &change) => self.module("setparam"),
            Ok(_) => Remedy::Safe,
            Err(error) if error.kind == ErrorKind::DiskShrink => {
                let has = host.disk.as_ref().and_then(|disk| disk.size_mib).unwrap_or_default();
                Remedy::ByHand(format!("order at least {has} MiB of disk in BILLmanager: a disk cannot shrink"))
            }
            Err(error) if error.kind == ErrorKind::VmHasSnapshots => Remedy::ByHand(self.without_snapshots(host)),
            Err(_) => return,
        };
        let (is, should) = differences(&wanted, host);
        self.add(DriftKind::Size, Some(host.id), is, should, remedy);
    }

    fn backups(&mut self, order: &Order, host: &Host) {
        let cluster = host.cluster.as_ref().map_or(self.reading.place.cluster, |cluster| cluster.id);
        if let Some((is, should, remedy)) = self.reading.backups.judge(self.service.id, order, host, cluster) {
            self.add(DriftKind::Backup, Some(host.id), is, should, remedy);
        }
    }

    /// Limits and modes that no operation brings in line.
    fn addons(&mut self, order: &Order, host: &Host) {
        let obstacle = |addon: &&&Addon| self.reading.tunable.obstacle(addon, order, Some(host)).is_some();
        let addons: Vec<&Addon> = ADDONS.iter().filter(obstacle).copied().collect();
        if addons.is_empty() {
            return;
        }
        let fields: Vec<&str> = addons.iter().flat_map(|addon| addon.creation).copied().collect();
        let names: Vec<&str> = addons.iter().map(|addon| addon.name()).collect();
        let (is, should) = tuning(&fields, &order.tuning, host);
        let text = format!("set it in VMmanager, or take out of the order: {}", names.join(", "));
        self.add(DriftKind::Addon, Some(host.id), is, should, Remedy::ByHand(text));
    }

    fn without_snapshots(&self, host: &Host) -> String {
        let item = self.service.id;
        format!(
            "remove the snapshots of VM {} in VMmanager, then run: pmvmmanager6 --command setparam --item {item}",
            host.id
        )
    }

    fn addresses(&mut self, order: &Order, host: &Host) -> Result<()> {
        let host = if self.closely && self.reading.place.additional_interface {
            &interfaces::main_only(&self.job.vmm, || Ok(self.reading.place.clone()), host.clone())?
        } else {
            host
        };
        self.counts(order, host);
        let vm = Some(host.id);
        let stale: Vec<(u64, String)> = addresses::stale(&self.slots, host)
            .into_iter()
            .map(|slot| (slot.id, slot.address.clone().unwrap_or_default()))
            .collect();
        for (slot, ip) in stale {
            let should = format!("an address of VM {}", host.id);
            self.add(
                DriftKind::StaleSlot,
                vm,
                format!("slot {slot} holds {ip}"),
                should,
                self.module_with("delip", slot),
            );
        }
        let mut missing: Vec<String> =
            addresses::unrecorded(&self.slots, host).iter().map(|ip| format!("{ip} in an IP slot")).collect();
        let recorded = self.service.param("ip");
        let main = addresses::main_address(recorded, host);
        missing.extend(main.filter(|ip| recorded != Some(ip)).map(|ip| format!("{ip} as the main address")));
        if !missing.is_empty() {
            let held: Vec<&str> = self.slots.iter().filter_map(|slot| slot.address.as_deref()).collect();
            let is = format!("main address {}, slots {}", recorded.unwrap_or("none"), join(&held));
            self.add(DriftKind::Addresses, vm, is, missing.join(", "), Remedy::Safe);
        }
        Ok(())
    }

    fn given_up<'h>(&self, host: &'h Host) -> Vec<&'h str> {
        let sold = self.record.map_or(&[][..], |record| &record.sold);
        addresses::given_up(&self.slots, sold, addresses::main_address(self.service.param("ip"), host), host)
    }

    /// As many addresses as ordered. More than ordered count only when it is known which ones were given up.
    fn counts(&mut self, order: &Order, host: &Host) {
        let has = host.ip4.len() as u64;
        let several = self.reading.place.additional_interface;
        let mut differ = Vec::new();
        if let Some(wanted) = order.ipv4.filter(|wanted| {
            let fewer = *wanted > has;
            let more = (*wanted).max(1) < has && !self.given_up(host).is_empty();
            fewer || (more && !several)
        }) {
            differ.push((format!("{has} IPv4"), format!("{wanted} IPv4")));
        }
        if let Some(wanted) = order.ipv6.filter(|wanted| *wanted == host.ip6.is_empty()) {
            let word = |on: bool| if on { "IPv6" } else { "no IPv6" }.to_owned();
            differ.push((word(!wanted), word(wanted)));
        }
        if !differ.is_empty() {
            let (is, should): (Vec<String>, Vec<String>) = differ.into_iter().unzip();
            let has_snapshots = sizes::refuse_snapshots(host, "addresses").is_err();
            let remedy =
                if has_snapshots { Remedy::ByHand(self.without_snapshots(host)) } else { self.module("setparam") };
            self.add(DriftKind::AddressCount, Some(host.id), is.join(", "), should.join(", "), remedy);
        }
    }
}

fn owner_of(host: &Host) -> &str {
    host.account.as_ref().map(|owner| owner.email.as_str()).filter(|email| !email.is_empty()).unwrap_or("nobody")
}

fn join(words: &[&str]) -> String {
    if words.is_empty() { "empty".to_owned() } else { words.join(" ") }
}
