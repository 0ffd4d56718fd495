//! `--command sync_server --module N` [protocol 3.16].

use super::context::Context;
use crate::error::Result;
use crate::service::handler::{HandlerJob, lists, schedules};

/// Keeps the OS templates, recipes and backup schedules that can be ordered equal to VMmanager's.
pub(super) fn run(_: &Context, job: &HandlerJob) -> Result<()> {
    lists::sync(job)?;
    schedules::offer(job)
}
