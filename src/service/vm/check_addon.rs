//! Questions of the order and edit forms: may this parameter or add-on have this value? If uncertain, the answer is yes:
//! the operation itself will refuse what is impossible, a form must not refuse what is possible [protocol 3.22].

use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::order::addons::{Addon, DISK, IPV4, SCHEDULE};
use crate::service::order::host_name::{bad_domain, host_name};
use crate::service::order::ssh_key::{self, SshKey};
use crate::service::order::{quantity, recipe};
use crate::service::platform::capacity;
use crate::service::vm::backup_schedule;

/// A parameter of the order.
pub(crate) fn param(name: &str, value: &str) -> Result<()> {
    match name {
        "domain" if !value.trim().is_empty() && host_name(value).is_none() => Err(bad_domain(value)),
        ssh_key::PARAM => SshKey::read(value).map(drop),
        _ if name.starts_with(recipe::PREFIX) => recipe::check(name, value),
        _ => Ok(()),
    }
}

/// An add-on of an existing service, `value` in the add-on's unit: why it is certainly impossible, if it is. An error
/// is a doubt, whatever its kind.
pub(crate) fn addon(job: &Job, name: &str, value: &str) -> Result<Option<Error>> {
    let is = |row: &'static Addon| Addon::of_key(name) == Some(row);
    if is(&SCHEDULE) {
        return backup_schedule::impossible(job, value);
    }
    let (Ok(value), Some(host)) = (value.trim().parse::<u64>(), job.locate()?) else { return Ok(None) };
    if is(&DISK) {
        let has = host.disk.and_then(|disk| disk.size_mib).unwrap_or_default();
        let asked = quantity(&job.service, name, value)?;
        let text = || format!("the disk of VM {} has {has} MiB and cannot shrink to {asked} MiB", host.id);
        return Ok((asked < has).then(|| Error::new(Kind::DiskShrink, name, text())));
    }
    if is(&IPV4) {
        let more = value.saturating_sub(host.ip4.len() as u64);
        let place = job.place()?;
        let left =
            capacity::free_ipv4(&capacity::pools(&job.vmm, place.cluster, &place.pools)?).filter(|&left| left < more);
        let text = |left| format!("{more} more addresses are asked for, but the pools of the cluster have {left} left");
        return Ok(left.map(|left| Error::new(Kind::BadParam, name, text(left))));
    }
    Ok(None)
}
