//! Drift between BILLmanager's services and VMmanager's VMs: found, told and, where it is safe, repaired.
//!
//! Everything is read in whole lists, a VM or a service alone is never asked for. The two sides are read at different
//! times, so what looks wrong may only have changed meanwhile: it is read a second time, and only what is wrong in the
//! same way again is told. Services with an operation under way, before or after a reading, are left out and counted.
//!
//! Nothing is compared in a way of its own: what is wanted comes from [`crate::service::order`], what proves a VM from
//! [`crate::service::job::identity`], and sizes and addresses are judged by those who would change them.
//!
//! Not judged, because it would take a request for each VM: reverse names, the length of an IPv6 network, and on a
//! handler with an additional interface how many addresses a VM has.

mod compare;
mod reading;
mod repair;
mod strays;

use std::collections::BTreeSet;

use crate::error::Result;
use crate::id::ServiceId;
use crate::progress::Progress;
use crate::service::handler::HandlerJob;
use reading::Reading;

pub use repair::repair;

/// What is wrong; one word each, which programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "Kind::meaning says it")]
pub enum Kind {
    NoVm,
    ForeignVm,
    SharedVm,
    DuplicateMark,
    NoService,
    SuspendedRunning,
    Owner,
    AccountGone,
    LostMark,
    Panelid,
    Order,
    Size,
    Os,
    AddressCount,
    StaleSlot,
    Addresses,
    Name,
    State,
    UnsoldVm,
}

impl Kind {
    /// Every kind with its word and what it means, the gravest first.
    pub const ALL: [(Kind, &'static str, &'static str); 19] = [
        (Kind::NoVm, "no_vm", "an active or suspended service has no VM"),
        (Kind::ForeignVm, "foreign_vm", "BILLmanager names a VM that is not proved to be the service's"),
        (Kind::SharedVm, "shared_vm", "the same, and other services name that VM too"),
        (Kind::DuplicateMark, "duplicate_mark", "several VMs bear the mark of one service"),
        (Kind::NoService, "no_service", "a VM bears the mark of a service that is closed or does not exist"),
        (Kind::SuspendedRunning, "suspended_running", "the service is suspended, its VM runs"),
        (Kind::Owner, "owner", "the VM belongs to another account than the client's"),
        (Kind::AccountGone, "account_gone", "the client has no account in VMmanager any more"),
        (Kind::LostMark, "lost_mark", "the mark is gone from the VM's comment; the journal still proves the VM"),
        (Kind::Panelid, "panelid", "BILLmanager names no VM or one that is gone; the service's VM was found"),
        (Kind::Order, "order", "tariff or order cannot be understood"),
        (Kind::Size, "size", "cores, memory, disk or speeds differ from the order"),
        (Kind::Os, "os", "the VM has another OS template than BILLmanager says"),
        (Kind::AddressCount, "address_count", "the VM has more or fewer addresses than ordered"),
        (Kind::StaleSlot, "stale_slot", "an IP slot holds an address that the VM does not have"),
        (Kind::Addresses, "addresses", "BILLmanager lacks an address of the VM, in a free IP slot or as the main one"),
        (Kind::Name, "name", "BILLmanager has another name of the VM"),
        (Kind::State, "state", "note: an active service's VM does not run; its client may have stopped it"),
        (Kind::UnsoldVm, "unsold_vm", "note: a client's VM in the cluster without mark and service"),
    ];

    /// Kinds that are repaired on request: nothing is created, deleted or restarted for them, no disk shrinks.
    pub const SAFE: [Kind; 7] =
        [Kind::SuspendedRunning, Kind::LostMark, Kind::Panelid, Kind::Size, Kind::Os, Kind::Addresses, Kind::Name];

    /// The word.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// The safe kind with this word.
    pub fn safe(name: &str) -> Option<Kind> {
        Self::SAFE.into_iter().find(|kind| kind.name() == name)
    }

    /// Worth knowing, but nothing that is wrong for certain.
    pub fn is_note(self) -> bool {
        matches!(self, Kind::State | Kind::UnsoldVm)
    }
}

/// What a person can do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// `audit --repair`.
    Safe,
    /// A panel command of the module: its arguments.
    Module(String),
    /// Another operator command: its arguments.
    Operator(String),
    /// A function of BILLmanager: its name and arguments.
    Panel(String),
    /// No command does it.
    ByHand(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The service; nothing for a VM without one.
    pub service: Option<ServiceId>,
    /// The VM; nothing for a service without one.
    pub vm: Option<u64>,
    /// What is.
    pub is: String,
    /// What should be.
    pub should: String,
    /// What to do.
    pub remedy: Remedy,
}

impl Finding {
    /// What is wrong with what, whatever the details.
    pub fn subject(&self) -> (Kind, Option<ServiceId>, Option<u64>) {
        (self.kind, self.service, self.vm)
    }
}

/// The audit of one handler.
pub struct Audit {
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
pub fn run(job: &HandlerJob) -> Result<Audit> {
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
    let busy: BTreeSet<ServiceId> = reading.busy.union(&reading::busy(job)?).copied().collect();
    let concerned = |item: ServiceId| reading.open.contains_key(&item) || reading.marked.contains_key(&item);
    let skipped = busy.iter().copied().filter(|item| concerned(*item)).collect();
    found.retain(|finding| finding.service.is_none_or(|item| !busy.contains(&item)));
    let vms = reading.in_cluster().count();
    Ok((Audit { services: reading.open.len(), vms, skipped: 0, findings: found }, skipped))
}
