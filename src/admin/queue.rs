//! `pmvmmanager6 queue`: who works, who waits, what is paused.
//!
//! `--json` prints one object:
//!
//! ```json
//! {"paused_all": false,
//!  "queues": [{"key": "12", "paused": false,
//!    "running": [{"queue": "12-1", "number": 1, "ticket": 7, "command": "open", "service": 4711, "handler": 12,
//!                 "pid": 1234, "age_seconds": 3.2, "running_seconds": 3.1}],
//!    "waiting": [{"place": 1, "ticket": 8, "command": "suspend", "service": 4712, "handler": 12, "pid": 1240,
//!                 "age_seconds": 1.5}]}]}
//! ```
//!
//! `service` and `handler` are null where an operation has none. A service's own ticket has the key `service:<id>`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::output::{write, write_document, write_json};
use super::table::{age, or_dash, table};
use crate::error::Result;
use crate::id::{HandlerId, ServiceId};
use crate::queue::{self, Entry, Scope, Standing, Watch};
use crate::text::{LONGEST, clean};

/// How often the ages are drawn again while somebody is listed. A killed process shows then too.
const TICK: Duration = Duration::from_secs(1);
/// Over [`Row::cells`].
pub(super) const HEADING: [&str; 7] = ["QUEUE", "STATE", "PLACE", "OPERATION", "SERVICE", "PROCESS", "AGE"];
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Print JSON
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    /// Show it again whenever it changes
    #[arg(long)]
    watch: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Let operations that run finish, and further ones wait
    Pause(Keys),
    /// Let the waiting operations go on
    Resume(Keys),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Keys {
    /// Queue key, as "queue" shows it without its number
    key: Option<String>,
    /// Every queue, also those that are empty now
    #[arg(long)]
    all: bool,
}

impl Keys {
    fn scope(&self) -> Scope {
        self.key.clone().map_or(Scope::All, Scope::Key)
    }
}

/// Runs the command on the runtime directory.
pub(crate) fn run(directory: &Path, options: &Options, out: &mut dyn Write) -> Result<()> {
    match &options.action {
        Some(Action::Pause(keys)) => {
            let scope = keys.scope();
            let text = if queue::pause(directory, &scope)? {
                "paused; operations that run finish, further ones wait until \"queue resume\""
            } else {
                "was paused already"
            };
            write(out, &format!("{}: {text}\n", name(&scope)))
        }
        Some(Action::Resume(keys)) => {
            let scope = keys.scope();
            let text = if queue::resume(directory, &scope)? { "resumed" } else { "was not paused" };
            write(out, &format!("{}: {text}\n", name(&scope)))
        }
        None if options.watch => watch(directory, out),
        None if options.json => write_json(out, &Document::read(directory)?),
        None => write(out, &Document::read(directory)?.text()),
    }
}

fn name(scope: &Scope) -> String {
    match scope {
        Scope::All => "all queues".to_owned(),
        Scope::Key(key) => format!("queue {}", clean(key, LONGEST)),
    }
}

fn watch(directory: &Path, out: &mut dyn Write) -> Result<()> {
    let watch = Watch::new(directory)?;
    loop {
        let document = Document::read(directory)?;
        write_document(out, CLEAR_SCREEN)?;
        write(out, &document.text())?;
        let is_empty = document.queues.iter().all(|queue| queue.running.is_empty() && queue.waiting.is_empty());
        watch.wait((!is_empty).then_some(TICK))?;
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    paused_all: bool,
    queues: Vec<Queue>,
}

#[derive(Debug, Default, Serialize)]
struct Queue {
    key: String,
    paused: bool,
    running: Vec<Row>,
    waiting: Vec<Row>,
}

/// A ticket as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    ticket: i64,
    command: String,
    service: Option<ServiceId>,
    handler: Option<HandlerId>,
    pid: u32,
    age_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    running_seconds: Option<f64>,
}

impl Document {
    /// The queue as it is now.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let paused = queue::paused(directory);
        let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
        for scope in &paused {
            if let Scope::Key(key) = scope {
                queues.entry(key.clone()).or_default().paused = true;
            }
        }
        for entry in queue::list(directory)? {
            let queue = queues.entry(entry.key.clone()).or_default();
            match entry.place {
                Standing::Running { .. } => queue.running.push(Row::from(entry)),
                Standing::Waiting { .. } => queue.waiting.push(Row::from(entry)),
            }
        }
        let named = queues.into_iter().map(|(key, queue)| Queue { key, ..queue });
        Ok(Document { paused_all: paused.contains(&Scope::All), queues: named.collect() })
    }

    fn text(&self) -> String {
        let all =
            self.paused_all.then(|| "All queues are paused: \"queue resume --all\" lets them go on.\n".to_owned());
        let paused = self
            .queues
            .iter()
            .filter(|queue| queue.paused)
            .map(|Queue { key, .. }| format!("Queue {key} is paused: \"queue resume {key}\" lets it go on.\n"));
        let text: String = all.into_iter().chain(paused).collect();
        let rows: Vec<_> = self.queues.iter().flat_map(Queue::rows).collect();
        if rows.is_empty() {
            return text + "No operation runs or waits.\n";
        }
        text + &table(HEADING, &rows)
    }
}

impl Queue {
    fn rows(&self) -> Vec<[String; 7]> {
        self.running.iter().chain(&self.waiting).map(|row| row.cells(&self.key)).collect()
    }
}

impl Row {
    /// One line of the table.
    pub(super) fn cells(&self, key: &str) -> [String; 7] {
        [
            self.queue.clone().unwrap_or_else(|| key.to_owned()),
            if self.number.is_some() { "running" } else { "waiting" }.to_owned(),
            or_dash(self.place),
            self.command.clone(),
            or_dash(self.service),
            self.pid.to_string(),
            age(Duration::from_secs_f64(self.running_seconds.unwrap_or(self.age_seconds))),
        ]
    }
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        let (number, place, running) = match entry.place {
            Standing::Running { number, running } => (Some(number), None, Some(running)),
            Standing::Waiting { place } => (None, Some(place), None),
        };
        Row {
            queue: number.map(|number| format!("{}-{number}", entry.key)),
            number,
            place,
            ticket: entry.ticket,
            command: entry.label.command,
            service: entry.label.item,
            handler: entry.label.handler,
            pid: entry.pid,
            age_seconds: entry.age.as_secs_f64(),
            running_seconds: running.map(|running| running.as_secs_f64()),
        }
    }
}
