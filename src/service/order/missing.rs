//! What has to be there and is not.

use crate::error::{Error, Kind};

/// A required value that is not there.
pub fn missing(name: &str, text: &str) -> Error {
    Error::new(Kind::MissingParam, name, text)
}
