//! `pmvmmanager6 verify --module N`: what a first live VMmanager answers to the questions that its documentation leaves
//! open [api 6], as far as reading can settle them.
//!
//! Nothing is changed in VMmanager. The answers are words and names of fields, never a client's data; they are kept in
//! `var/pmvmmanager6/verify-<handler>.json`, which is also what `--json` prints:
//!
//! ```json
//! {"handler": 1, "program": "0.1.0 (5599d61, x86_64-…)", "at": "2026-11-22 16:01:42", "contradicted": 0,
//!  "questions": [{"question": "task-status", "about": "words of a task's status", "assumes": "…",
//!                 "seen": "complete", "agrees": "yes"}]}
//! ```
//!
//! The word in `question` never changes; `agrees` is `yes`, `no` or `unknown`.

mod answers;
mod description;
mod questions;
mod run;
mod seen;
mod site;

pub(crate) use run::{Options, run};
