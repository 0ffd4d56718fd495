//! How a change ends: done, refused, or not known.

use crate::error::Error;

/// How a change failed.
#[derive(Debug)]
pub enum Failure {
    /// VMmanager said no, or the request never left us: nothing happened.
    Refused(Error),
    /// It may have happened: look before asking again.
    Unknown(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Unknown(error) => error.and("it is not known whether VMmanager carried the request out"),
        }
    }
}

/// Result of a change.
pub type Outcome<T> = std::result::Result<T, Failure>;
