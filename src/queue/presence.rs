//! "Somebody with a ticket lives": a shared lock on the runtime directory itself, which stays when everything inside is
//! removed. Taken under the guard before the ticket's file is made, given up before that file is removed.

use std::fs::File;
use std::path::Path;

use crate::error::Result;
use crate::lock::{Lock, Mode};
use crate::state::failure;

/// Shows our presence until the lock is dropped.
pub(super) fn show(directory: &Path) -> Result<Lock> {
    let failed = |e| failure::io(directory, "the directory cannot be locked", &e);
    let file = File::open(directory).map_err(failed)?;
    Lock::wait(file, Mode::Shared).map_err(failed)
}

/// Whether anybody shows its presence. Needs the guard.
pub(super) fn is_shown(directory: &Path) -> Result<bool> {
    let failed = |e| failure::io(directory, "the directory cannot be locked", &e);
    let file = File::open(directory).map_err(failed)?;
    Ok(Lock::attempt(file, Mode::Exclusive).map_err(failed)?.is_err())
}
