//! Locks with a name: that under which a file of ours is used, a file beside it, since the file itself may be replaced; and
//! those under which one thing at a time is done, files in a folder of the runtime directory.

use std::path::Path;

use super::{failure, prepare_directory};
use crate::error::Result;
use crate::lock::Lock;

/// Waits for the guard of `file` and holds it until it is dropped; the error is `state`.
pub(crate) fn guard(file: &Path) -> Result<Lock> {
    let guard = file.with_extension("guard");
    Lock::at(&guard, &mut || ()).map_err(|e| failure::io(&guard, "the guard file cannot be locked", &e))
}

/// Waits for the lock `name` in a folder of the runtime directory and holds it until it is dropped; `waits` is called once
/// before sleeping.
pub(crate) fn named_lock(runtime: &Path, folder: &str, name: &str, waits: &mut dyn FnMut()) -> Result<Lock> {
    let directory = runtime.join(folder);
    prepare_directory(&directory)?;
    let path = directory.join(name);
    Lock::at(&path, waits).map_err(|e| failure::io(&path, "the lock cannot be taken", &e))
}
