//! `test-process`: a process of the tests and benches that does one thing with the library and writes down when.
//!
//! What it waits for and shares with others (tickets, sessions, the log) is the module's own; no package installs it.

mod queue_hold;
mod session_visit;

use std::process::ExitCode;

use clap::Parser;
use pmvmmanager6::config::Config;
use pmvmmanager6::log;

#[derive(Parser)]
#[command(name = "test-process")]
enum Program {
    /// Stand in the queue
    QueueHold(queue_hold::Options),
    /// Use a session
    SessionVisit(session_visit::Options),
}

fn main() -> ExitCode {
    let program = Program::parse();
    let config = Config::from_environment();
    log::open(&config);
    let runtime = config.runtime_dir();
    let done = match program {
        Program::QueueHold(options) => queue_hold::run(&runtime, &options),
        Program::SessionVisit(options) => session_visit::run(&runtime, &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            eprintln!("test-process: {error}");
            ExitCode::FAILURE
        }
    }
}
