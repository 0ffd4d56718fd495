//! Paused keys: one named pipe a key in `paused/`. The pipe's existence is the pause, and the place where the first in
//! line sleeps.
//!
//! A pause has no process that could hold a lock: the command that set it has ended. A pipe needs none. A waiter opens
//! it for reading and polls; it wakes when a writer has come and gone. `resume` opens the pipe for writing, removes
//! its name, and closes it. Killed before the removal, the kernel closes the pipe, the waiters wake, find the name and
//! go back to sleep: nothing has happened. Killed after it, the same closing wakes them for good. Who opens the pipe
//! too late finds no name. So there is no line at which a kill leaves a sleeper behind.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::state::{failure, prepare_directory};

/// Names longer than this are not created: the filesystem ends at 255 bytes.
const MAX_NAME: usize = 250;
/// The name of the pause of all keys; [`name`] never gives it to a key.
const ALL: &str = "=all";

/// What is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every key, also those that are not in use yet.
    All,
    /// One key.
    Key(String),
}

/// The pauses of one runtime directory.
#[derive(Clone, Debug)]
pub(super) struct Pauses {
    directory: PathBuf,
}

impl Pauses {
    /// The directory `paused/` in the runtime directory `parent`.
    pub(super) fn of(parent: &Path) -> Self {
        Pauses { directory: parent.join("paused") }
    }

    /// The directory itself.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, scope: &Scope) -> PathBuf {
        match scope {
            Scope::All => self.directory.join(ALL),
            Scope::Key(key) => self.directory.join(name(key)),
        }
    }

    /// The pause that holds `key` up now, if there is one.
    pub(super) fn over(&self, key: &str) -> Option<Scope> {
        [Scope::All, Scope::Key(key.to_owned())]
            .into_iter()
            .find(|scope| std::fs::symlink_metadata(self.path(scope)).is_ok_and(|found| found.file_type().is_fifo()))
    }

    /// All pauses, in order.
    pub(super) fn list(&self) -> Vec<Scope> {
        let names = std::fs::read_dir(&self.directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut scopes: Vec<Scope> = names.filter_map(|name| scope(name.to_str()?)).collect();
        scopes.sort();
        scopes
    }

    /// Begins a pause; `false` if it was there already.
    pub(super) fn begin(&self, scope: &Scope) -> Result<bool> {
        prepare_directory(&self.directory)?;
        let path = self.path(scope);
        if path.file_name().is_none_or(|name| name.len() > MAX_NAME) {
            return Err(Error::new(Kind::BadArgument, "key", "the queue key is too long"));
        }
        match rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST) => Ok(false),
            Err(e) => Err(failure::io(&path, "the pause cannot be set", &e.into())),
        }
    }

    /// Ends a pause and wakes who sleeps in it; `false` if there was none.
    pub(super) fn end(&self, scope: &Scope) -> Result<bool> {
        let path = self.path(scope);
        let pipe = match open(&path, OpenOptions::new().read(true).write(true)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(|e| failure::io(&path, "the pause cannot be opened", &e))?,
        };
        fault::point("queue.resume_opened");
        std::fs::remove_file(&path).map_err(|e| failure::io(&path, "the pause cannot be removed", &e))?;
        fault::point("queue.resume_unlinked");
        drop(pipe);
        Ok(true)
    }

    /// What a waiter polls for `POLLHUP`; `None` when the pause has just ended.
    pub(super) fn pipe(&self, scope: &Scope) -> Result<Option<File>> {
        let path = self.path(scope);
        match open(&path, OpenOptions::new().read(true)) {
            Ok(pipe) => Ok(Some(pipe)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failure::io(&path, "the pause cannot be opened", &e)),
        }
    }
}

/// Opening a pipe must not wait for its other end.
fn open(path: &Path, how: &mut OpenOptions) -> std::io::Result<File> {
    how.custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed()).open(path)
}

/// A key as a file name: letters, digits, `-` and `_` as they are, everything else as `%` and two hexadecimal digits.
fn name(key: &str) -> String {
    use std::fmt::Write as _;
    key.bytes().fold(String::new(), |mut name, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => _ = write!(name, "%{byte:02x}"),
        }
        name
    })
}

fn scope(name: &str) -> Option<Scope> {
    if name == ALL {
        return Some(Scope::All);
    }
    let mut bytes = name.bytes();
    let mut key = Vec::new();
    while let Some(byte) = bytes.next() {
        key.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(key).ok().map(Scope::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_name_and_comes_back() {
        for key in ["12", "=all", "service:17", "очередь", "a/b", ".", "..", "%", "a b"] {
            assert_eq!(scope(&name(key)), Some(Scope::Key(key.to_owned())));
            assert!(!name(key).contains(['/', '.', '=']));
        }
        assert_eq!(scope(ALL), Some(Scope::All));
    }

    #[test]
    fn begins_once_and_ends_once() {
        let directory = tempfile::tempdir().unwrap();
        let pauses = Pauses::of(directory.path());
        let key = Scope::Key("a/b".to_owned());
        assert_eq!((pauses.over("a/b"), pauses.list()), (None, vec![]));
        assert!(pauses.begin(&key).unwrap());
        assert!(!pauses.begin(&key).unwrap());
        assert!(pauses.begin(&Scope::All).unwrap());
        assert_eq!(pauses.list(), [Scope::All, key.clone()]);
        assert!(pauses.end(&Scope::All).unwrap());
        assert_eq!(pauses.over("a/b"), Some(key.clone()));
        assert!(pauses.end(&key).unwrap());
        assert!(!pauses.end(&key).unwrap());
        assert_eq!(pauses.over("a/b"), None);
    }
}
