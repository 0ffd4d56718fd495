//! The VMmanager of a handler and the journal, for commands that show first and change with `--yes`: without it they work
//! on a copy of the journal.

use super::access::refuse_copy;
use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::journal::Journal;
use crate::panel::{Handler, Panel};
use crate::service::platform::connection;
use crate::service::platform::recognise::Site;
use crate::vmm::Client;

/// A handler's VMmanager and what we recorded.
pub(crate) struct HandlerSite {
    handler: Handler,
    /// The VMmanager.
    pub vmm: Client,
    /// The journal, or a copy of it.
    pub journal: Journal,
}

impl HandlerSite {
    /// Opens both; asks VMmanager nothing.
    pub(crate) fn open(config: &Config, panel: &Panel, module: HandlerId, yes: bool) -> Result<Self> {
        let handler = panel.handler(module)?;
        let connect = if yes { connection::client } else { connection::observer };
        let vmm = connect(&config.impatient(), &handler)?;
        Ok(HandlerSite { handler, vmm, journal: journal(config, yes)? })
    }

    /// What recognises it.
    pub(crate) fn site(&self) -> Site<'_> {
        Site { handler: self.handler.id, vmm: &self.vmm, journal: &self.journal }
    }

    /// `handler 1 (Amsterdam)`.
    pub(crate) fn label(&self) -> String {
        format!("handler {} ({})", self.handler.id, self.handler.name)
    }
}

/// The journal to be changed, or a copy of it.
pub(crate) fn journal(config: &Config, yes: bool) -> Result<Journal> {
    if !yes {
        return Journal::copy(config);
    }
    refuse_copy(config, "--yes")?;
    Journal::open(config)
}
