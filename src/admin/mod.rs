//! Operator commands: what an administrator runs by hand. One file a command; each writes text for people, or JSON on
//! request, to the writer it is given.

#[cfg(feature = "faults")]
pub mod hold;
pub mod link;
pub mod queue;
pub mod reinstall;
mod service;
pub mod session;
mod table;
#[cfg(feature = "faults")]
pub mod visit;

use std::io::Write;

use serde::Serialize;

use crate::error::{Error, Kind, Result};

/// Writes text and flushes it; a closed pipe is an error like any other.
pub fn write(out: &mut dyn Write, text: &str) -> Result<()> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))
}

/// Writes a JSON document with a final line break.
fn write_json(out: &mut dyn Write, document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))?;
    write(out, &format!("{text}\n"))
}
