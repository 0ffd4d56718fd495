//! What a panel command has around it.

use super::invocation::Invocation;
use crate::config::Config;
use crate::error::Result;
use crate::id::{OperationId, ServiceId};
use crate::panel::Panel;
use crate::service::job::turn::Turns;

/// Surroundings of one command.
pub(crate) struct Context<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    pub call: &'a Invocation,
    pub panel: &'a Panel,
    /// The way to work on a service.
    pub turns: Turns<'a>,
}

impl<'a> Context<'a> {
    /// The surroundings of what BILLmanager has called.
    pub(crate) fn new(config: &'a Config, panel: &'a Panel, call: &'a Invocation) -> Self {
        // A wrong number is the command's error, not that of its surroundings.
        let operation = call.optional_id("runningoperation").ok().flatten();
        Context { config, call, panel, turns: Turns::new(config, panel, operation) }
    }

    /// The service, when the operation that asks for it is named rightly.
    pub(crate) fn item(&self) -> Result<ServiceId> {
        self.call.optional_id::<OperationId>("runningoperation")?;
        self.call.id("item")
    }
}
