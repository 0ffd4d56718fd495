//! Prometheus' text format, version 0.0.4: one block a metric, with its help, its type and its series.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use crate::metrics::Sample;
use crate::tally::{BOUNDS, INFINITE, SUM};

/// A label as it is written, its value escaped.
pub fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The text so far.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// The whole text.
    pub fn text(self) -> String {
        self.0
    }

    /// A metric that goes up and down: labels and values of its series.
    pub fn gauge(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (String, String)>) {
        self.head(name, help, "gauge");
        series.into_iter().for_each(|(labels, value)| self.sample(name, &labels, &value));
    }

    /// A metric that only grows.
    pub fn counter(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (String, i64)>) {
        self.head(name, help, "counter");
        series.into_iter().for_each(|(labels, value)| self.sample(name, &labels, &value));
    }

    /// Durations: what is stored by bucket is written as Prometheus counts it, each bucket with those below it.
    pub fn histogram(&mut self, name: &str, help: &str, samples: &[&Sample]) {
        self.head(name, help, "histogram");
        let mut series: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
        for sample in samples {
            series.entry(&sample.labels).or_default().insert(&sample.part, sample.value);
        }
        for (labels, parts) in series {
            let part = |name: &str| parts.get(name).copied().unwrap_or_default();
            let comma = if labels.is_empty() { "" } else { "," };
            let mut count = 0;
            for bound in BOUNDS.map(|(bound, _)| bound).into_iter().chain([INFINITE]) {
                count += part(bound);
                self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}{}", label("le", bound)), &count);
            }
            self.sample(&format!("{name}_sum"), labels, &seconds(part(SUM)));
            self.sample(&format!("{name}_count"), labels, &count);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: &dyn Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn seconds(microseconds: i64) -> String {
    format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
}
