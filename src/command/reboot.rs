//! `--command reboot --item N [--runningoperation N]` [protocol 3.11].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::power::{Button, press};

/// Restarts the guest.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    press(job, Button::Reboot)
}
