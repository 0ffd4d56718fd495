//! Speeds are capped when the included traffic of the month is used up, and given back when a new month begins.
//!
//! What BILLmanager's own setting for this is called inside is not documented, so two parameters of the tariff form of
//! this module say it: `overage_in_mbitps` and `overage_out_mbitps`. Traffic is included by direction (add-ons `in` and
//! `out`: each caps its own direction) or as one sum (`in out`, `traffic`: both are capped).
//!
//! A cap never restarts a VM. Where the speed cannot change while the VM runs, the change waits for the VM's next stop.
//! The journal holds the speeds of before from the moment a cap is about to be asked for.

use std::collections::HashMap;

use super::handler::HandlerJob;
use super::order::{Order, Sizes};
use super::traffic::Usage;
use super::{Job, resize};
use crate::error::{Error, Kind, Result};
use crate::journal::Cap;
use crate::log;
use crate::vmm::{Direction, Failure, Host, Resources};

/// Parameters of the tariff, `[in, out]`.
pub const PARAMETERS: [&str; 2] = ["overage_in_mbitps", "overage_out_mbitps"];

/// Speeds, `[in, out]` in Mbit/s; nothing where a direction is not capped.
pub type Speeds = [Option<u64>; 2];

/// Services whose speeds have to change, and the caps they shall have. A tariff with a wrong speed does not hold up the
/// others; what is not known changes nothing.
pub fn changes(job: &HandlerJob, usages: &[Usage]) -> Result<Vec<(u64, Speeds)>> {
    let caps: HashMap<u64, Cap> = job.journal.caps()?.into_iter().collect();
    let mut found = Vec::new();
    for usage in usages {
        let wanted = match wanted(job, usage) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => continue,
            Err(error) => {
                log::error!("service {}: its speeds stay as they are: {error}", usage.item);
                continue;
            }
        };
        let is_so = match caps.get(&usage.item) {
            Some(cap) => cap.settled && cap.speed == wanted,
            None => wanted == [None; 2],
        };
        if !is_so {
            found.push((usage.item, wanted));
        }
    }
    Ok(found)
}

/// The caps that a service deserves; nothing when its traffic is not known well enough to tell.
fn wanted(job: &HandlerJob, usage: &Usage) -> Result<Option<Speeds>> {
    let mut over = [false; 2];
    for (directions, included) in &usage.included {
        let counters = || directions.iter().map(|direction| usage.bytes[*direction as usize]);
        let used: u128 = counters().flatten().map(u128::from).sum();
        if used > *included {
            for direction in directions {
                over[*direction as usize] = true;
            }
        } else if counters().any(|counter| counter.is_none()) {
            return Ok(None);
        }
    }
    if over == [false; 2] {
        return Ok(Some([None; 2]));
    }
    let tariff = job.panel.tariff_params(usage.tariff)?;
    let mut caps = [None; 2];
    for at in 0..2 {
        let text = tariff.get(PARAMETERS[at]).map_or("", |value| value.trim());
        if over[at] && !text.is_empty() {
            let cap = text.parse::<u64>().map_err(|_| {
                let text =
                    format!("{} of tariff {} is \"{text}\", not a speed in Mbit/s", PARAMETERS[at], usage.tariff);
                Error::new(Kind::BadParam, PARAMETERS[at], text)
            })?;
            caps[at] = Some(cap).filter(|cap| *cap > 0);
        }
    }
    Ok(Some(caps))
}

/// Caps the speeds of a service's VM, or gives them back.
pub fn apply(job: &Job, wanted: Speeds) -> Result<()> {
    let (item, host) = (job.service.id, job.vm()?);
    let known = job.journal.cap(item)?.filter(|cap| cap.vm == host.id);
    let has = [host.net_in_mbitps, host.net_out_mbitps].map(Option::unwrap_or_default);
    let ordered = ordered(job, &host)?;
    let mut cap = Cap { vm: host.id, speed: wanted, before: has, settled: false };
    let mut send = [None; 2];
    for at in 0..2 {
        let capped = known.filter(|known| known.speed[at].is_some());
        cap.before[at] = capped.map_or(has[at], |known| known.before[at]);
        let normal = ordered[at].unwrap_or(cap.before[at]);
        // A client who has less than the cap keeps it; 0 is no limit.
        let target = wanted[at].map(|cap| if normal == 0 { cap } else { cap.min(normal) });
        let target = target.or(capped.map(|_| normal));
        send[at] = target.filter(|target| *target != has[at] || known.is_some_and(|known| !known.settled));
    }
    job.journal.save_cap(item, &cap)?;
    let resources = Resources { net_in_mbitps: send[0], net_out_mbitps: send[1], ..Resources::default() };
    if resources != Resources::default() {
        change(job, &host, &resources)?;
    }
    log::warn!("service {item}: speeds of VM {} in Mbit/s: {}", host.id, describe(&resources, wanted));
    if wanted == [None; 2] {
        return job.journal.drop_cap(item);
    }
    job.journal.save_cap(item, &Cap { settled: true, ..cap })
}

fn ordered(job: &Job, host: &Host) -> Result<Speeds> {
    let sizes = resize::sizes(job, &Order::read(&job.service)?, host)?;
    Ok([sizes.net_in_mbitps, sizes.net_out_mbitps])
}

/// At once where that is possible, else at the next stop; never a restart.
fn change(job: &Job, host: &Host, resources: &Resources) -> Result<()> {
    match job.vmm.change_resources(host.id, resources, false) {
        Ok(Some(task)) => job.vmm.wait(&task, job.limits().change).map(drop),
        Ok(None) => Ok(()),
        Err(Failure::Refused(error)) if error.kind == Kind::Vm6Api && host.state == Host::RUNNING => {
            log::info!(
                "service {}: not possible while VM {} runs ({error}); it waits for a stop",
                job.service.id,
                host.id
            );
            job.vmm.change_resources(host.id, resources, true).map(drop).map_err(Error::from)
        }
        Err(failure) => Err(failure.into()),
    }
}

fn describe(resources: &Resources, wanted: Speeds) -> String {
    let sent = [resources.net_in_mbitps, resources.net_out_mbitps];
    let line = |direction: Direction| {
        let at = direction as usize;
        let why = if wanted[at].is_some() { "the included traffic is used up" } else { "as ordered" };
        sent[at].map(|speed| format!("{} {speed} ({why})", direction.name()))
    };
    let lines: Vec<String> = Direction::BOTH.into_iter().filter_map(line).collect();
    if lines.is_empty() { "unchanged".to_owned() } else { lines.join(", ") }
}

/// Takes capped speeds out of what a tariff change wants: they come back with the new month, and a restart for their
/// sake would be a restart for nothing. A speed below the cap is a change of the client's own.
pub fn leave_capped(cap: Option<Cap>, host: &Host, mut sizes: Sizes) -> Sizes {
    let Some(cap) = cap.filter(|cap| cap.vm == host.id) else { return sizes };
    for (speed, cap) in [(&mut sizes.net_in_mbitps, cap.speed[0]), (&mut sizes.net_out_mbitps, cap.speed[1])] {
        *speed = speed.filter(|speed| cap.is_none_or(|cap| *speed < cap));
    }
    sizes
}
