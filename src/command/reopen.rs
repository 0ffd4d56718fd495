//! `--command reopen --item N [--runningoperation N]` [protocol 3.6].

use crate::error::Result;
use crate::service::{Job, provision};

/// Repairs or finishes an opening.
pub fn run(job: &Job) -> Result<()> {
    provision::reopen(job)
}
