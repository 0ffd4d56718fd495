//! What operator commands answer with: text or JSON, and a verdict.

use std::io::Write;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::text::{escaped_json, page};

/// What an operator command says with its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is odd: 0.
    Fine,
    /// There is something to look at: 1.
    Findings,
}

/// Writes a page for people. Its texts are clean already where they must stay on their line; what has slipped through is
/// caught here.
pub(super) fn write(out: &mut dyn Write, text: &str) -> Result<()> {
    write_document(out, &page(text))
}

/// Writes a text as it is and flushes it; a closed pipe is an error like any other.
pub(crate) fn write_document(out: &mut dyn Write, text: &str) -> Result<()> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))
}

/// Writes a JSON document with a final line break.
pub(super) fn write_json(out: &mut dyn Write, document: &impl Serialize) -> Result<()> {
    write_document(out, &json_text(document)?)
}

/// The text of a JSON document with a final line break.
pub(super) fn json_text(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::new(Kind::State, "stdout", format!("the answer cannot be written: {e}")))?;
    Ok(escaped_json(&text).into_owned() + "\n")
}
