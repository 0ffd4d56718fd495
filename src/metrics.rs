//! Counters of all runs together, in a file of their own: `metrics.json` of the runtime directory.
//!
//! ```json
//! {"version": 1, "counted": {"pmvmmanager6_logins_total": {"result=\"success\"": {"": 17}}}}
//! ```
//!
//! Metric, labels, part of the series, number. Each panel command adds what it has counted ([`crate::recorder`]) at its very
//! end, under the file's guard: the whole file is replaced in one step, so a run that is killed before that loses only its
//! own numbers. A reboot begins again, which Prometheus understands. It is not a table of `runtime.db`, because
//! counting must neither hold the queue's guard nor be able to damage its index. Nothing depends on the file: a damaged
//! one is set aside, one that cannot be written is not.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Result;
use crate::state::{Failure, failure, guard, prepare_directory, replace};
use crate::{fault, log, recorder};

const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
struct Document {
    version: u32,
    counted: BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>,
}

impl Default for Document {
    fn default() -> Self {
        Document { version: VERSION, counted: BTreeMap::new() }
    }
}

/// A stored number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// [`recorder::Metric::name`].
    pub metric: String,
    /// As Prometheus writes them: `command="open",result="success"`.
    pub labels: String,
    /// As in [`recorder::Series`].
    pub part: String,
    /// Events, or microseconds.
    pub value: i64,
}

impl Sample {
    /// Names and values of the labels: words of the program, in which nothing is escaped.
    pub fn labels(&self) -> Vec<(String, String)> {
        let pairs = self.labels.split(',').filter_map(|label| label.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
    }
}

/// Adds what this run has counted.
pub fn store(config: &Config) -> Result<()> {
    let directory = config.runtime_dir();
    prepare_directory(&directory)?;
    let file = path(&directory);
    let _guard = guard(&file)?;
    let mut document = match load(&file) {
        Err(Failure::Damaged(reason)) => {
            let aside = directory.join("metrics.json.bad-1");
            std::fs::rename(&file, &aside).map_err(|e| failure::io(&file, "the file cannot be set aside", &e))?;
            log::warn!("{} cannot be used ({reason}): it is now {}", file.display(), aside.display());
            Document::default()
        }
        read => read.map_err(|failure| failure.explain(&file, "move it away"))?,
    };
    for ((metric, values, part), value) in recorder::take() {
        let labels = metric.labels().iter().zip(values).map(|(name, value)| format!("{name}=\"{value}\""));
        let series = document.counted.entry(metric.name().to_owned()).or_default();
        let series = series.entry(labels.collect::<Vec<_>>().join(",")).or_default();
        let total = series.entry(part.to_owned()).or_default();
        *total = total.saturating_add(value);
    }
    let text =
        serde_json::to_vec(&document).map_err(|e| failure::io(&file, "the file cannot be written", &e.into()))?;
    fault::point("metrics.storing");
    replace(&file, &text, 0o600).map_err(|e| failure::io(&file, "the file cannot be written", &e))
}

/// Everything stored, in order; nothing when no run has stored anything yet.
pub fn read(config: &Config) -> Result<Vec<Sample>> {
    let file = path(&config.runtime_dir());
    let document = load(&file).map_err(|failure| failure.explain(&file, "the next operation sets it aside"))?;
    let mut samples = Vec::new();
    for (metric, series) in document.counted {
        for (labels, parts) in series {
            samples.extend(parts.into_iter().map(|(part, value)| Sample {
                metric: metric.clone(),
                labels: labels.clone(),
                part,
                value,
            }));
        }
    }
    Ok(samples)
}

fn path(directory: &Path) -> PathBuf {
    directory.join("metrics.json")
}

fn load(file: &Path) -> std::result::Result<Document, Failure> {
    let bytes = match std::fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Document::default()),
        read => read.map_err(|error| failure::io(file, "the file cannot be read", &error))?,
    };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| Failure::Damaged(error.to_string()))?;
    match document.version {
        VERSION => Ok(document),
        other => Err(Failure::Damaged(format!("it has version {other}, this program knows {VERSION}"))),
    }
}
