//! `--command stop --item N [--runningoperation N]` [protocol 3.11].

use crate::cli::Invocation;
use crate::error::Result;
use crate::service::Job;
use crate::service::power::{Button, press};

/// Stops the VM.
pub fn run(job: &Job, _: &Invocation) -> Result<()> {
    press(job, Button::Stop)
}
