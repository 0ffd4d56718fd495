//! What is published, as Prometheus' text format (version 0.0.4) or as one JSON document.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::metrics::Sample;
use crate::recorder::{Bound, INFINITE, SUM};

/// Labels of a series: names and values.
pub(super) type Labels = Vec<(String, String)>;

pub(super) fn label(name: &str, value: &str) -> Labels {
    vec![(name.to_owned(), value.to_owned())]
}

#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    /// Events, operations, or 0 and 1.
    Whole(i64),
    Seconds(f64),
}

impl Number {
    pub(super) fn count(things: usize) -> Self {
        Number::Whole(i64::try_from(things).unwrap_or(i64::MAX))
    }

    fn micros(microseconds: i64) -> Self {
        Number::Seconds(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)).as_secs_f64())
    }
}

impl From<bool> for Number {
    fn from(is: bool) -> Self {
        Number::Whole(i64::from(is))
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(number) => number.fmt(f),
            Number::Seconds(seconds) => write!(f, "{seconds:.6}"),
        }
    }
}

/// Everything so far.
#[derive(Default, Serialize)]
pub(super) struct Page {
    metrics: Vec<Block>,
}

/// A metric with its series.
#[derive(Serialize)]
struct Block {
    name: String,
    help: String,
    #[serde(rename = "type")]
    kind: &'static str,
    samples: Vec<Line>,
}

/// A series. A histogram has several a set of labels, with names of their own.
#[derive(Serialize)]
struct Line {
    name: String,
    #[serde(serialize_with = "as_object")]
    labels: Labels,
    value: Number,
}

impl Page {
    /// Prometheus' text: one block a metric, with its help, its type and its series.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for Block { name, help, kind, samples } in &self.metrics {
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for line in samples {
                _ = writeln!(text, "{}{} {}", line.name, braced(&line.labels), line.value);
            }
        }
        text
    }

    /// A metric that goes up and down: labels and values of its series.
    pub(super) fn gauge(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, Number)>) {
        self.begin(name, help, "gauge");
        series.into_iter().for_each(|(labels, value)| self.add(name, labels, value));
    }

    /// A metric that only grows.
    pub(super) fn counter(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, i64)>) {
        self.begin(name, help, "counter");
        series.into_iter().for_each(|(labels, value)| self.add(name, labels, Number::Whole(value)));
    }

    /// Durations: what is stored by bucket is published as Prometheus counts it, each bucket with those below it.
    ///
    /// A series begins with its first duration, and has all its buckets from then on: Prometheus adds them up by bound
    /// over all series, and a bucket that came later would lose its first duration.
    pub(super) fn histogram(&mut self, name: &str, help: &str, bounds: &[Bound], samples: &[&Sample]) {
        self.begin(name, help, "histogram");
        let mut series: BTreeMap<Labels, BTreeMap<&str, i64>> = BTreeMap::new();
        for sample in samples {
            *series.entry(sample.labels()).or_default().entry(bucket(bounds, &sample.part)).or_default() +=
                sample.value;
        }
        for (labels, parts) in series {
            let part = |name: &str| parts.get(name).copied().unwrap_or_default();
            let mut count = 0;
            for bound in bounds.iter().map(|(bound, _)| *bound).chain([INFINITE]) {
                count += part(bound);
                let bucket = labels.clone().into_iter().chain(label("le", bound)).collect();
                self.add(&format!("{name}_bucket"), bucket, Number::Whole(count));
            }
            self.add(&format!("{name}_sum"), labels.clone(), Number::micros(part(SUM)));
            self.add(&format!("{name}_count"), labels, Number::Whole(count));
        }
    }

    fn begin(&mut self, name: &str, help: &str, kind: &'static str) {
        self.metrics.push(Block { name: name.to_owned(), help: help.to_owned(), kind, samples: Vec::new() });
    }

    fn add(&mut self, name: &str, labels: Labels, value: Number) {
        if let Some(block) = self.metrics.last_mut() {
            block.samples.push(Line { name: name.to_owned(), labels, value });
        }
    }
}

/// Where a stored part is counted: an earlier release had other bounds.
fn bucket<'a>(bounds: &[Bound], part: &'a str) -> &'a str {
    let Ok(stored) = part.parse::<f64>() else { return part };
    let holds = |(bound, _): &&Bound| bound.parse::<f64>().is_ok_and(|bound| stored <= bound);
    bounds.iter().find(holds).map_or(INFINITE, |(bound, _)| *bound)
}

/// Labels as they are written, their values escaped.
fn braced(labels: &Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let each = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    format!("{{{}}}", each.collect::<Vec<_>>().join(","))
}

fn as_object<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter().map(|(name, value)| (name, value)))
}
