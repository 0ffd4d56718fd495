//! `make bench`: the budgets of the design, measured in one run beside `/bin/true` and beside what users run today.
//! Prints a table, writes `target/bench.json`, and fails when a budget is broken.
//!
//! What starts, waits and works is the release binary, as it is installed; only the processes between which a queue's
//! turn is handed over are of a test build, because the release has no command that writes down when its turn came. `cargo bench … -- orders` runs one topic.

mod audit;
mod calls;
mod measure;
mod open;
mod operation;
mod orders;
#[path = "../it/support/processes.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod processes;
mod provider;
mod queue;
mod scene;
mod setup;
mod sheet;
mod start;

use std::process::ExitCode;

use sheet::Sheet;

type Topic = (&'static str, fn(&mut Sheet));

const TOPICS: [Topic; 8] = [
    ("start", start::run),
    ("operation", operation::run),
    ("calls", calls::run),
    ("open", open::run),
    ("queue", queue::run),
    ("orders", orders::run),
    ("setup", setup::run),
    ("audit", audit::run),
];

fn main() -> ExitCode {
    // Cargo adds options of its own.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut sheet = Sheet::default();
    for (name, run) in TOPICS {
        if chosen.is_empty() || chosen.iter().any(|word| word == name) {
            eprintln!("{name}");
            run(&mut sheet);
        }
    }
    ExitCode::from(u8::from(!sheet.finish()))
}
