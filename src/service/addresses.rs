//! Addresses of a VM and BILLmanager's IP slots.
//!
//! Addresses belong to VMmanager; a slot only records one. What is recorded in a slot was sold to the client and is
//! removed only when he gives up that slot. The main address, the first one, is never removed while the VM lives.

use std::collections::HashSet;

use super::order::{Order, Place};
use super::{Job, Sign, look_pause};
use crate::error::{Error, Kind, Result};
use crate::panel::{Address, Slot};
use crate::vmm::{Failure, Host, HostIp, Ipv4, Outcome, Task};
use crate::{fault, log};

/// What the journal calls a request for one more address.
const ADDRESS: &str = "address";

/// The address that stands for the service: the first IPv4, else the first IPv6.
pub fn main_address(host: &Host) -> Option<&str> {
    fn first(list: &[HostIp]) -> Option<&str> {
        list.iter().map(|address| bare(&address.ip)).find(|ip| !ip.is_empty())
    }
    first(&host.ip4).or_else(|| first(&host.ip6))
}

/// BILLmanager records a bare literal; VMmanager may give a network.
fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or_default()
}

/// Puts every address of the VM that no slot holds yet into a free slot of its family.
pub fn fill_slots(job: &Job, host: &Host) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    if !slots.iter().any(|slot| slot.free) {
        return Ok(());
    }
    let held = held(&slots);
    let v4 = if host.ip4.is_empty() { Vec::new() } else { v4(host, &job.vmm.ipv4(host.id)?) };
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
    host.ip4.iter().filter(|a| !a.ip.is_empty()).map(|a| address(&a.ip)).collect()
}

fn v6(host: &Host) -> Vec<Address> {
    let address = |ip: &str| Address { ip: bare(ip).to_owned(), ..Address::default() };
    host.ip6.iter().filter(|a| !a.ip.is_empty()).map(|a| address(&a.ip)).collect()
}

/// Brings the addresses to what is ordered now; returns the VM as it is then.
pub fn apply(job: &Job, order: &Order, host: Host) -> Result<Host> {
    let has = host.ip4.len() as u64;
    let mut changed = false;
    match order.ipv4 {
        Some(wanted) if wanted > has => {
            add_v4(job, &host, wanted - has, &job.place()?)?;
            changed = true;
        }
        Some(wanted) if wanted < has => changed |= give_up(job, &host, has - wanted.max(1))?,
        _ => job.journal.settled(job.service.id, ADDRESS)?,
    }
    changed |= apply_v6(job, order, &host)?;
    let host = if changed { job.vm()? } else { host };
    follow_domain(job, order, &host)?;
    fill_slots(job, &host)?;
    Ok(host)
}

fn add_v4(job: &Job, host: &Host, count: u64, place: &Place) -> Result<()> {
    let goal = host.ip4.len() as u64 + count;
    job.once(
        ADDRESS,
        host.id,
        |host| if host.ip4.len() as u64 >= goal { Sign::Reached } else { Sign::None },
        || {
            fault::point("addresses.before_request");
            let outcome = job.vmm.add_ipv4(host.id, count, &place.pools);
            fault::point("addresses.after_request");
            let unknown = matches!(outcome, Err(Failure::Unknown(_)));
            settle(job, outcome).map(|()| !unknown)
        },
    )?;
    let now = job.vm()?.ip4.len();
    if (now as u64) < goal {
        let text = format!("VM {} has {now} IPv4 addresses after {count} were asked for", host.id);
        return Err(Error::new(Kind::Vm6Task, format!("VM {}", host.id), text));
    }
    Ok(())
}

/// A lost answer is no failure yet: the caller reads the VM.
fn settle(job: &Job, outcome: Outcome<Option<Task>>) -> Result<()> {
    match outcome {
        Ok(Some(task)) => job.vmm.wait(&task, job.limits().change).map(drop),
        Ok(None) => Ok(()),
        Err(Failure::Unknown(error)) => {
            log::warn!("{error}; looking at the VM");
            std::thread::sleep(look_pause(std::time::Duration::ZERO));
            Ok(())
        }
        Err(Failure::Refused(error)) => Err(error),
    }
}

/// Removes up to `count` addresses that no slot holds. Without any slot it is not known which ones the client gave up.
fn give_up(job: &Job, host: &Host, count: u64) -> Result<bool> {
    let slots = job.panel.slots(job.service.id)?;
    let held: HashSet<&str> = slots.iter().filter_map(|slot| slot.address.as_deref()).collect();
    let spare: Vec<&str> = host.ip4.iter().skip(1).map(|a| a.ip.as_str()).filter(|ip| !held.contains(ip)).collect();
    if held.is_empty() || spare.is_empty() {
        log::warn!("service {}: {count} addresses more than ordered, but none was given up; they stay", job.service.id);
        return Ok(false);
    }
    let known = job.vmm.ipv4(host.id)?;
    let mut changed = false;
    for ip in spare.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
        changed |= remove_v4(job, ip, &known)?;
    }
    Ok(changed)
}

fn remove_v4(job: &Job, ip: &str, known: &[Ipv4]) -> Result<bool> {
    let Some(found) = known.iter().find(|address| address.ip_addr == ip) else { return Ok(false) };
    log::info!("service {}: {ip} is taken from the VM", job.service.id);
    fault::point("addresses.before_request");
    let outcome = job.vmm.delete_ip(found.id);
    fault::point("addresses.after_request");
    match settle(job, outcome) {
        // An earlier run may have asked for the same.
        Err(error) if job.vm()?.ip4.iter().any(|address| address.ip == ip) => Err(error),
        _ => Ok(true),
    }
}

/// IPv6 on or off, and the length of the client's network, where the tariff says something about it.
fn apply_v6(job: &Job, order: &Order, host: &Host) -> Result<bool> {
    let Some(wanted) = order.ipv6 else { return Ok(false) };
    let has = !host.ip6.is_empty();
    let same_prefix = || match (wanted, order.ipv6_prefix) {
        (true, Some(prefix)) => Ok(job.vmm.ipv6(host.id)?.ipv6_prefix.is_none_or(|is| is == prefix)),
        _ => Ok::<bool, Error>(true),
    };
    if wanted == has && same_prefix()? {
        return Ok(false);
    }
    settle(job, job.vmm.set_ipv6(host.id, wanted, order.ipv6_prefix))?;
    Ok(true)
}

/// VMmanager documents no way to change the host name of a VM; the reverse name of the main address follows the order.
fn follow_domain(job: &Job, order: &Order, host: &Host) -> Result<()> {
    let (Some(domain), Some(main)) = (&order.domain, host.ip4.first()) else { return Ok(()) };
    if host.domain == *domain {
        return Ok(());
    }
    let known = job.vmm.ipv4(host.id)?;
    match known.iter().find(|address| address.ip_addr == main.ip) {
        Some(address) if address.domain != *domain => settle(job, job.vmm.set_ptr(address.id, domain)),
        _ => Ok(()),
    }
}

/// A slot was bought: an address for it. `slot` is nothing when the panel did not say which one.
pub fn add(job: &Job, slot: Option<u64>) -> Result<()> {
    let free: Vec<Slot> = job.panel.slots(job.service.id)?.into_iter().filter(|s| s.free).collect();
    let chosen: Vec<&Slot> = free.iter().filter(|s| slot.is_none_or(|id| s.id == id)).collect();
    if chosen.is_empty() {
        log::info!("service {}: no slot waits for an address", job.service.id);
        return Ok(());
    }
    for slot in chosen {
        fill(job, slot)?;
    }
    Ok(())
}

/// Gives a slot an address that the VM has but no slot holds (an interrupted run leaves one), else a new one, which is
/// taken back when BILLmanager refuses it.
fn fill(job: &Job, slot: &Slot) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    let host = job.vm()?;
    let (address, host, fresh) = if let Some(address) = spare(job, &host, &slots, slot)? {
        job.journal.settled(job.service.id, ADDRESS)?;
        (address, host, false)
    } else {
        let host = another(job, &host, slot)?;
        let address = spare(job, &host, &slots, slot)?.ok_or_else(|| {
            let text = format!("VMmanager gave VM {} no new address for slot {}", host.id, slot.id);
            Error::new(Kind::Vm6Task, format!("VM {}", host.id), text)
        })?;
        (address, host, true)
    };
    let address = with_ptr(job, &host, address)?;
    let refused = match job.panel.fill_slot(slot.id, &address) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if fresh && !slot.v6 && !refused.is_unreachable_panel() {
        remove_v4(job, &address.ip, &job.vmm.ipv4(host.id)?)?;
        return Err(refused.and(format!("the address {} was taken from the VM again", address.ip)));
    }
    Err(refused)
}

/// Asks for one more address of the slot's family; the VM as it is then.
fn another(job: &Job, host: &Host, slot: &Slot) -> Result<Host> {
    if slot.v6 {
        settle(job, job.vmm.set_ipv6(host.id, true, None))?;
    } else {
        add_v4(job, host, 1, &job.place()?)?;
    }
    job.vm()
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
    let Some(domain) = job.service.param("domain").and_then(super::order::host_name) else { return Ok(address) };
    if address.domain == domain || address.ip.contains(':') {
        return Ok(address);
    }
    let known = job.vmm.ipv4(host.id)?;
    if let Some(found) = known.iter().find(|k| k.ip_addr == address.ip) {
        settle(job, job.vmm.set_ptr(found.id, &domain))?;
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
    if main_address(&host) == Some(ip) {
        let text = format!("{ip} is the main address of VM {} and cannot be removed", host.id);
        return Err(Error::new(Kind::BadParam, "ip", text));
    }
    if v6 {
        if host.ip6.iter().any(|address| bare(&address.ip) == ip) {
            settle(job, job.vmm.set_ipv6(host.id, false, None))?;
        }
        return Ok(());
    }
    let known = job.vmm.ipv4(host.id)?;
    if remove_v4(job, ip, &known)? && job.vm()?.ip4.iter().any(|address| address.ip == ip) {
        let text = format!("VMmanager still lists {ip} at VM {}; the slot stays until it is gone", host.id);
        return Err(Error::new(Kind::Vm6Timeout, "ip", text));
    }
    Ok(())
}
