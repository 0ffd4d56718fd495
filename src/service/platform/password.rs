//! A stored password goes where it was entered for, and nowhere else.
//!
//! Staff with few rights may edit a handler without knowing its password; if the password followed the address, they could
//! have it sent to a server of their own. So a form that shows another address, user or TLS check than the stored ones
//! needs it typed; and an operation sends it only to where VMmanager accepted it before. What is remembered belongs to
//! one entry of the password: BILLmanager encrypts it anew whenever it is entered, and then the first place that accepts
//! it counts.

use secrecy::{ExposeSecret, SecretString};

use super::destination::Destination;
use crate::config::Config;
use crate::digest::{hmac_sha256, sha256};
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::journal::{Journal, PasswordPlace};
use crate::log;
use crate::panel::Handler;
use crate::settings::HandlerSettings;
use crate::vmm::Gate;

/// The password for settings that are to be tried out.
pub(crate) enum Password<'a> {
    /// Somebody has just typed it: it goes where he says.
    Typed(SecretString),
    /// It is stored with this handler.
    Stored(&'a Handler),
}

impl<'a> Password<'a> {
    /// What was typed, else the stored one if these are the settings that it is stored for.
    pub(crate) fn choose(typed: &str, settings: &HandlerSettings, stored: Option<&'a Handler>) -> Result<Self> {
        if !typed.is_empty() {
            return Ok(Password::Typed(typed.into()));
        }
        let stored = stored.filter(|handler| of(handler).is_some()).ok_or_else(missing)?;
        let kept = Destination::read(&HandlerSettings::read(&stored.params));
        let entered = Destination::read(settings)?;
        if kept.is_ok_and(|kept| kept == entered) {
            return Ok(Password::Stored(stored));
        }
        let text = "the stored password was entered for another address, user name or TLS check";
        Err(Error::new(Kind::MissingParam, "password", text).cure("enter the password again"))
    }

    pub(super) fn secret(&self) -> Result<SecretString> {
        match self {
            Password::Typed(typed) => Ok(typed.clone()),
            Password::Stored(handler) => of(handler).cloned().ok_or_else(missing),
        }
    }
}

/// The stored password, unless it is empty.
pub(super) fn of(handler: &Handler) -> Option<&SecretString> {
    handler.secrets.get("password").filter(|password| !password.expose_secret().is_empty())
}

pub(super) fn missing() -> Error {
    Error::new(Kind::MissingParam, "password", "the handler has no password for VMmanager")
}

/// Holds a stored password back where nobody has entered it for.
pub(super) struct StoredGate {
    config: Config,
    handler: HandlerId,
    /// Which entry of the password it is.
    entry: String,
    here: PasswordPlace,
    /// Whether it is remembered where the password is accepted.
    records: bool,
}

impl StoredGate {
    pub(super) fn new(config: &Config, handler: &Handler, destination: &Destination, records: bool) -> Self {
        let (address, username) = (destination.address(), destination.username.clone());
        let parts = [&address, &username, &destination.tls()].map(|part| sha256(part.as_bytes()));
        let hash = hmac_sha256(handler.entry.as_bytes(), parts.concat().as_bytes());
        // The journal holds neither the key of the one hash nor the text of the other.
        let entry = sha256(handler.entry.as_bytes());
        let here = PasswordPlace { hash, address, username };
        StoredGate { config: config.clone(), handler: handler.id, entry, here, records }
    }

    fn refusal(&self, before: &PasswordPlace) -> Error {
        let (handler, here) = (self.handler, &self.here);
        let change = if (&before.address, &before.username) == (&here.address, &here.username) {
            "its TLS check has changed since".to_owned()
        } else {
            format!("the handler now names {} and {}", here.address, here.username)
        };
        let text = format!(
            "the password of handler {handler} was not sent: it was entered for {} and {}, and {change}",
            before.address, before.username
        );
        let cure = format!("if the change is right, enter the password again in the form of handler {handler}");
        Error::new(Kind::MissingParam, "password", text).cure(cure)
    }
}

impl Gate for StoredGate {
    fn may_pass(&self) -> Result<()> {
        let Some(journal) = Journal::existing(&self.config)? else { return Ok(()) };
        match journal.password_place(&self.entry)? {
            Some(before) if before.hash != self.here.hash => Err(self.refusal(&before)),
            _ => Ok(()),
        }
    }

    fn passed(&self) {
        if !self.records {
            return;
        }
        let recorded = Journal::open(&self.config).and_then(|journal| match journal.password_place(&self.entry)? {
            Some(_) => Ok(()),
            None => journal.note_password_place(&self.entry, &self.here),
        });
        if let Err(error) = recorded {
            log::warn!("{error}; it is not remembered where the password of handler {} was accepted", self.handler);
        }
    }
}
