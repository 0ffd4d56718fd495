//! Pausing and resuming queues from outside.

use std::path::Path;

use super::line::Line;
use super::pause::{Pauses, Scope};
use crate::error::Result;

/// Lets no further ticket of `scope` start until [`resume`]; those that run finish. It survives the process that asks
/// for it. `false` if it was paused already.
pub fn pause(directory: &Path, scope: &Scope) -> Result<bool> {
    Line::open(directory)?.pause(scope)
}

/// Ends a pause and wakes who waits; `false` if there was none.
pub fn resume(directory: &Path, scope: &Scope) -> Result<bool> {
    Pauses::of(directory).end(scope)
}
