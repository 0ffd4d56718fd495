//! `--command setparam --item N [--userid N] [--runningoperation N]` [protocol 3.9].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::order::Order;
use crate::service::vm::{addresses, resize};

/// Brings the VM in line with what is ordered now.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    let order = Order::read(&job.service)?;
    let host = resize::apply(job, &order, job.vm()?)?;
    addresses::apply(job, &order, host)?;
    job.panel.post("service.postsetparam", job.service.id)
}
