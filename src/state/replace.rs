//! A whole file in one step: who reads it, or is killed, sees the old one or the new one.
//!
//! It is written under a random name that nobody can prepare, beside the place where it belongs.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::error::{Error, Kind, Result};
use crate::ownership;

/// Gives `bytes` the name `file`, whatever had it before, with these permissions.
pub(crate) fn replace(file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut fresh = beside(file, mode)?;
    fresh.write_all(bytes)?;
    fresh.persist(file).map(drop).map_err(io::Error::from)
}

/// Gives what `write` writes the name `file`, which nobody may have yet. It is for its owner only, and on the disk.
pub(crate) fn create(file: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut fresh = beside(file, 0o600)?;
    write(fresh.as_file_mut())?;
    fresh.as_file().sync_all()?;
    fresh.persist_noclobber(file).map(drop).map_err(io::Error::from)
}

fn beside(file: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(directory)
}

/// Refuses a place that somebody named for a file of root's, if other users can change what is there.
pub(crate) fn refuse_shared(file: &Path) -> Result<()> {
    ownership::private(file.parent().unwrap_or(file)).map_err(|reason| {
        let path = file.display().to_string();
        Error::new(Kind::State, path.as_str(), format!("{path} cannot be written safely: {reason}"))
            .cure("name a file in a directory that belongs to root and that nobody else can change")
    })
}
