//! `pmvmmanager6 check-connection --module N`: the checks of `--command check_connection` with the settings of a
//! handler as they are stored in BILLmanager, each one shown.
//!
//! `--json` prints one object, with the findings of [`super::doctor`]:
//!
//! ```json
//! {"about": "handler 1 Amsterdam", "handler": 1,
//!  "findings": [{"level": "ok", "check": "login", "what": "logged in as admin@example.net", "cure": null}]}
//! ```

use std::io::Write;

use super::connection::Attempt;
use super::finding::{Section, verdict};
use super::{Verdict, hurried, write, write_json};
use crate::config::Config;
use crate::error::Result;
use crate::panel::Panel;
use crate::progress::Progress;

/// What the person asked for.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Handler.
    pub module: u64,
    /// As JSON.
    pub json: bool,
}

/// Tries everything and says what was seen.
pub fn run(config: &Config, task: Task, out: &mut dyn Write) -> Result<Verdict> {
    let config = &hurried(config);
    let handler = Panel::new(config).handler(task.module)?;
    let progress = Progress::new();
    progress.show(&format!("handler {} ({}) …", handler.id, handler.name));
    let findings = Attempt::of(config, &handler).findings;
    drop(progress);
    let about = format!("handler {} {}", handler.id, handler.name);
    let sections = [Section { about, handler: Some(handler.id), findings }];
    let verdict = verdict(&sections);
    let written = if task.json { write_json(out, &sections[0]) } else { write(out, &sections[0].text()) };
    written.map(|()| verdict)
}
