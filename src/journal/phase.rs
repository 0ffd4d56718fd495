//! How far the opening or the removal of a VM has come, with its word in the database.

/// How far an opening or a deletion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A VM is wanted; nothing was sent.
    Intended,
    /// The request is about to be sent, was sent, or its answer was lost.
    Requested,
    /// VMmanager named the VM.
    Accepted,
    /// The VM is complete.
    Ready,
    /// VMmanager refused; nothing exists.
    Refused,
    /// Its removal is about to be sent or was sent.
    Deleting,
    /// VMmanager confirmed that it is gone.
    Deleted,
}

impl Phase {
    const ALL: [(Phase, &'static str); 7] = [
        (Phase::Intended, "intended"),
        (Phase::Requested, "requested"),
        (Phase::Accepted, "accepted"),
        (Phase::Ready, "ready"),
        (Phase::Refused, "refused"),
        (Phase::Deleting, "deleting"),
        (Phase::Deleted, "deleted"),
    ];

    /// Every phase, in the order of a life.
    pub fn all() -> impl Iterator<Item = Phase> {
        Self::ALL.into_iter().map(|(phase, _)| phase)
    }

    /// A creation is under way: its VM is not known to be complete.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Phase::Intended | Phase::Requested | Phase::Accepted)
    }

    /// The word in the database.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }

    pub(super) fn from_name(name: &str) -> Phase {
        // An unknown word can only come from a newer version: the careful reading is "something may exist".
        Self::ALL.iter().find(|(_, known)| *known == name).map_or(Phase::Requested, |(phase, _)| *phase)
    }
}
