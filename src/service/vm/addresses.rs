//! Addresses of a VM and BILLmanager's IP slots.
//!
//! Addresses belong to VMmanager; a slot only records one. What is recorded in a slot was sold to the client and is
//! removed only when he gives up that slot: the journal remembers what was sold, so an address that somebody gave the
//! VM by hand stays. The service's own address is never removed while the VM lives, nor is one of a further interface
//! sold, counted or removed.

use std::collections::HashSet;

use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::panel::{Address, Slot};
use crate::service::job::Job;
use crate::service::order::Order;
use crate::service::platform::{interfaces, pools};
use crate::service::vm::sizes::refuse_snapshots;
use crate::service::vm::{reverse_name, tariff_change};
use crate::vmm::{Host, HostIp, Ipv4};
use crate::{fault, log};

/// What a VM with snapshots does not get.
const MORE: &str = "further addresses";
const FEWER: &str = "fewer addresses";

/// The main address of the service: the one that BILLmanager has recorded, while the VM has it; else the first IPv4, else
/// the first IPv6.
pub fn main_address<'a>(recorded: Option<&str>, host: &'a Host) -> Option<&'a str> {
    fn first(list: &[HostIp]) -> Option<&str> {
        list.iter().map(HostIp::bare).find(|ip| !ip.is_empty())
    }
    let known = host.addresses().map(HostIp::bare).find(|ip| Some(*ip) == recorded);
    known.or_else(|| first(&host.ip4)).or_else(|| first(&host.ip6))
}

fn own_address<'a>(job: &Job, host: &'a Host) -> Option<&'a str> {
    main_address(job.service.param("ip"), host)
}

/// Puts every address of the VM that no slot holds yet into a free slot of its family.
pub fn fill_slots(job: &Job, host: &Host) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    if slots.iter().any(|slot| slot.free) {
        let known = if host.ip4.is_empty() { Vec::new() } else { job.vmm.ipv4(host.id)? };
        fill_free(job, &slots, host, &known)?;
    }
    remember_sold(job, &job.panel.slots(job.service.id)?, host)
}

fn fill_free(job: &Job, slots: &[Slot], host: &Host, known: &[Ipv4]) -> Result<()> {
    let held = held(slots);
    let v4 = v4(host, known);
    for (family, addresses) in [(false, v4), (true, v6(host))] {
        let mut free: Vec<&Slot> = slots.iter().filter(|slot| slot.free && slot.v6 == family).collect();
        let mut open: Vec<Address> = addresses.into_iter().filter(|a| !held.contains(a.ip.as_str())).collect();
        // A slot that a crash left with its address but without the commit keeps that address.
        free.sort_by_key(|slot| slot.address.is_none());
        for slot in free {
            let own = slot.address.as_deref().and_then(|ip| open.iter().position(|a| a.ip == ip));
            let Some(at) = own.or((!open.is_empty()).then_some(0)) else { break };
            let address = open.remove(at);
            log::info!("service {}: {} goes into slot {}", job.service.id, address.ip, slot.id);
            job.panel.fill_slot(slot.id, &address)?;
        }
        if !open.is_empty() {
            let left: Vec<&str> = open.iter().map(|a| a.ip.as_str()).collect();
            log::info!("service {}: BILLmanager has no slot for {}", job.service.id, left.join(", "));
        }
    }
    Ok(())
}

fn held(slots: &[Slot]) -> HashSet<&str> {
    slots.iter().filter(|slot| !slot.free).filter_map(|slot| slot.address.as_deref()).collect()
}

/// IPv4 with mask, gateway and reverse name, the main address first.
fn v4(host: &Host, details: &[Ipv4]) -> Vec<Address> {
    let address = |ip: &str| {
        let known = details.iter().find(|d| d.ip_addr == ip);
        let text = |read: fn(&Ipv4) -> &String| known.map(read).cloned().unwrap_or_default();
        Address {
            ip: ip.to_owned(),
            mask: text(|d| &d.mask),
            gateway: text(|d| &d.gateway),
            domain: text(|d| &d.domain),
        }
    };
    let apart = interfaces::apart(host, details);
    let sellable = |ip: &&str| !ip.is_empty() && !apart.contains(ip);
    host.ip4.iter().map(|a| a.ip.as_str()).filter(sellable).map(address).collect()
}

fn v6(host: &Host) -> Vec<Address> {
    let address = |own: &HostIp| Address { ip: own.bare().to_owned(), ..Address::default() };
    host.ip6.iter().filter(|own| !own.ip.is_empty()).map(address).collect()
}

/// Refuses further addresses for a VM with snapshots or from a pool that has none for it, before anything else is asked
/// of it.
pub fn refuse_if_impossible(job: &Job, order: &Order, host: &Host) -> Result<()> {
    let more = order.ipv4.is_some_and(|wanted| wanted > host.ip4.len() as u64);
    if more {
        pools::chosen(&job.vmm, &job.place()?, order)?;
    }
    if more || order.ipv6.is_some_and(|wanted| wanted && host.ip6.is_empty()) {
        refuse_snapshots(host, MORE)
    } else {
        Ok(())
    }
}

/// Brings the addresses to what is ordered now; returns the VM as it is then.
pub fn apply(job: &Job, order: &Order, host: Host) -> Result<Host> {
    let slots = job.panel.slots(job.service.id)?;
    remember_sold(job, &slots, &host)?;
    let known = if host.ip4.len() > 1 { job.vmm.ipv4(host.id)? } else { Vec::new() };
    let apart = interfaces::apart(&host, &known).len() as u64;
    let has = host.ip4.len() as u64 - apart;
    let host = match order.ipv4 {
        Some(wanted) if wanted > has => add_v4(job, order, host.id, wanted + apart)?,
        // The main address is not one to be given up.
        Some(wanted) if wanted.max(1) < has => give_up(job, &slots, host, has - wanted.max(1))?,
        _ => host,
    };
    let host = apply_v6(job, order, host)?;
    if let Some(domain) = &order.domain {
        follow_domain(job, &slots, &host, domain, known)?;
    }
    fill_slots(job, &host)?;
    Ok(host)
}

/// Notes which addresses of the VM were sold: what a slot holds once is the client's until he gives it up.
fn remember_sold(job: &Job, slots: &[Slot], host: &Host) -> Result<()> {
    let known = job.journal.sold(job.service.id)?;
    let held = slots.iter().filter_map(|slot| slot.address.clone());
    let mut sold: Vec<String> = known.iter().cloned().chain(held).filter(|ip| host.has_address(ip)).collect();
    sold.sort_unstable();
    sold.dedup();
    if sold == known {
        return Ok(());
    }
    let mark = job.mark.to_string();
    job.journal.sell(job.subject(job.platform()?, &mark), &sold)
}

/// Asks for as many IPv4 addresses as are missing from `wanted`. One that an interrupted run has asked for is waited
/// for, not asked for again.
fn add_v4(job: &Job, order: &Order, host: VmId, wanted: u64) -> Result<Host> {
    let enough = |host: &Host| host.ip4.len() as u64 >= wanted;
    let host = job.before_asking(host, enough)?;
    let missing = wanted.saturating_sub(host.ip4.len() as u64);
    if missing == 0 {
        return Ok(host);
    }
    refuse_snapshots(&host, MORE)?;
    let pools = pools::chosen(&job.vmm, &job.place()?, order)?;
    tariff_change::begin(job, &host)?;
    fault::point("addresses.before_request");
    let outcome = job.vmm.add_ipv4(host.id, missing, &pools);
    fault::point("addresses.after_request");
    let host = job.finish_and_watch(host.id, outcome, enough)?;
    if enough(&host) { Ok(host) } else { Err(missed(&host, &format!("{wanted} IPv4 addresses"))) }
}

/// VMmanager's word was good, or lost, but the VM is not as wanted.
fn missed(host: &Host, what: &str) -> Error {
    let (v4, v6) = (host.ip4.len(), host.ip6.len());
    let text = format!("VM {} was to have {what}; it has {v4} IPv4 and {v6} IPv6 addresses", host.id);
    Error::new(Kind::Vm6Task, format!("VM {}", host.id), text)
}

/// Removes up to `count` addresses that were sold and given up.
fn give_up(job: &Job, slots: &[Slot], host: Host, count: u64) -> Result<Host> {
    let sold = job.journal.sold(job.service.id)?;
    let spare = given_up(slots, &sold, own_address(job, &host), &host);
    if spare.is_empty() {
        log::warn!("service {}: {count} addresses more than ordered, but none was given up; they stay", job.service.id);
        return Ok(host);
    }
    for ip in spare.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
        remove_v4(job, host.id, ip)?;
    }
    job.vm()
}

/// IPv4 addresses of the VM that were sold and that no slot holds any more, the service's own aside; none when no slot
/// holds any.
pub fn given_up<'a>(slots: &[Slot], sold: &[String], own: Option<&str>, host: &'a Host) -> Vec<&'a str> {
    let held: HashSet<&str> = slots.iter().filter_map(|slot| slot.address.as_deref()).collect();
    let is_spare = |ip: &&str| sold.iter().any(|known| known == ip) && !held.contains(ip) && Some(*ip) != own;
    let spare = host.ip4.iter().map(|address| address.ip.as_str()).filter(is_spare);
    if held.is_empty() { Vec::new() } else { spare.collect() }
}

/// Addresses of the VM that [`fill_slots`] would put into free slots.
pub fn unrecorded<'a>(slots: &[Slot], host: &'a Host) -> Vec<&'a str> {
    let (held, mut found) = (held(slots), Vec::new());
    for (v6, list) in [(false, &host.ip4), (true, &host.ip6)] {
        let free = slots.iter().filter(|slot| slot.free && slot.v6 == v6).count();
        let open = list.iter().map(HostIp::bare).filter(|ip| !ip.is_empty() && !held.contains(ip));
        found.extend(open.take(free));
    }
    found
}

/// Slots in use whose address the VM does not have.
pub fn stale<'a>(slots: &'a [Slot], host: &Host) -> Vec<&'a Slot> {
    slots.iter().filter(|slot| !slot.free && slot.address.as_deref().is_some_and(|ip| !host.has_address(ip))).collect()
}

/// Takes an address from the VM, unless it is gone or an interrupted run has asked for that.
fn remove_v4(job: &Job, host: VmId, ip: &str) -> Result<()> {
    let gone = |host: &Host| host.ip4.iter().all(|address| address.ip != ip);
    let vm = job.before_asking(host, gone)?;
    let known = job.vmm.ipv4(host)?;
    let Some(found) = known.iter().find(|address| address.ip_addr == ip) else { return Ok(()) };
    refuse_snapshots(&vm, FEWER)?;
    tariff_change::begin(job, &vm)?;
    log::info!("service {}: {ip} is taken from the VM", job.service.id);
    fault::point("addresses.before_request");
    let outcome = job.vmm.delete_ip(found.id);
    fault::point("addresses.after_request");
    let host = job.finish_and_watch(host, outcome, gone)?;
    if gone(&host) {
        return Ok(());
    }
    let text = format!("VMmanager still lists {ip} at VM {}; the next try takes it again", host.id);
    Err(Error::new(Kind::Vm6Timeout, "ip", text))
}

/// IPv6 on or off, and the length of the client's network, where the tariff says something about it.
fn apply_v6(job: &Job, order: &Order, host: Host) -> Result<Host> {
    let Some(wanted) = order.ipv6 else { return Ok(host) };
    let has = !host.ip6.is_empty();
    if wanted == has && (!wanted || has_prefix(job, &host, order.ipv6_prefix)?) {
        return Ok(host);
    }
    let host = switch_v6(job, &host, wanted, order.ipv6_prefix)?;
    match order.ipv6_prefix {
        Some(prefix) if wanted && !has_prefix(job, &host, Some(prefix))? => {
            Err(missed(&host, &format!("an IPv6 network of {prefix} bits, VMmanager has kept the old one")))
        }
        _ => Ok(host),
    }
}

fn has_prefix(job: &Job, host: &Host, wanted: Option<u64>) -> Result<bool> {
    match wanted {
        Some(wanted) => Ok(job.vmm.ipv6(host.id)?.ipv6_prefix.is_none_or(|is| is == wanted)),
        None => Ok(true),
    }
}

fn switch_v6(job: &Job, host: &Host, on: bool, prefix: Option<u64>) -> Result<Host> {
    refuse_snapshots(host, if on { MORE } else { FEWER })?;
    tariff_change::begin(job, host)?;
    fault::point("addresses.before_request");
    let outcome = job.vmm.set_ipv6(host.id, on, prefix);
    fault::point("addresses.after_request");
    let switched = |host: &Host| host.ip6.is_empty() != on;
    let host = job.finish_and_watch(host.id, outcome, switched)?;
    if switched(&host) { Ok(host) } else { Err(missed(&host, if on { "IPv6" } else { "no IPv6" })) }
}

/// The reverse names of the service's addresses follow the order; those of addresses that are not its own stay.
fn follow_domain(job: &Job, slots: &[Slot], host: &Host, domain: &str, known: Vec<Ipv4>) -> Result<()> {
    if host.ip4.is_empty() || !reverse_name::may_differ(job, host, domain)? {
        return Ok(());
    }
    let is_known = |ip: &HostIp| known.iter().any(|known| known.ip_addr == ip.ip);
    let known = if host.ip4.iter().all(is_known) { known } else { job.vmm.ipv4(host.id)? };
    let mut its: HashSet<&str> = slots.iter().filter_map(|slot| slot.address.as_deref()).collect();
    its.extend(own_address(job, host));
    its.extend(unrecorded(slots, host));
    let apart = interfaces::apart(host, &known);
    let is_its = |address: &&Ipv4| its.contains(address.ip_addr.as_str()) && !apart.contains(&address.ip_addr.as_str());
    reverse_name::follow(job, host, domain, &known.iter().filter(is_its).collect::<Vec<_>>()).map(drop)
}

/// A slot was bought: an address for it. `slot` is nothing when the panel did not say which one.
pub fn add(job: &Job, slot: Option<u64>) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    if let Some(used) = slots.iter().find(|s| !s.free && Some(s.id) == slot) {
        return confirm(job, used);
    }
    let free: Vec<Slot> = slots.into_iter().filter(|s| s.free && slot.is_none_or(|id| s.id == id)).collect();
    if free.is_empty() {
        log::info!("service {}: no slot waits for an address", job.service.id);
    }
    free.iter().try_for_each(|slot| fill(job, slot))
}

/// The slot has its address already, from `setparam` or an interrupted run: BILLmanager is only called once more, because
/// the operation ends with that [protocol 3.13].
fn confirm(job: &Job, slot: &Slot) -> Result<()> {
    let (host, ip) = (job.vm()?, slot.address.as_deref().unwrap_or_default());
    if host.has_address(ip) {
        return job.panel.commit_slot(slot.id);
    }
    let text = format!("slot {} holds {ip}, which VM {} does not have", slot.id, host.id);
    Err(Error::new(Kind::BadParam, "ip", text).cure("give the slot up or sync it"))
}

/// Gives a slot an address that the VM has but no slot holds (an interrupted run leaves one), else a new one, which is
/// taken back when BILLmanager refuses it.
fn fill(job: &Job, slot: &Slot) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    let host = job.vm()?;
    let (host, address, fresh) = if let Some(address) = spare(job, &host, &slots, slot)? {
        (host, address, false)
    } else {
        let host = another(job, &host, slot)?;
        let address = spare(job, &host, &slots, slot)?.ok_or_else(|| missed(&host, "an address for the slot"))?;
        (host, address, true)
    };
    let address = with_ptr(job, &host, address)?;
    let refused = match job.panel.fill_slot(slot.id, &address) {
        Ok(()) => return remember_sold(job, &job.panel.slots(job.service.id)?, &host),
        Err(error) => error,
    };
    if fresh && !slot.v6 && !refused.is_unreachable_panel() {
        remove_v4(job, host.id, &address.ip)?;
        return Err(refused.and(format!("the address {} was taken from the VM again", address.ip)));
    }
    Err(refused)
}

/// Asks for one more address of the slot's family; the VM as it is then.
fn another(job: &Job, host: &Host, slot: &Slot) -> Result<Host> {
    if slot.v6 {
        return switch_v6(job, host, true, None);
    }
    add_v4(job, &Order::read(&job.service)?, host.id, host.ip4.len() as u64 + 1)
}

/// An address of the slot's family that no other slot holds; the one already written into the slot first.
fn spare(job: &Job, host: &Host, slots: &[Slot], slot: &Slot) -> Result<Option<Address>> {
    let held = held(slots);
    let list = if slot.v6 { v6(host) } else { v4(host, &job.vmm.ipv4(host.id)?) };
    let mut open: Vec<Address> = list.into_iter().filter(|a| !held.contains(a.ip.as_str())).collect();
    open.sort_by_key(|address| slot.address.as_deref() != Some(&address.ip));
    Ok(open.into_iter().next())
}

/// The reverse name of a bought address is the service's domain.
fn with_ptr(job: &Job, host: &Host, mut address: Address) -> Result<Address> {
    let Some(domain) = job.service.param("domain").and_then(crate::service::order::host_name::host_name) else {
        return Ok(address);
    };
    if address.domain == domain || address.ip.contains(':') {
        return Ok(address);
    }
    let known = job.vmm.ipv4(host.id)?;
    let its: Vec<&Ipv4> = known.iter().filter(|known| known.ip_addr == address.ip).collect();
    if reverse_name::follow(job, host, &domain, &its)? {
        address.domain = domain;
    }
    Ok(address)
}

/// A slot was given up: its address leaves the VM, then the slot is freed.
pub fn remove(job: &Job, slot: u64) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    let Some(found) = slots.iter().find(|s| s.id == slot) else {
        let text = format!("{slot} is no IP slot of service {}", job.service.id);
        return Err(Error::new(Kind::BadParam, "ip", text));
    };
    if let Some(ip) = &found.address {
        take(job, ip, found.v6)?;
    }
    job.panel.free_slot(slot)
}

fn take(job: &Job, ip: &str, v6: bool) -> Result<()> {
    let host = job.vm()?;
    if own_address(job, &host) == Some(ip) {
        let text = format!("{ip} is the main address of VM {} and cannot be removed", host.id);
        return Err(Error::new(Kind::BadParam, "ip", text));
    }
    if !v6 {
        return remove_v4(job, host.id, ip);
    }
    if host.ip6.iter().any(|address| address.bare() == ip) {
        switch_v6(job, &host, false, None)?;
    }
    Ok(())
}
