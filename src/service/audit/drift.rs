//! The kinds of drift and what can be done about each.

use crate::id::{ServiceId, VmId};

/// What is wrong; one word each, which programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "DriftKind::meaning says it")]
pub(crate) enum DriftKind {
    NoVm,
    Platform,
    Client,
    HandedOver,
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
    Addon,
    Os,
    Backup,
    AddressCount,
    StaleSlot,
    Addresses,
    Name,
    State,
    UnsoldVm,
}

impl DriftKind {
    /// Every kind with its word and what it means, the most serious first.
    pub(crate) const ALL: [(DriftKind, &'static str, &'static str); 24] = [
        (DriftKind::NoVm, "no_vm", "an active or suspended service has no VM"),
        (DriftKind::Platform, "platform", "the handler leads to another VMmanager than the one the service lives on"),
        (
            DriftKind::Client,
            "client",
            "the VM was another client's when it was recorded: the service or its number changed hands",
        ),
        (DriftKind::HandedOver, "handed_over", "the service took the place of a closed one that still has the VM"),
        (DriftKind::ForeignVm, "foreign_vm", "BILLmanager names a VM that is not proved to be the service's"),
        (DriftKind::SharedVm, "shared_vm", "the same, and other services name that VM too"),
        (DriftKind::DuplicateMark, "duplicate_mark", "several VMs have the mark of one service"),
        (DriftKind::NoService, "no_service", "a VM has the mark of a service that is closed or does not exist"),
        (DriftKind::SuspendedRunning, "suspended_running", "the service is suspended, its VM runs"),
        (DriftKind::Owner, "owner", "the VM belongs to another account than the client's"),
        (DriftKind::AccountGone, "account_gone", "the client has no account in VMmanager any more"),
        (DriftKind::LostMark, "lost_mark", "the mark is gone from the VM's comment; the journal still proves the VM"),
        (DriftKind::Panelid, "panelid", "BILLmanager names no VM or one that is gone; the service's VM was found"),
        (DriftKind::Order, "order", "tariff or order cannot be understood"),
        (DriftKind::Size, "size", "cores, memory, disk, speeds, limits or modes differ from the order"),
        (
            DriftKind::Addon,
            "addon",
            "the VM has not what a paid add-on says, and VMmanager was not seen to change that",
        ),
        (DriftKind::Os, "os", "the VM has another OS template than BILLmanager says"),
        (DriftKind::Backup, "backup", "the VM is not in the backup schedule that is ordered, or in others too"),
        (DriftKind::AddressCount, "address_count", "the VM has more or fewer addresses than ordered"),
        (DriftKind::StaleSlot, "stale_slot", "an IP slot holds an address that the VM does not have"),
        (
            DriftKind::Addresses,
            "addresses",
            "BILLmanager lacks an address of the VM, in a free IP slot or as the main one",
        ),
        (DriftKind::Name, "name", "BILLmanager has another name of the VM"),
        (DriftKind::State, "state", "note: an active service's VM does not run; its client may have stopped it"),
        (DriftKind::UnsoldVm, "unsold_vm", "note: a client's VM in the cluster without mark and service"),
    ];

    /// Kinds that are repaired on request: nothing is created, deleted or restarted for them, no disk shrinks.
    pub(crate) const SAFE: [DriftKind; 8] = [
        DriftKind::SuspendedRunning,
        DriftKind::LostMark,
        DriftKind::Panelid,
        DriftKind::Size,
        DriftKind::Os,
        DriftKind::Backup,
        DriftKind::Addresses,
        DriftKind::Name,
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// The safe kind with this word.
    pub(crate) fn safe(name: &str) -> Option<DriftKind> {
        Self::SAFE.into_iter().find(|kind| kind.name() == name)
    }

    /// Worth knowing, but nothing that is wrong for certain.
    pub(crate) fn is_note(self) -> bool {
        matches!(self, DriftKind::State | DriftKind::UnsoldVm)
    }
}

/// What a person can do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
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
pub(crate) struct Finding {
    pub kind: DriftKind,
    /// The service; nothing for a VM without one.
    pub service: Option<ServiceId>,
    /// The VM; nothing for a service without one.
    pub vm: Option<VmId>,
    pub is: String,
    /// What should be.
    pub should: String,
    /// What to do.
    pub remedy: Remedy,
}

impl Finding {
    /// What is wrong with what, whatever the details.
    pub(crate) fn subject(&self) -> (DriftKind, Option<ServiceId>, Option<VmId>) {
        (self.kind, self.service, self.vm)
    }
}
