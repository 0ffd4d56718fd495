//! `--command resume --item N [--runningoperation N]` [protocol 3.7].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::power;

/// Starts the VM of a service that is no longer suspended.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    power::resume(job)
}
