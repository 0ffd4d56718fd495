//! `pmvmmanager6 capacity`: how many more VMs of each tariff fit at the handlers. Only reads.
//!
//! The answer is a number, none, or unknown; what VMmanager does not tell, and a VMmanager that cannot be asked, is
//! unknown. `--json` prints one object:
//!
//! ```json
//! {"handlers": [{"handler": 1, "name": "Amsterdam", "error": null,
//!    "tariffs": [{"tariff": 7, "name": "VPS small", "answer": "number", "at_least": 12, "at_most": 12, "few": false,
//!      "by": "memory", "error": null}]}]}
//! ```

use std::io::Write;

use serde::Serialize;

use super::output::{Verdict, write, write_json};
use super::table::table;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, TariffId};
use crate::panel::{Listed, Panel};
use crate::progress::Progress;
use crate::service::handler::tariff_fits::{self, TariffFit};
use crate::service::platform::capacity::Answer;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// This handler alone, by its id in BILLmanager; without it all that are switched on
    #[arg(long)]
    module: Option<HandlerId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
A VM of a tariff is what is sold when nothing is ordered beyond the tariff. Nodes in maintenance, and those that take no
new VMs, count for nothing. Cores and memory that VMmanager sells more than once (overselling) come on top of the number,
unless it tells that it sells them once: then the number is exact.

Exit status: 1 when fewer than 5 VMs of a tariff fit, a tariff cannot be counted, or a handler's VMmanager not be asked.

--json prints one object:
  {\"handlers\": [{\"handler\": 1, \"name\": \"Amsterdam\", \"error\": null,
    \"tariffs\": [{\"tariff\": 7, \"name\": \"VPS small\", \"answer\": \"number\", \"at_least\": 12, \"at_most\": 12, \"few\": false,
      \"by\": \"memory\", \"error\": null}]}]}
answer: number, none, unknown. at_most: null when there may be more. by: what there is least of. error: why nobody knows.";

/// Asks every handler's VMmanager.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let (config, panel) = (&config.impatient(), Panel::new(config));
    let progress = Progress::new();
    let row = |listed: Listed| {
        progress.show(&format!("handler {} ({}) …", listed.id, listed.name));
        HandlerRow::of(&listed, tariff_fits::of_handler(config, &panel, listed.id))
    };
    let handlers = asked(&panel, options.module)?.into_iter().map(row).collect();
    drop(progress);
    let document = Document { handlers };
    let written = if options.json { write_json(out, &document) } else { write(out, &document.text()) };
    written.map(|()| document.verdict())
}

fn asked(panel: &Panel, module: Option<HandlerId>) -> Result<Vec<Listed>> {
    let mut handlers = panel.handlers()?;
    handlers.retain(|listed| module.map_or(listed.active, |id| listed.id == id));
    match module {
        Some(id) if handlers.is_empty() => {
            let error = Error::new(Kind::BadArgument, "module", format!("{id} is no handler of this module"));
            Err(error.cure("\"pmvmmanager6 doctor\" shows all that are"))
        }
        _ => Ok(handlers),
    }
}

#[derive(Serialize)]
struct Document {
    handlers: Vec<HandlerRow>,
}

#[derive(Serialize)]
struct HandlerRow {
    handler: HandlerId,
    name: String,
    error: Option<String>,
    tariffs: Vec<TariffRow>,
}

#[derive(Serialize)]
struct TariffRow {
    tariff: TariffId,
    name: String,
    answer: &'static str,
    at_least: Option<u64>,
    at_most: Option<u64>,
    few: bool,
    by: Option<String>,
    error: Option<String>,
    #[serde(skip)]
    text: String,
}

impl HandlerRow {
    fn of(listed: &Listed, counted: Result<Vec<TariffFit>>) -> Self {
        let (tariffs, error) = match counted {
            Ok(tariffs) => (tariffs.into_iter().map(TariffRow::from).collect(), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        HandlerRow { handler: listed.id, name: listed.name.clone(), error, tariffs }
    }

    fn lines(&self) -> Vec<[String; 4]> {
        let handler = format!("{} {}", self.handler, self.name);
        if let Some(error) = &self.error {
            return vec![[handler, "all".to_owned(), "unknown".to_owned(), error.clone()]];
        }
        let line = |row: &TariffRow| {
            let why = row.error.as_ref().or(row.by.as_ref()).cloned().unwrap_or_default();
            [handler.clone(), format!("{} {}", row.tariff, row.name), row.text.clone(), why]
        };
        self.tariffs.iter().map(line).collect()
    }
}

impl From<TariffFit> for TariffRow {
    fn from(TariffFit { tariff, name, fit }: TariffFit) -> Self {
        let unknown = TariffRow {
            tariff,
            name,
            answer: "unknown",
            at_least: None,
            at_most: None,
            few: false,
            by: None,
            error: None,
            text: "unknown".to_owned(),
        };
        match fit {
            Err(error) => TariffRow { error: Some(error.to_string()), ..unknown },
            Ok(fit) => TariffRow {
                answer: match fit.answer() {
                    Answer::Number(_) => "number",
                    Answer::None => "none",
                    Answer::Unknown => "unknown",
                },
                at_least: fit.left.at_least,
                at_most: fit.left.at_most,
                few: fit.is_few(),
                text: fit.text(),
                by: Some(fit.by),
                ..unknown
            },
        }
    }
}

impl Document {
    fn verdict(&self) -> Verdict {
        let is_odd = |row: &HandlerRow| {
            row.error.is_some() || row.tariffs.iter().any(|tariff| tariff.few || tariff.error.is_some())
        };
        if self.handlers.iter().any(is_odd) { Verdict::Findings } else { Verdict::Fine }
    }

    fn text(&self) -> String {
        let rows: Vec<[String; 4]> = self.handlers.iter().flat_map(HandlerRow::lines).collect();
        table(["HANDLER", "TARIFF", "FIT", "BY"], &rows)
    }
}
