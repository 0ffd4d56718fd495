//! What the last audit of each handler found, by kind, for `metrics`: `audit.json` of the module's durable state.
//!
//! ```json
//! {"version": 1, "handlers": {"3": {"at": 1790000000, "findings": {"no_vm": 2}}}}
//! ```
//!
//! It outlives a reboot, as drift does. Nothing depends on it: one that cannot be used is written anew.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::log;
use crate::state::{Failure, failure, guard, prepare_directory, replace};

const VERSION: u32 = 1;

/// Numbers of findings by kind; what was not found is absent.
pub(super) type Findings = BTreeMap<String, usize>;

/// An audit of one handler that came to its end.
#[derive(Deserialize, Serialize)]
pub(super) struct LastAudit {
    /// Seconds since 1970.
    pub(super) at: i64,
    pub(super) findings: Findings,
}

#[derive(Deserialize, Serialize)]
struct Document {
    version: u32,
    handlers: BTreeMap<HandlerId, LastAudit>,
}

/// Keeps what an audit found at each handler; one that could not be audited keeps what it had. An audit of `all` handlers
/// forgets those that are gone.
pub(super) fn keep(config: &Config, seen: BTreeMap<HandlerId, Option<Findings>>, all: bool) -> Result<()> {
    let directory = config.state_dir();
    prepare_directory(&directory)?;
    let file = path(&directory);
    let _guard = guard(&file)?;
    let mut handlers = match load(&file) {
        Err(Failure::Damaged(reason)) => {
            log::warn!("{} is written anew: {reason}", file.display());
            BTreeMap::new()
        }
        read => read.map_err(|failure| failure.explain(&file, ""))?,
    };
    handlers.retain(|handler, _| !all || seen.contains_key(handler));
    let at = Timestamp::now().as_second();
    let new = seen.into_iter().filter_map(|(handler, findings)| Some((handler, LastAudit { at, findings: findings? })));
    handlers.extend(new);
    let unwritten = |error: &std::io::Error| failure::io(&file, "the file cannot be written", error);
    let text =
        serde_json::to_vec(&Document { version: VERSION, handlers }).map_err(|error| unwritten(&error.into()))?;
    replace(&file, &text, 0o600).map_err(|error| unwritten(&error))
}

/// What is kept; nothing when no audit has ended yet.
pub(super) fn read(config: &Config) -> Result<BTreeMap<HandlerId, LastAudit>> {
    let file = path(&config.state_dir());
    load(&file).map_err(|failure| failure.explain(&file, "run \"pmvmmanager6 audit\": it writes the file anew"))
}

fn path(directory: &Path) -> PathBuf {
    directory.join("audit.json")
}

fn load(file: &Path) -> std::result::Result<BTreeMap<HandlerId, LastAudit>, Failure> {
    let bytes = match std::fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(|error| failure::io(file, "the file cannot be read", &error))?,
    };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| Failure::Damaged(error.to_string()))?;
    match document.version {
        VERSION => Ok(document.handlers),
        other => Err(Failure::Damaged(format!("it has version {other}, this program knows {VERSION}"))),
    }
}
