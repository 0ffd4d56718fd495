//! One audit: two readings, and what is wrong in both.

use std::collections::BTreeSet;

use super::drift::Finding;
use super::reading::{self, Reading};
use super::{compare, strays};
use crate::error::Result;
use crate::id::ServiceId;
use crate::progress::Progress;
use crate::service::handler::HandlerJob;

/// The audit of one handler.
pub(crate) struct Audit {
    /// Active and suspended services.
    pub services: usize,
    /// VMs in the handler's cluster.
    pub vms: usize,
    /// Services that were left out, because an operation is under way.
    pub skipped: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Compares a handler's services with its VMmanager. Changes nothing.
pub(crate) fn run(job: &HandlerJob) -> Result<Audit> {
    let progress = Progress::new();
    let show = |text: &str| progress.show(&format!("handler {}: {text}", job.handler.id));
    let (first, mut skipped) = findings(job, None, &show)?;
    let mut audit = Audit { services: first.services, vms: first.vms, skipped: 0, findings: Vec::new() };
    if !first.findings.is_empty() {
        show("looking again at what differs");
        let suspects = first.findings.iter().filter_map(|finding| finding.service).collect();
        let (second, busy) = findings(job, Some(&suspects), &show)?;
        let seen: BTreeSet<_> = first.findings.iter().map(Finding::subject).collect();
        skipped.extend(busy.intersection(&suspects));
        audit.findings = second.findings.into_iter().filter(|finding| seen.contains(&finding.subject())).collect();
    }
    audit.skipped = skipped.len();
    audit.findings.sort_by_key(|finding| (finding.kind, finding.service, finding.vm));
    Ok(audit)
}

/// One reading and what differs in it: everything, or what concerns some services. And what was left out.
fn findings(
    job: &HandlerJob,
    only: Option<&BTreeSet<ServiceId>>,
    show: &dyn Fn(&str),
) -> Result<(Audit, BTreeSet<ServiceId>)> {
    let reading = Reading::take(job, show)?;
    let mut found = compare::services(job, &reading, only, show)?;
    found.extend(strays::vms(job, &reading)?);
    found.extend(reading.backups.gone(|vm| reading.hosts.contains_key(&vm)));
    let busy: BTreeSet<ServiceId> = reading.busy.union(&reading::busy(job)?).copied().collect();
    let concerned = |item: ServiceId| reading.open.contains_key(&item) || reading.marked.contains_key(&item);
    let skipped = busy.iter().copied().filter(|item| concerned(*item)).collect();
    found.retain(|finding| finding.service.is_none_or(|item| !busy.contains(&item)));
    let vms = reading.in_cluster().count();
    Ok((Audit { services: reading.open.len(), vms, skipped: 0, findings: found }, skipped))
}
