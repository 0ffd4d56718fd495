//! Addresses of a VM on their way into BILLmanager's IP slots.

use std::collections::HashSet;

use super::Job;
use crate::error::Result;
use crate::log;
use crate::panel::{Address, Slot};
use crate::vmm::Host;

/// The address that stands for the service: the first IPv4, else the first IPv6.
pub fn main_address(host: &Host) -> Option<&str> {
    let literal = |list: &'_ [crate::vmm::HostIp]| list.iter().position(|a| !a.ip.is_empty());
    literal(&host.ip4)
        .map(|at| host.ip4[at].ip.as_str())
        .or_else(|| literal(&host.ip6).map(|at| bare(&host.ip6[at].ip)))
}

/// BILLmanager's `ip` takes a bare literal; VMmanager may give a network.
fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or_default()
}

/// Puts every address of the VM that no slot holds yet into a free slot of its family.
pub fn fill_slots(job: &Job, host: &Host) -> Result<()> {
    let slots = job.panel.slots(job.service.id)?;
    if !slots.iter().any(|slot| slot.free) {
        return Ok(());
    }
    let held: HashSet<&str> = slots.iter().filter(|s| !s.free).filter_map(|s| s.address.as_deref()).collect();
    let (v4, v6) = (v4(job, host)?, v6(host));
    for (family, addresses) in [(false, v4), (true, v6)] {
        let mut free: Vec<&Slot> = slots.iter().filter(|slot| slot.free && slot.v6 == family).collect();
        let mut open: Vec<Address> = addresses.into_iter().filter(|a| !held.contains(a.ip.as_str())).collect();
        // A slot that a crash left with its address but without the commit keeps that address.
        free.sort_by_key(|slot| slot.address.is_none());
        for slot in free {
            let own = slot.address.as_deref().and_then(|ip| open.iter().position(|a| a.ip == ip));
            let at = own.or((!open.is_empty()).then_some(0));
            let Some(address) = at.map(|at| open.remove(at)) else { break };
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

/// IPv4 with mask and gateway, the main address first.
fn v4(job: &Job, host: &Host) -> Result<Vec<Address>> {
    if host.ip4.is_empty() {
        return Ok(Vec::new());
    }
    let details = job.vmm.ipv4(host.id)?;
    let address = |ip: &str| {
        let known = details.iter().find(|d| d.ip_addr == ip);
        let text = |read: fn(&crate::vmm::Ipv4) -> &String| known.map(read).cloned().unwrap_or_default();
        Address {
            ip: ip.to_owned(),
            mask: text(|d| &d.mask),
            gateway: text(|d| &d.gateway),
            domain: text(|d| &d.domain),
        }
    };
    Ok(host.ip4.iter().filter(|a| !a.ip.is_empty()).map(|a| address(&a.ip)).collect())
}

fn v6(host: &Host) -> Vec<Address> {
    let address = |ip: &str| Address { ip: bare(ip).to_owned(), ..Address::default() };
    host.ip6.iter().filter(|a| !a.ip.is_empty()).map(|a| address(&a.ip)).collect()
}
