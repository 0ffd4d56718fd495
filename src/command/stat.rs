//! `--command stat --module N` [protocol 3.19]: run daily by BILLmanager.

use super::context::Context;
use crate::error::Result;
use crate::log;
use crate::service::handler::{HandlerJob, overage, traffic};
use crate::service::job::turn::Stay;
use crate::service::vm::speed_cap;

/// Records the traffic of all services up to yesterday, then caps the speeds of those that have used up theirs. The statistics are
/// complete by then: a VM whose speed cannot be changed now is tried again tomorrow.
pub(super) fn run(context: &Context, job: &HandlerJob) -> Result<()> {
    // A day that is long over cannot be counted any more [protocol A4].
    if let Some(date) = context.call.text("date") {
        log::info!("asked for the statistics of \"{date}\": VMmanager shows its counters only as they are now");
    }
    let usages = traffic::record(job)?;
    for (item, speeds) in overage::changes(job, &usages)? {
        let changed =
            context.turns.with_turn(item, "stat", Stay::ToTheEnd, |service| speed_cap::apply(service, speeds));
        if let Err(error) = changed {
            log::error!("service {item}: the speeds could not be changed: {error}");
        }
    }
    Ok(())
}
