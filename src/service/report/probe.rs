//! Every handler's VMmanager as a stranger sees it: one request, no session, no password.

use jiff::Timestamp;

use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::panel::Panel;
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::HandlerSettings;
use crate::vmm::{Client, Trust};

/// What was seen through a handler.
pub(crate) struct Probed {
    pub handler: HandlerId,
    /// It answered, and the handler trusts its certificate.
    pub answers: bool,
    /// The end of its certificate, where the handler stops working then: a pinned one is trusted beyond it.
    pub certificate_ends: Option<Timestamp>,
}

/// Looks through every handler that is switched on. One that has no usable settings reaches nothing.
pub(crate) fn all(config: &Config) -> Result<Vec<Probed>> {
    let config = config.impatient();
    let panel = Panel::new(&config);
    let handlers = panel.handlers()?.into_iter().filter(|listed| listed.active);
    Ok(handlers.map(|listed| look(listed.id, client(&config, &panel, listed.id).ok().as_ref())).collect())
}

fn client(config: &Config, panel: &Panel, handler: HandlerId) -> Result<Client> {
    let handler = panel.handler(handler)?;
    connection::connect(config, &HandlerSettings::read(&handler.params), &Password::Stored(&handler))
}

fn look(handler: HandlerId, vmm: Option<&Client>) -> Probed {
    let answers = vmm.is_some_and(Client::answers);
    let judged = vmm.filter(|vmm| *vmm.trust() == Trust::System);
    Probed { handler, answers, certificate_ends: judged.and_then(|vmm| vmm.certificate()?.expires) }
}
