//! A service for an operator command: read like for a panel command, and under the same tickets when it is changed.

use super::access::refuse_copy;
use crate::config::Config;
use crate::error::Result;
use crate::id::ServiceId;
use crate::panel::Panel;
use crate::service::job::Job;
use crate::service::job::turn::{Stay, Turns};

/// Reads a service without changing anything.
pub(super) fn read<T>(config: &Config, item: ServiceId, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
    Turns::new(config, &Panel::new(config), None).with_job(item, work)
}

/// Changes a service: alone, and in the handler's queue.
pub(super) fn change<T>(
    config: &Config,
    item: ServiceId,
    command: &str,
    work: impl FnOnce(&Job) -> Result<T>,
) -> Result<T> {
    refuse_copy(config, command)?;
    Turns::new(config, &Panel::new(config), None).with_turn(item, command, Stay::ToTheEnd, work)
}
