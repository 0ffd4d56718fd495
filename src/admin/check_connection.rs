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
use super::output::{Verdict, write, write_json};
use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::panel::Panel;
use crate::progress::Progress;
use crate::settings::HandlerSettings;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// Handler id in BILLmanager
    #[arg(long)]
    module: HandlerId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit status: 0 when every check has passed, 1 otherwise.

--json prints one object:
  {\"about\": \"handler 1 Amsterdam\", \"handler\": 1,
   \"findings\": [{\"level\": \"error\", \"check\": \"login\", \"what\": \"…\", \"cure\": \"…\"}]}
level: ok, note, error, skipped. cure: for errors.";

/// Tries everything and says what was seen.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let config = &config.impatient();
    let handler = Panel::new(config).handler(options.module)?;
    let progress = Progress::new();
    progress.show(&format!("handler {} ({}) …", handler.id, handler.name));
    let findings = Attempt::of(config, &handler, &HandlerSettings::read(&handler.params)).findings;
    drop(progress);
    let about = format!("handler {} {}", handler.id, handler.name);
    let sections = [Section { about, handler: Some(handler.id), findings }];
    let verdict = verdict(&sections);
    let written = if options.json { write_json(out, &sections[0]) } else { write(out, &sections[0].text()) };
    written.map(|()| verdict)
}
