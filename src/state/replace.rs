//! A whole file replaced in one step: who reads it, or is killed, sees the old one or the new one.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes `bytes` to the file `temporary` beside `file`, with these permissions, and gives it the name `file`.
pub(crate) fn replace(file: &Path, temporary: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(temporary);
    let written = opened.and_then(|mut open| open.write_all(bytes)).and_then(|()| std::fs::rename(temporary, file));
    written.inspect_err(|_| _ = std::fs::remove_file(temporary))
}
