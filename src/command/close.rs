//! `--command close --item N [--runningoperation N]` [protocol 3.8].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::remove;

/// Removes the VM, frees the IP slots, ends the service.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    remove::close(job)
}
