//! `--command delip --item N slot` [protocol 3.13].

use super::addip::slot;
use super::invocation::Invocation;
use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::vm::addresses;

/// Takes the address of a slot that was given up from the VM.
pub(super) fn run(job: &Job, call: &Invocation) -> Result<()> {
    let slot = slot(job, call)?.ok_or_else(|| {
        let text = format!("none of the arguments ({}) names an IP slot of service {}", call.names(), job.service.id);
        Error::new(Kind::BadParam, "ip", text)
    })?;
    addresses::remove(job, slot)
}
