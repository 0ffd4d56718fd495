//! The sections one after another, and the page or document made of them.

use std::io::Write;

use serde::Serialize;

use super::{billmanager, handler, installation, state};
use crate::admin::finding::{Finding, Level, Section, count, verdict};
use crate::admin::output::{Verdict, write, write_json};
use crate::admin::table::counted;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::panel::{Listed, Panel};
use crate::progress::Progress;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// This handler alone, by its id in BILLmanager
    #[arg(long)]
    module: Option<HandlerId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit status: 0 when there is no warning and no error, 1 otherwise.

--json prints one object:
  {\"errors\": 1, \"warnings\": 0,
   \"sections\": [{\"about\": \"installation\", \"handler\": null,
     \"findings\": [{\"level\": \"error\", \"check\": \"executable\", \"what\": \"…\", \"cure\": \"…\"}]}]}
level: ok, note, warning, error, skipped. cure: for warnings and errors. handler: id, in the section of a handler.";

#[derive(Serialize)]
struct Document {
    errors: usize,
    warnings: usize,
    sections: Vec<Section>,
}

/// Examines everything and says what was found.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let config = &config.impatient();
    let panel = Panel::new(config);
    let progress = Progress::new();
    progress.show("BILLmanager …");
    let mut sections =
        vec![installation::section(config), state::section(config), billmanager::section(config, &panel)];
    match chosen(&panel, options.module) {
        Ok(handlers) => {
            for listed in handlers {
                progress.show(&format!("handler {} ({}) …", listed.id, listed.name));
                sections.push(handler::section(config, &panel, &listed, options.module.is_some()));
            }
        }
        Err(error) if error.kind == Kind::BadArgument => return Err(error),
        Err(_) => sections.push(Section {
            about: "handlers".to_owned(),
            handler: options.module,
            findings: vec![Finding::skipped("handlers", "the database")],
        }),
    }
    drop(progress);
    let verdict = verdict(&sections);
    let (errors, warnings) = (count(&sections, Level::Error), count(&sections, Level::Warning));
    let document = Document { errors, warnings, sections };
    let written = if options.json { write_json(out, &document) } else { write(out, &document.text()) };
    written.map(|()| verdict)
}

/// Our handlers, or the one that was asked for.
fn chosen(panel: &Panel, module: Option<HandlerId>) -> Result<Vec<Listed>> {
    let mut handlers = panel.handlers()?;
    let Some(id) = module else { return Ok(handlers) };
    handlers.retain(|listed| listed.id == id);
    if handlers.is_empty() {
        let error = Error::new(Kind::BadArgument, "module", format!("{id} is no handler of this module"));
        return Err(error.cure("\"pmvmmanager6 doctor\" shows all that are"));
    }
    Ok(handlers)
}

impl Document {
    fn text(&self) -> String {
        let sections: Vec<String> = self.sections.iter().map(Section::text).collect();
        let end = match (self.errors, self.warnings) {
            (0, 0) => "Nothing is wrong.".to_owned(),
            (errors, warnings) => format!("{}, {}.", counted(errors, "error"), counted(warnings, "warning")),
        };
        format!("{}\n{end}\n", sections.join("\n"))
    }
}
