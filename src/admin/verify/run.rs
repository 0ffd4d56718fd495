//! Asks every question, keeps the answers and prints them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::questions::QUESTIONS;
use super::seen::{Agrees, Seen};
use super::site::Site;
use crate::admin::output::{Verdict, json_text, write};
use crate::admin::table::{Cell, table};
use crate::config::{self, Config, built};
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::panel::Panel;
use crate::progress::Progress;
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::HandlerSettings;
use crate::state::{prepare_directory, replace};

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
Exit status: 0 when no assumption is contradicted, 1 otherwise.
The answers, without any client's data, are kept in var/pmvmmanager6/verify-<handler>.json.

--json prints them, one object:
  {\"handler\": 1, \"program\": \"…\", \"at\": \"2026-11-22 16:01:42\", \"contradicted\": 0,
   \"questions\": [{\"row\": \"1, 4\", \"question\": \"…\", \"assumes\": \"…\", \"seen\": \"…\", \"agrees\": \"yes\"}]}
agrees: yes, no, unknown.";

#[derive(Serialize)]
struct Document {
    handler: HandlerId,
    program: &'static str,
    at: String,
    contradicted: usize,
    questions: Vec<Answered>,
}

#[derive(Serialize)]
struct Answered {
    question: &'static str,
    about: &'static str,
    assumes: &'static str,
    seen: String,
    agrees: Agrees,
}

/// Asks, keeps the answers, prints them. A contradicted assumption is a finding.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let config = &config.impatient();
    let handler = Panel::new(config).handler(options.module)?;
    let vmm = connection::connect(config, &HandlerSettings::read(&handler.params), &Password::Stored(&handler))?;
    vmm.log_in()?;
    let document = Document::ask(handler.id, &Site::new(&vmm));
    let text = json_text(&document)?;
    let file = keep(config, handler.id, &text)?;
    write(out, &if options.json { text } else { document.text(&handler.name, &file) })?;
    Ok(if document.contradicted == 0 { Verdict::Fine } else { Verdict::Findings })
}

/// Replaces the answers of an earlier run.
fn keep(config: &Config, handler: HandlerId, text: &str) -> Result<PathBuf> {
    let directory = config.state_dir();
    prepare_directory(&directory)?;
    let file = directory.join(format!("verify-{handler}.json"));
    replace(&file, text.as_bytes(), 0o600).map(|()| file.clone()).map_err(|error| {
        Error::new(Kind::State, file.display().to_string(), format!("the answers cannot be kept: {error}"))
            .cure("look at the space and the mode of the directory")
    })
}

impl Document {
    fn ask(handler: HandlerId, site: &Site) -> Self {
        let progress = Progress::new();
        let questions: Vec<Answered> = QUESTIONS
            .iter()
            .map(|asked| {
                progress.show(&format!("{} …", asked.topic));
                let Seen { what, agrees } = (asked.ask)(site).unwrap_or_else(|error| Seen::unread(&error));
                Answered { question: asked.name, about: asked.topic, assumes: asked.assumes, seen: what, agrees }
            })
            .collect();
        let contradicted = questions.iter().filter(|answered| answered.agrees == Agrees::No).count();
        let at = config::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        Document { handler, program: built::FULL, at, contradicted, questions }
    }

    fn text(&self, name: &str, file: &Path) -> String {
        let rows: Vec<_> = self.questions.iter().flat_map(Answered::rows).collect();
        let end = match self.contradicted {
            0 => "No assumption is contradicted.".to_owned(),
            number => format!(
                "{number} of the module's assumptions do not hold here: do not sell through this handler before that is \
                 settled; send the file below with your report."
            ),
        };
        let title = format!("handler {} {name}", self.handler);
        let file = file.display();
        let left = "What only a change can show (stopping, resizing, installing) is left open.";
        format!(
            "{}\n{end}\n{left}\nThe answers are in {file}.\n",
            table(["AGREES", "QUESTION", "ABOUT", &title], &rows)
        )
    }
}

impl Answered {
    fn rows(&self) -> Vec<[Cell; 4]> {
        let (word, style) = match self.agrees {
            Agrees::Yes => ("yes", AnsiColor::Green.on_default()),
            Agrees::No => ("no", AnsiColor::Red.on_default().bold()),
            Agrees::Unknown => ("unknown", Style::new().dimmed()),
        };
        let row = [Cell::styled(style, word), self.question.into(), self.about.into(), self.seen.as_str().into()];
        let assumed = || ["".into(), "".into(), "".into(), format!("→ the module assumes: {}", self.assumes).into()];
        std::iter::once(row).chain((self.agrees == Agrees::No).then(assumed)).collect()
    }
}
