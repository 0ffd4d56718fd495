//! `--command get_server_config --module N` [protocol 3.17]: keeps VMmanager's lists with the handler, for the forms.

use super::context::Context;
use super::form;
use crate::error::Result;
use crate::service::handler::HandlerJob;
use crate::service::handler::form_lists::Choices;

/// Reads clusters, VM configurations and pools, and keeps them.
pub(super) fn run(_: &Context, job: &HandlerJob) -> Result<()> {
    job.panel.cache_lists(job.handler.id, &form::to_cache(Choices::read(&job.vmm)?))
}
