//! The lock under which a file of ours is used: a file beside it, since the file itself may be replaced.

use std::path::Path;

use super::failure;
use crate::error::Result;
use crate::lock::Lock;

/// Waits for the guard of `file` and holds it until it is dropped; the error is `state`.
pub(crate) fn guard(file: &Path) -> Result<Lock> {
    let guard = file.with_extension("guard");
    Lock::at(&guard, &mut || ()).map_err(|e| failure::io(&guard, "the guard file cannot be locked", &e))
}
