//! `pmvmmanager6 verify --module N`: what a first live VMmanager answers to the questions that its documentation leaves
//! open [api 6], as far as reading can settle them.
//!
//! Nothing is changed in VMmanager. What is proved is kept with the platform in the journal, and the module relies on it there
//! from then on: [`crate::journal::Proof`]. The answers are words and names of fields, never a client's data; they are kept in
//! `var/pmvmmanager6/verify-<handler>.json`, which is also what `--json` prints:
//!
//! ```json
//! {"handler": 1, "program": "0.1.0 (5599d61, x86_64-…)", "at": "2026-11-22 16:01:42", "contradicted": 0,
//!  "platform": 1, "proved": ["interfaces"],
//!  "questions": [{"question": "task-status", "about": "words of a task's status", "assumes": "…",
//!                 "seen": "complete", "agrees": "yes"}]}
//! ```
//!
//! The word in `question` never changes; `agrees` is `yes`, `no` or `unknown`.

mod answers;
mod description;
mod month;
mod questions;
mod run;
mod schedules;
mod seen;
mod site;
mod ssh_keys;
mod swagger;

pub(crate) use run::{Options, run};
