//! What is read and how it becomes a page of metrics.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::exposition::{Number, Page, label};
use crate::admin::output::{Verdict, write, write_json};
use crate::config::{Config, built};
use crate::error::{Error, Kind, Result};
use crate::metrics::{self, Sample};
use crate::queue::{self, Scope, Standing};
use crate::recorder::{Metric, Shape};
use crate::service::report::phases;
use crate::settings::SERVICE_PREFIX;
use crate::state::{refuse_shared, replace};

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// Replace this file in one step instead: for node exporter's textfile collector, so name it *.prom. Nobody but root
    /// may be able to change its directory
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Each command that BILLmanager runs adds its numbers when it ends; one that is killed adds none. They are kept in
/run/pmvmmanager6/metrics.json: a reboot resets them, which Prometheus understands. Queue and journal are looked at
now. What is run by hand counts only in the form --command.

What cannot be read is left out, pmvmmanager6_readable{part=\"…\"} is 0, and the exit status is 1.

--json prints one object:
{\"metrics\": [{\"name\", \"help\", \"type\", \"samples\": [{\"name\", \"labels\": {…}, \"value\"}]}]}";

/// Prints the metrics, or writes them into a file. Findings when something could not be read.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let mut page = Page::default();
    page.gauge("pmvmmanager6_info", "Version of the module.", [(label("version", built::VERSION), Number::Whole(1))]);
    let parts = [
        ("counters", counters(config, &mut page)),
        ("queue", queues(&config.runtime_dir(), &mut page)),
        ("journal", journal(config, &mut page)),
    ];
    let readable = parts.iter().map(|(part, read)| (label("part", part), read.is_ok().into()));
    page.gauge("pmvmmanager6_readable", "Whether this part of the module's state could be read.", readable);
    match &options.output {
        Some(file) => write_file(file, &page.text())?,
        None if options.json => write_json(out, &page)?,
        None => write(out, &page.text())?,
    }
    let mut verdict = Verdict::Fine;
    for error in parts.into_iter().filter_map(|(_, read)| read.err()) {
        _ = writeln!(std::io::stderr(), "pmvmmanager6: {error}");
        verdict = Verdict::Findings;
    }
    Ok(verdict)
}

fn counters(config: &Config, page: &mut Page) -> Result<()> {
    let samples = metrics::read(config)?;
    for metric in Metric::ALL {
        let own: Vec<&Sample> = samples.iter().filter(|sample| sample.metric == metric.name()).collect();
        match metric.shape() {
            // Without labels there is one series, which begins at zero.
            Shape::Counter if own.is_empty() && metric.labels().is_empty() => {
                page.counter(metric.name(), metric.help(), [(Vec::new(), 0)]);
            }
            Shape::Counter => {
                page.counter(metric.name(), metric.help(), own.iter().map(|it| (it.labels(), it.value)));
            }
            shape => page.histogram(metric.name(), metric.help(), shape.bounds(), &own),
        }
    }
    Ok(())
}

/// A queue as it is now.
#[derive(Default)]
struct Standings {
    running: usize,
    waiting: usize,
    oldest: f64,
    paused: bool,
}

/// The queue of all tickets of services: their own keys come and go with every service. No handler's key begins like
/// it.
const SERVICES: &str = "service:*";

/// The queues by key, and what is paused.
fn queues(directory: &Path, page: &mut Page) -> Result<()> {
    let name = |key: &str| if key.starts_with(SERVICE_PREFIX) { SERVICES.to_owned() } else { key.to_owned() };
    let mut queues: BTreeMap<String, Standings> = BTreeMap::new();
    for entry in queue::list(directory)? {
        let queue = queues.entry(name(&entry.key)).or_default();
        match entry.place {
            Standing::Running { .. } => queue.running += 1,
            Standing::Waiting { .. } => {
                queue.waiting += 1;
                queue.oldest = queue.oldest.max(entry.age.as_secs_f64());
            }
        }
    }
    let paused = queue::paused(directory);
    for scope in &paused {
        if let Scope::Key(key) = scope {
            queues.entry(name(key)).or_default().paused = true;
        }
    }
    let each = |value: fn(&Standings) -> Number| queues.iter().map(move |(key, it)| (label("queue", key), value(it)));
    page.gauge("pmvmmanager6_queue_running", "Operations that run.", each(|it| Number::count(it.running)));
    page.gauge("pmvmmanager6_queue_waiting", "Operations that wait.", each(|it| Number::count(it.waiting)));
    let help = "Time since the arrival of the operation that waits longest.";
    page.gauge("pmvmmanager6_queue_oldest_wait_seconds", help, each(|it| Number::Seconds(it.oldest)));
    page.gauge("pmvmmanager6_queue_paused", "Whether the queue is paused.", each(|it| it.paused.into()));
    let all = paused.contains(&Scope::All).into();
    page.gauge("pmvmmanager6_queues_paused", "Whether all queues are paused.", [(Vec::new(), all)]);
    Ok(())
}

fn journal(config: &Config, page: &mut Page) -> Result<()> {
    let phases = phases::count(config)?.into_iter().map(|(phase, count)| (label("phase", phase), Number::count(count)));
    let help = "Services in the journal; intended, requested, accepted and deleting are unfinished.";
    page.gauge("pmvmmanager6_journal_services", help, phases);
    Ok(())
}

/// The collector may read at any moment, and is not root; it passes over names that do not end in `.prom`.
fn write_file(file: &Path, text: &str) -> Result<()> {
    refuse_shared(file)?;
    replace(file, text.as_bytes(), 0o644).map_err(|error| {
        let path = file.display().to_string();
        Error::new(Kind::State, path.as_str(), format!("the metrics cannot be written to {path}: {error}"))
    })
}
