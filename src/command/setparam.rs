//! `--command setparam --item N [--userid N] [--runningoperation N]` [protocol 3.9].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::order::Order;
use crate::service::vm::{addresses, backup_schedule, resize, tariff_change, unsupported};

/// Brings the VM in line with what is ordered now.
pub(super) fn run(job: &Job, call: &Invocation) -> Result<()> {
    let user = call.optional_id("userid").ok().flatten();
    tariff_change::end(job, user, change(job))
}

fn change(job: &Job) -> Result<()> {
    let order = Order::read(&job.service)?;
    let host = job.vm()?;
    let unsupported = unsupported::find(job, &order, Some(&host))?;
    addresses::refuse_if_impossible(job, &order, &host)?;
    let moves = backup_schedule::differs(job, &order, &host)?;
    let host = resize::apply(job, &order, host)?;
    let host = addresses::apply(job, &order, host)?;
    if moves {
        backup_schedule::apply(job, &order, &host)?;
    }
    unsupported::report(job, &unsupported);
    job.panel.post("service.postsetparam", job.service.id)
}
