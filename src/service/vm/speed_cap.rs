//! Caps on the speeds of a VM whose included traffic is used up.
//!
//! A cap never restarts a VM. Where the speed cannot change while the VM runs, the change waits for the VM's next stop.
//! The journal holds the speeds of before from the moment a cap is about to be asked for.

use super::sizes;
use crate::direction::{Direction, PerDirection};
use crate::error::{Error, Kind, Result};
use crate::journal::Cap;
use crate::log;
use crate::service::job::Job;
use crate::service::order::{Order, Sizes};
use crate::vmm::{Failure, Host, HostState, Resources};

/// Speeds in Mbit/s; nothing where a direction is not capped.
pub(crate) type Speeds = PerDirection<Option<u64>>;

/// Caps the speeds of a service's VM, or gives them back.
pub(crate) fn apply(job: &Job, wanted: Speeds) -> Result<()> {
    let (item, host) = (job.service.id, job.vm()?);
    let known = job.journal.cap(item)?.filter(|cap| cap.vm == host.id);
    let has = PerDirection { incoming: host.net_in_mbitps, outgoing: host.net_out_mbitps };
    let has = has.map(Option::unwrap_or_default);
    let ordered = ordered(job, &host)?;
    let mut cap = Cap { vm: host.id, speed: wanted, before: has, settled: false };
    let (mut send, mut override_waiting) = (Speeds::default(), Speeds::default());
    for at in Direction::BOTH {
        let capped = known.filter(|known| known.speed[at].is_some());
        cap.before[at] = capped.map_or(has[at], |known| known.before[at]);
        let normal = ordered[at].unwrap_or(cap.before[at]);
        // A client who has less than the cap keeps it; 0 is no limit.
        let target = wanted[at].map(|cap| if normal == 0 { cap } else { cap.min(normal) });
        let target = target.or(capped.map(|_| normal));
        send[at] = target.filter(|target| *target != has[at] || known.is_some_and(|known| !known.settled));
        // The cap that is over never came: it may wait for a stop, which nothing shows.
        override_waiting[at] = capped.and(target).filter(|_| wanted[at].is_none() && send[at].is_none());
    }
    job.journal.save_cap(item, &cap)?;
    let resources = resources(send);
    if resources != Resources::default() {
        change(job, &host, &resources)?;
    }
    if override_waiting != Speeds::default() && host.state == HostState::Running {
        job.vmm.change_resources(host.id, &self::resources(override_waiting), true)?;
    }
    log::warn!("service {item}: speeds of VM {} in Mbit/s: {}", host.id, describe(&resources, wanted));
    if wanted == Speeds::default() {
        return job.journal.drop_cap(item);
    }
    job.journal.save_cap(item, &Cap { settled: true, ..cap })
}

fn resources(speeds: Speeds) -> Resources {
    Resources { net_in_mbitps: speeds.incoming, net_out_mbitps: speeds.outgoing, ..Resources::default() }
}

fn ordered(job: &Job, host: &Host) -> Result<Speeds> {
    let sizes = sizes::sizes(job, &Order::read(&job.service)?, host)?;
    Ok(PerDirection { incoming: sizes.net_in_mbitps, outgoing: sizes.net_out_mbitps })
}

/// At once where that is possible, else at the next stop; never a restart.
fn change(job: &Job, host: &Host, resources: &Resources) -> Result<()> {
    match job.finish(job.vmm.change_resources(host.id, resources, false), job.limits().change) {
        Ok(_) => Ok(()),
        Err(Failure::Refused(error))
            if matches!(error.kind, Kind::Vm6Api | Kind::Vm6Task) && host.state == HostState::Running =>
        {
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
    let sent = PerDirection { incoming: resources.net_in_mbitps, outgoing: resources.net_out_mbitps };
    let line = |direction: Direction| {
        let why = if wanted[direction].is_some() { "the included traffic is used up" } else { "as ordered" };
        sent[direction].map(|speed| format!("{} {speed} ({why})", direction.name()))
    };
    let lines: Vec<String> = Direction::BOTH.into_iter().filter_map(line).collect();
    if lines.is_empty() { "unchanged".to_owned() } else { lines.join(", ") }
}

/// Takes capped speeds out of what a tariff change wants: they come back with the new month, and a restart for their
/// sake would be a restart for nothing. A speed below the cap is a change of the client's own.
pub(crate) fn leave_capped(cap: Option<Cap>, host: &Host, mut sizes: Sizes) -> Sizes {
    let Some(cap) = cap.filter(|cap| cap.vm == host.id) else { return sizes };
    for (speed, cap) in
        [(&mut sizes.net_in_mbitps, cap.speed.incoming), (&mut sizes.net_out_mbitps, cap.speed.outgoing)]
    {
        *speed = speed.filter(|speed| cap.is_none_or(|cap| *speed < cap));
    }
    sizes
}
