//! `--command open --item N [--runningoperation N]` [protocol 3.5].

use crate::cli::Invocation;
use crate::error::Result;
use crate::service::{Job, provision};

/// Makes the VM of a paid order, or finishes making it.
pub fn run(job: &Job, _: &Invocation) -> Result<()> {
    provision::open(job)
}
