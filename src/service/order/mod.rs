//! What was ordered, and where it is to be made: read from BILLmanager's rows alone, nothing is asked.

pub mod host_name;
pub mod placement;
mod read;

pub use placement::Placement;
pub use read::{Order, Sizes, quantity};

use crate::error::{Error, Kind};

/// A required value that is not there.
pub fn missing(name: &str, text: &str) -> Error {
    Error::new(Kind::MissingParam, name, text)
}
