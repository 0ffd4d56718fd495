//! The queue.

use std::path::Path;

use crate::error::Result;

/// Who stands in the queue.
#[derive(Clone, Debug)]
pub struct Label {
    /// Command.
    pub command: String,
    /// Service.
    pub item: Option<u64>,
    /// Handler.
    pub handler: Option<u64>,
}

/// What a process waits for.
pub struct Waiting;

/// A turn.
pub struct Turn;

/// Waits for a turn.
pub fn enter(
    _directory: &Path,
    _key: &str,
    _limit: u32,
    _who: &Label,
    _said: &mut dyn FnMut(&Waiting),
) -> Result<Turn> {
    Ok(Turn)
}
