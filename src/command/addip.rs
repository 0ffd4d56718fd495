//! `--command addip --item N [slot]` [protocol 3.13]. How the panel names the slot is not known for sure
//! [protocol 7.1].

use super::invocation::Invocation;
use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::vm::addresses;

/// Arguments that may hold the id of the slot, the likely ones first.
const SLOT_ARGUMENTS: [&str; 8] = ["ip", "ip_id", "ipid", "param", "value", "id", "elid", "addon"];
/// The first of them can mean nothing but a slot; a number in the others may be about something else.
const SURE: usize = 3;

/// Gives a bought slot its address.
pub(super) fn run(job: &Job, call: &Invocation) -> Result<()> {
    addresses::add(job, slot(job, call)?)
}

/// The first argument that names a slot of this service; `bad_param` for a slot that is not this service's.
pub(super) fn slot(job: &Job, call: &Invocation) -> Result<Option<u64>> {
    let slots = job.panel.slots(job.service.id)?;
    let number = |name: &&str| call.text(name)?.trim().parse::<u64>().ok();
    if let Some(own) = SLOT_ARGUMENTS.iter().filter_map(number).find(|id| slots.iter().any(|slot| slot.id == *id)) {
        return Ok(Some(own));
    }
    match SLOT_ARGUMENTS[..SURE].iter().find_map(number) {
        Some(other) => {
            let text = format!("{other} is no IP slot of service {}", job.service.id);
            Err(Error::new(Kind::BadParam, "ip", text))
        }
        None => Ok(None),
    }
}
