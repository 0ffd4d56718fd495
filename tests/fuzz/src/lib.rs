//! What must hold for any bytes that reach the module from outside: one `check` a source, which panics when it does not.
//!
//! `make fuzz` runs each under libFuzzer as long as one likes; `make test` runs the same checks under proptest, on
//! mutations of the seeds in `seeds/<check>/`. What a fuzzer finds becomes a seed: a defect that was there once is looked
//! for always.

mod broken_answers;
pub mod filters;
pub mod operations;
pub mod panel_xml;
mod server;
pub mod state_files;
pub mod vmm_json;

use pmvmmanager6::config::{Config, Limits};
use pmvmmanager6::error::Kind;

/// No text of an error may leave the types that the panel knows.
fn is_told(kind: Kind, allowed: &[Kind]) {
    assert!(allowed.contains(&kind), "an error of an unexpected type: {}", kind.name());
}

/// A configuration below a directory of its own.
fn config(root: &std::path::Path) -> Config {
    Config { root: root.to_owned(), limits: Limits::default() }
}

#[cfg(test)]
mod tests;
