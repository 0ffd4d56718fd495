//! `--command sync_item --item N` [protocol 3.15].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::sync;

/// Brings BILLmanager's picture of the service in line with VMmanager.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    sync::run(job)
}
