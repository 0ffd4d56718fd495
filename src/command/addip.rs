//! `--command addip --item N [slot]` [protocol 3.13]. How the panel names the slot is not known for sure [protocol 7.1].

use crate::cli::Invocation;
use crate::error::Result;
use crate::service::{Job, addresses};

/// Arguments that may hold the id of the slot, the likely ones first.
const SLOT_ARGUMENTS: [&str; 8] = ["ip", "ip_id", "ipid", "param", "value", "id", "elid", "addon"];

/// Gives a bought slot its address.
pub fn run(job: &Job, call: &Invocation) -> Result<()> {
    addresses::add(job, slot(job, call)?)
}

/// The first argument that names a slot of this service.
pub fn slot(job: &Job, call: &Invocation) -> Result<Option<u64>> {
    let slots = job.panel.slots(job.service.id)?;
    let named = SLOT_ARGUMENTS.iter().filter_map(|name| call.text(name)?.trim().parse::<u64>().ok());
    Ok(named.into_iter().find(|id| slots.iter().any(|slot| slot.id == *id)))
}
