//! `test-process queue-hold`: a process that does nothing but stand in the queue.
//!
//! It notes what happens to it in a log, one line an event, each written at once:
//! `<event> <label> <ticket or number> <nanoseconds>`, the events being `waiting`, `start`, `end`. Its job ends when
//! its standard input is closed, or after a time.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pmvmmanager6::error::{Error, Kind, Result};
use pmvmmanager6::id::ServiceId;
use pmvmmanager6::queue::{self, Label};
use rustix::time::{ClockId, clock_gettime};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Queue key
    #[arg(long)]
    pub key: String,
    /// How many of the key may run at once
    #[arg(long, default_value_t = 1)]
    pub limit: u32,
    /// Word for the log
    #[arg(long, default_value = "-")]
    pub label: String,
    /// Service whose ticket is taken first
    #[arg(long)]
    pub service: Option<ServiceId>,
    /// Log to append to
    #[arg(long)]
    pub log: PathBuf,
    /// Work for this many milliseconds, and not until standard input is closed
    #[arg(long = "for")]
    pub milliseconds: Option<u64>,
    /// Start a process that outlives this one
    #[arg(long)]
    pub child: bool,
}

/// Stands in the queue of the runtime directory.
pub(crate) fn run(directory: &Path, hold: &Options) -> Result<()> {
    let log = OpenOptions::new().append(true).create(true).open(&hold.log).map_err(|e| trouble("log", &e))?;
    let who = Label { command: hold.label.clone(), item: hold.service, handler: None };
    let mut said = |waiting: &queue::Waiting| {
        _ = note(&log, "waiting", hold, &waiting.place.to_string());
        _ = writeln!(std::io::stderr(), "{waiting}");
    };
    let _service = match hold.service {
        Some(item) => Some(queue::enter(directory, &pmvmmanager6::settings::service_key(item), 1, &who, &mut said)?),
        None => None,
    };
    let turn = queue::enter(directory, &hold.key, hold.limit, &who, &mut said)?;
    note(&log, "start", hold, &turn.number().to_string())?;
    if hold.child {
        let mut sleep = Command::new("sleep");
        sleep.arg("20").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sleep.spawn().map_err(|e| trouble("child", &e))?;
    }
    match hold.milliseconds {
        Some(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
        None => _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).map_err(|e| trouble("stdin", &e))?,
    }
    note(&log, "end", hold, &turn.number().to_string())?;
    drop(turn);
    Ok(())
}

fn note(mut log: &File, event: &str, hold: &Options, number: &str) -> Result<()> {
    let now = clock_gettime(ClockId::Monotonic);
    let line = format!("{event} {} {number} {}\n", hold.label, now.tv_sec * 1_000_000_000 + now.tv_nsec);
    log.write_all(line.as_bytes()).map_err(|e| trouble("log", &e))
}

fn trouble(object: &str, error: &std::io::Error) -> Error {
    Error::new(Kind::State, object, error.to_string())
}
