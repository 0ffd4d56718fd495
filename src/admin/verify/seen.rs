//! What was seen, and whether it is what the module assumes.

use serde::Serialize;

use crate::error::{Error, Kind};
use crate::log;

/// Whether an assumption holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Agrees {
    Yes,
    /// It does not.
    No,
    /// This VMmanager does not show it.
    Unknown,
}

pub(super) struct Seen {
    /// In words, without any client's data.
    pub what: String,
    /// Whether the assumption holds.
    pub agrees: Agrees,
    /// Whether this proves what the question may prove; nothing when it says neither.
    pub proves: Option<bool>,
}

impl Seen {
    pub(super) fn yes(what: impl Into<String>) -> Self {
        Seen { what: what.into(), agrees: Agrees::Yes, proves: None }
    }

    /// It does not.
    pub(super) fn no(what: impl Into<String>) -> Self {
        Seen { what: what.into(), agrees: Agrees::No, proves: None }
    }

    /// Nobody can say.
    pub(super) fn unknown(what: impl Into<String>) -> Self {
        Seen { what: what.into(), agrees: Agrees::Unknown, proves: None }
    }

    /// The same, and the question's proof with it.
    pub(super) fn proving(self, proves: bool) -> Self {
        Seen { proves: Some(proves), ..self }
    }

    /// The one or the other.
    pub(super) fn holds(holds: bool, what: impl Into<String>) -> Self {
        if holds { Seen::yes(what) } else { Seen::no(what) }
    }

    /// A refused or unreadable answer contradicts: the module makes the same request. A lost one says nothing. The text
    /// of an error may repeat anything that VMmanager sent, so it stays in the log.
    pub(super) fn unread(error: &Error) -> Self {
        log::warn!("{error}");
        let text = format!("{} at {}; the log says more", error.kind.name(), error.object);
        match error.kind {
            Kind::Vm6Api | Kind::Vm6Version | Kind::Vm6NotFound | Kind::Vm6Permission => Seen::no(text),
            _ => Seen::unknown(text),
        }
    }
}
