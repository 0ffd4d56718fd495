//! Reverse names of a service's IPv4 addresses: they follow the domain of the order [api B9]. VMmanager documents no way to
//! change the host name of a VM, so its reverse names are all that can follow.
//!
//! A name that somebody has chosen stays: one is replaced that is empty, the VM's own, or was given by us. The journal
//! has ours from before the first request.

use crate::error::{Error, Result};
use crate::id::VmId;
use crate::log;
use crate::service::job::Job;
use crate::vmm::{Failure, Host, Ipv4};

/// How many of the names are remembered that a service had.
const REMEMBERED: usize = 5;

/// Whether the addresses of a VM may have to be asked for their names: a VM has its own from the beginning.
pub(super) fn may_differ(job: &Job, host: &Host, domain: &str) -> Result<bool> {
    let given = job.journal.reverse_names(job.service.id)?;
    Ok(host.ip4.len() > 1 || !is(&host.domain, domain) || given.last().is_some_and(|last| last != domain))
}

/// Gives those of the addresses the name that have another one which may be replaced; whether any got it.
pub(super) fn follow(job: &Job, host: &Host, domain: &str, addresses: &[&Ipv4]) -> Result<bool> {
    let item = job.service.id;
    let mut given = job.journal.reverse_names(item)?;
    let ours = |name: &str| name.is_empty() || is(name, &host.domain) || given.iter().any(|own| is(name, own));
    let others = addresses.iter().filter(|address| !is(&address.domain, domain));
    let (named, chosen): (Vec<&Ipv4>, Vec<&Ipv4>) = others.partition(|address| ours(&address.domain));
    for address in chosen {
        log::info!("service {item}: {} keeps its reverse name {}", address.ip_addr, address.domain);
    }
    if named.is_empty() {
        return Ok(false);
    }
    given.retain(|name| name != domain);
    given.push(domain.to_owned());
    let oldest = given.len().saturating_sub(REMEMBERED);
    let mark = job.mark.to_string();
    job.journal.name_addresses(job.subject(job.platform()?, &mark), &given[oldest..])?;
    named.into_iter().try_for_each(|address| name(job, host.id, address, domain))?;
    Ok(true)
}

fn is(name: &str, other: &str) -> bool {
    name.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

/// It is safe to ask twice for the same name.
fn name(job: &Job, host: VmId, address: &Ipv4, domain: &str) -> Result<()> {
    let ask = || job.finish(job.vmm.set_ptr(address.id, domain), job.limits().change);
    match ask() {
        Err(Failure::Unknown(error)) => {
            log::warn!("service {}: {error}; looking at {}", job.service.id, address.ip_addr);
            job.idle(host)?;
            let now = job.vmm.ipv4(host)?.into_iter().find(|known| known.id == address.id);
            if now.is_none_or(|now| is(&now.domain, domain)) {
                return Ok(());
            }
            ask().map(drop).map_err(Error::from)
        }
        outcome => outcome.map(drop).map_err(Error::from),
    }
}
