//! Where a handler's settings lead: which address, as whom, and how the server there is known.

use crate::error::Result;
use crate::settings::{HandlerSettings, TlsVerify};
use crate::vmm::{Endpoint, Trust};

/// To whom a password is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) endpoint: Endpoint,
    /// The administrator's e-mail.
    pub(super) username: String,
    pub(super) trust: Trust,
}

impl Destination {
    /// The first setting that is missing or wrong is the error.
    pub(super) fn read(settings: &HandlerSettings) -> Result<Self> {
        Ok(Destination { endpoint: address(settings)?, username: settings.username.clone()?, trust: trust(settings)? })
    }

    /// The address as it was typed, in its one form.
    pub(super) fn address(&self) -> String {
        format!("{}{}", self.endpoint.origin, self.endpoint.path)
    }

    /// How the server is known, as a text: no two ways have the same.
    pub(super) fn tls(&self) -> String {
        format!("{:?}", self.trust)
    }
}

pub(super) fn address(settings: &HandlerSettings) -> Result<Endpoint> {
    Endpoint::parse(settings.url.as_deref().map_err(Clone::clone)?)
}

/// The fingerprint counts only where it is used.
pub(super) fn trust(settings: &HandlerSettings) -> Result<Trust> {
    Ok(match settings.tls_verify.clone()? {
        TlsVerify::System => Trust::System,
        TlsVerify::Pinned => Trust::Pinned(settings.tls_fingerprint.clone()?),
        TlsVerify::Off => Trust::Off,
    })
}
