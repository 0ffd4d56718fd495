//! `--command stop --item N [--runningoperation N]` [protocol 3.11].

use super::invocation::Invocation;
use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::power::{Button, press};

/// Stops the VM.
pub(super) fn run(job: &Job, _: &Invocation) -> Result<()> {
    press(job, Button::Stop)
}
