//! `pmvmmanager6 session`: the cached sessions of VMmanager, never their tokens.
//!
//! `--json` prints `[{"url": "https://vm.example.com", "username": "admin@example.com", "age_seconds": 12.3,
//! "left_seconds": 1787.7, "ttl_seconds": 1800.0}]`.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::output::{write, write_json};
use super::table::{age, counted, table};
use crate::error::Result;
use crate::vmm::session::{self, Cached};

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Drop cached sessions: the next operation logs in again
    #[group(required = true, multiple = false)]
    Drop {
        /// Sessions of this address, as "session" shows it
        #[arg(long)]
        url: Option<String>,
        /// All sessions
        #[arg(long)]
        all: bool,
    },
}

/// Runs the command on the runtime directory.
pub(crate) fn run(directory: &Path, options: &Options, out: &mut dyn Write) -> Result<()> {
    if let Some(Action::Drop { url, all: _ }) = &options.action {
        let dropped = session::drop_cached(directory, url.as_deref())?;
        return write(out, &format!("{} dropped; the next operation logs in again\n", counted(dropped, "session")));
    }
    let sessions = session::list(directory)?;
    if options.json { write_json(out, &document(&sessions)) } else { write(out, &text(&sessions)) }
}

fn document(sessions: &[Cached]) -> Vec<serde_json::Value> {
    let object = |session: &Cached| {
        json!({
            "url": session.url,
            "username": session.username,
            "age_seconds": session.age.as_secs_f64(),
            "left_seconds": session.ttl.saturating_sub(session.age).as_secs_f64(),
            "ttl_seconds": session.ttl.as_secs_f64(),
        })
    };
    sessions.iter().map(object).collect()
}

fn text(sessions: &[Cached]) -> String {
    if sessions.is_empty() {
        return "No session is cached.\n".to_owned();
    }
    let row = |session: &Cached| {
        let left = session.ttl.saturating_sub(session.age);
        [session.url.clone(), session.username.clone(), age(session.age), age(left)]
    };
    let rows: Vec<_> = sessions.iter().map(row).collect();
    table(["ADDRESS", "USER", "AGE", "LEFT"], &rows)
}
