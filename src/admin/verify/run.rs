//! Asks every question, keeps the answers and prints them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::questions::{PROOFS, QUESTIONS, Question};
use super::seen::{Agrees, Seen};
use super::site::Site;
use crate::admin::output::{Verdict, json_text, write};
use crate::admin::table::{Cell, table};
use crate::config::{self, Config, built};
use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, PlatformId};
use crate::journal::Journal;
use crate::log;
use crate::panel::Panel;
use crate::progress::Progress;
use crate::service::platform::password::Password;
use crate::service::platform::{connection, recognise};
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
What is proved is kept for the handler's VMmanager, and the module relies on it there: interfaces (the better way to give a new
VM its additional interface), calendar_month (counters of traffic begin anew with the month).

--json prints them, one object:
  {\"handler\": 1, \"program\": \"…\", \"at\": \"2026-11-22 16:01:42\", \"contradicted\": 0,
   \"platform\": 1, \"proved\": [\"interfaces\"],
   \"questions\": [{\"question\": \"…\", \"assumes\": \"…\", \"seen\": \"…\", \"agrees\": \"yes\"}]}
agrees: yes, no, unknown. platform: null when it is not known which VMmanager this is; then nothing is kept.";

/// Nobody waits longer for a VMmanager that does not answer.
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Document {
    handler: HandlerId,
    program: &'static str,
    at: String,
    contradicted: usize,
    platform: Option<PlatformId>,
    proved: Vec<&'static str>,
    questions: Vec<Answered>,
}

#[derive(Serialize)]
struct Answered {
    question: &'static str,
    about: &'static str,
    assumes: &'static str,
    seen: String,
    agrees: Agrees,
    #[serde(skip)]
    proves: Option<bool>,
}

/// Asks, keeps the answers, prints them. A contradicted assumption is a finding.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let config = &config.impatient();
    let handler = Panel::new(config).handler(options.module)?;
    let vmm = connection::connect(config, &HandlerSettings::read(&handler.params), &Password::Stored(&handler))?;
    vmm.log_in()?;
    let journal = Journal::open(config)?;
    let recognised = recognise::Site { handler: handler.id, vmm: &vmm, journal: &journal }.recognise(None);
    let platform = recognised.inspect_err(|error| log::warn!("what is proved is not kept: {error}")).ok();
    let turns = platform.map_or_else(|| Ok(Vec::new()), |platform| journal.month_turns(platform))?;
    let mut document = Document::ask(handler.id, &Site::new(&vmm, turns));
    document.keep_proofs(&journal, platform)?;
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
        let (progress, started) = (Progress::new(), Instant::now());
        let questions: Vec<Answered> = QUESTIONS
            .iter()
            .map(|asked| {
                progress.show(&format!("{} …", asked.topic));
                let Seen { what, agrees, proves } = if started.elapsed() > LONGEST {
                    Seen::unknown("not asked: the answers so far took too long")
                } else {
                    (asked.ask)(site).unwrap_or_else(|error| Seen::unread(&error))
                };
                let Question { name, topic, assumes, .. } = asked;
                Answered { question: name, about: topic, assumes, seen: what, agrees, proves }
            })
            .collect();
        let contradicted = questions.iter().filter(|answered| answered.agrees == Agrees::No).count();
        let at = config::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let (program, proved) = (built::FULL, Vec::new());
        Document { handler, program, at, contradicted, platform: None, proved, questions }
    }

    /// Keeps what was proved now with the platform; what was not seen this time stays as it was.
    fn keep_proofs(&mut self, journal: &Journal, platform: Option<PlatformId>) -> Result<()> {
        self.platform = platform;
        let Some(platform) = platform else { return Ok(()) };
        for (question, proof) in PROOFS {
            let answered = self.questions.iter().find(|answered| answered.question == question);
            if let Some(holds) = answered.and_then(|answered| answered.proves) {
                journal.note_proof(platform, proof, holds)?;
            }
            if journal.has_proved(platform, proof)? {
                self.proved.push(proof.name());
            }
        }
        Ok(())
    }

    fn proofs(&self) -> String {
        let Some(platform) = self.platform else {
            return "It is not known which VMmanager this is (see pmvmmanager6 platform): nothing that was proved is kept.".to_owned();
        };
        match self.proved.as_slice() {
            [] => format!("Nothing is proved for platform {platform}: the module goes the safe way."),
            proved => format!("Proved for platform {platform}, and relied on there: {}.", proved.join(", ")),
        }
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
            "{}\n{end}\n{}\n{left}\nThe answers are in {file}.\n",
            table(["AGREES", "QUESTION", "ABOUT", &title], &rows),
            self.proofs()
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
