//! What is read and how it becomes a page of metrics.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::capacity;
use super::exposition::{Number, Page, label};
use crate::admin::last_audit;
use crate::admin::output::{Verdict, write, write_json};
use crate::config::{Config, built};
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::metrics::{self, Sample};
use crate::queue::{self, Scope, Standing};
use crate::recorder::{Metric, Shape};
use crate::service::report::phases::{self, Progress};
use crate::service::report::probe::{self, Probed};
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
    /// Look too whether each handler's VMmanager answers and when its certificate ends; nothing is sent but one request
    /// without a login
    #[arg(long)]
    probe: bool,
    /// Ask every handler's VMmanager too how many more VMs of each tariff fit
    #[arg(long)]
    capacity: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Each command that BILLmanager runs adds its numbers when it ends; one that is killed adds none. They are kept in
/run/pmvmmanager6/metrics.json: a reboot resets them, which Prometheus understands. Queue and journal are looked at
now; of audits, what the last one of each handler found. What is run by hand counts only in the form --command.

--capacity adds pmvmmanager6_capacity_vms. A tariff of which nobody knows how many VMs fit has none; 0 is certain.

What cannot be read is left out, pmvmmanager6_readable{part=\"…\"} is 0, and the exit status is 1.

--json prints one object:
{\"metrics\": [{\"name\", \"help\", \"type\", \"samples\": [{\"name\", \"labels\": {…}, \"value\"}]}]}";

/// Prints the metrics, or writes them into a file. Findings when something could not be read.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let mut page = Page::default();
    page.gauge("pmvmmanager6_info", "Version of the module.", [(label("version", built::VERSION), Number::Whole(1))]);
    let mut parts = vec![
        ("audit", audits(config, &mut page)),
        ("counters", counters(config, &mut page)),
        ("queue", queues(&config.runtime_dir(), &mut page)),
        ("journal", journal(config, &mut page)),
    ];
    if options.probe {
        parts.push(("vmmanager", probed(config, &mut page)));
    }
    if options.capacity {
        parts.push(("capacity", capacity::series(&config.impatient(), &mut page)));
    }
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
    let Progress { phases, oldest } = phases::count(config)?;
    let phases = phases.into_iter().map(|(phase, count)| (label("phase", phase), Number::count(count)));
    let help = "Services in the journal; intended, requested, accepted and deleting are unfinished.";
    page.gauge("pmvmmanager6_journal_services", help, phases);
    let help = "Time since the last step of the unfinished service that has waited longest for its next one.";
    let oldest = Number::Seconds(oldest.as_secs_f64());
    page.gauge("pmvmmanager6_journal_oldest_unfinished_seconds", help, [(Vec::new(), oldest)]);
    Ok(())
}

/// What the last audit of each handler found, without notes.
fn audits(config: &Config, page: &mut Page) -> Result<()> {
    let audits = last_audit::read(config)?;
    let of = |handler: &HandlerId| label("handler", &handler.to_string());
    let each = audits.iter().map(|(handler, audit)| (of(handler), Number::Whole(audit.at)));
    page.gauge("pmvmmanager6_audit_timestamp_seconds", "When the handler was last audited.", each);
    let of_kind = |handler, kind: &str| [of(handler), label("kind", kind)].concat();
    let findings = audits.iter().flat_map(|(handler, audit)| {
        audit.findings.iter().map(move |(kind, count)| (of_kind(handler, kind), Number::count(*count)))
    });
    let help = "What that audit found, by kind; what it did not find is absent.";
    page.gauge("pmvmmanager6_audit_findings", help, findings);
    Ok(())
}

/// Every handler's VMmanager as it is seen from outside.
fn probed(config: &Config, page: &mut Page) -> Result<()> {
    let seen = probe::all(config)?;
    let of = |it: &Probed| label("handler", &it.handler.to_string());
    let answers = seen.iter().map(|it| (of(it), it.answers.into()));
    page.gauge("pmvmmanager6_vmmanager_up", "Whether the handler's VMmanager answers.", answers);
    let ends = seen.iter().filter_map(|it| Some((of(it), Number::Whole(it.certificate_ends?.as_second()))));
    let help = "When the certificate of the handler's VMmanager ends; absent where the end does not matter.";
    page.gauge("pmvmmanager6_vmmanager_certificate_expiry_timestamp_seconds", help, ends);
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
