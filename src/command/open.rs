//! `--command open --item N [--runningoperation N]` [protocol 3.5].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::open;

/// Makes the VM of a paid order, or finishes making it.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    open::open(job)
}
