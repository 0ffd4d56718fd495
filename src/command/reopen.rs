//! `--command reopen --item N [--runningoperation N]` [protocol 3.6].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::open;

/// Repairs or finishes an opening.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    open::reopen(job)
}
