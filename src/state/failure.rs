//! What the system and `SQLite` say, in words for the person who has to repair it.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Error, Kind};

/// Why the work on a file did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `SQLite`'s error; the caller knows the file and puts it into words.
    Sql(rusqlite::Error),
    /// The file is not ours, or no longer: the reason.
    Damaged(String),
    /// An error that is in words already.
    Told(Error),
}

impl Failure {
    /// In words about the file `path`; `cure` is what to do about a damaged one.
    pub(crate) fn explain(self, path: &Path, cure: &str) -> Error {
        match self {
            Failure::Sql(error) => sql(path, &error),
            Failure::Told(error) => error,
            Failure::Damaged(reason) => {
                let path = path.display().to_string();
                Error::new(Kind::State, path.as_str(), format!("{path} cannot be used: {reason}")).cure(cure)
            }
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Failure::Damaged(error.to_string()),
            _ => Failure::Sql(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Told(error)
    }
}

/// An error of the system about `path`: what did not work, why, and the cure where there is one.
pub(crate) fn io(path: &Path, what: &str, error: &io::Error) -> Error {
    let about = |reason: &str| Error::new(Kind::State, path.display().to_string(), format!("{what}: {reason}"));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            about("no space is left there").cure("free some and run again")
        }
        io::ErrorKind::ReadOnlyFilesystem => about("the filesystem is mounted read-only"),
        _ => about(&error.to_string()),
    }
}

/// An error of `SQLite` about the file `path`.
pub(crate) fn sql(path: &Path, error: &rusqlite::Error) -> Error {
    let about = |text: &str| Error::new(Kind::State, path.display().to_string(), text);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => full(path),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if has_no_space(path) => full(path),
        Some(ErrorCode::ReadOnly) => about("the file cannot be written (read-only filesystem or foreign owner)"),
        Some(ErrorCode::CannotOpen) => about(
            "the file cannot be opened: its directory is missing, read-only or not ours, or no file may be opened any more",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            about("another program holds the file open for writing (a sqlite3 shell?)").cure("end it and run again")
        }
        _ => about(&format!("the file cannot be used: {error}")),
    }
}

fn full(path: &Path) -> Error {
    let place = path.parent().unwrap_or(path).display();
    Error::new(Kind::State, path.display().to_string(), format!("no space is left in {place}"))
        .cure("free some and run again, nothing needs to be repaired")
}

fn has_no_space(path: &Path) -> bool {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).is_ok_and(|fs| fs.f_bavail == 0 || fs.f_favail == 0)
}
