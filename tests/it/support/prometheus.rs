//! A strict reader of Prometheus' text format: whatever the format or its conventions do not allow fails the test.

use std::collections::{BTreeMap, BTreeSet};

use super::processes::Room;
use super::world::TestWorld;

/// Every series by its name with labels, and the types of the metrics.
pub(crate) struct Metrics {
    series: BTreeMap<String, f64>,
    /// Types by name.
    pub types: BTreeMap<String, String>,
}

impl Metrics {
    /// The metrics of a world; `metrics` itself finds nothing wrong.
    #[track_caller]
    pub(crate) fn of(world: &TestWorld) -> Self {
        let run = world.bill.run(&["metrics"]);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        Self::parse(&run.stdout)
    }

    /// The metrics of a room.
    #[track_caller]
    pub(crate) fn in_room(room: &Room) -> Self {
        let (status, text, complaint) = room.run(&["metrics"]);
        assert_eq!((status, complaint.as_str()), (0, ""), "{text}");
        Self::parse(&text)
    }

    /// Reads a text.
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
        let mut metrics = Metrics { series: BTreeMap::new(), types: BTreeMap::new() };
        let mut helped = BTreeSet::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
                name.clone_into(&mut current);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, current, "HELP comes before TYPE");
                assert!(is_name(name) && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                assert!(metrics.types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            } else {
                metrics.sample(line, &current);
            }
        }
        metrics.check_histograms();
        metrics
    }

    #[track_caller]
    fn sample(&mut self, line: &str, current: &str) {
        let (series, value) = line.rsplit_once(' ').expect(line);
        let value: f64 = value.parse().expect(line);
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
            None => (series, ""),
        };
        assert!(is_name(name) && value >= 0.0, "{line}");
        let kind = self.types.get(current).unwrap_or_else(|| panic!("a sample without a type: {line}"));
        let tails: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(tails.iter().any(|tail| name == format!("{current}{tail}")), "{line} is under {current}");
        let labels = labels_of(labels);
        assert_eq!(labels.iter().any(|(name, _)| name == "le"), name.ends_with("_bucket"), "{line}");
        assert!(self.series.insert(series.to_owned(), value).is_none(), "twice: {line}");
    }

    /// Buckets never fall, and the last one is the count.
    #[track_caller]
    fn check_histograms(&self) {
        for (name, kind) in &self.types {
            if kind != "histogram" {
                continue;
            }
            let prefix = format!("{name}_bucket");
            let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
            for (series, value) in self.series.iter().filter(|(series, _)| series.starts_with(&prefix)) {
                let mut labels = labels_of(&series[prefix.len() + 1..series.len() - 1]);
                let (_, bound) = labels.pop().unwrap();
                let others = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect::<Vec<_>>();
                let bound = bound.parse::<f64>().unwrap();
                buckets.entry(others.join(",")).or_default().push((bound, *value));
            }
            for (labels, mut buckets) in buckets {
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name} {labels}: {buckets:?}");
                let last = buckets.last().unwrap();
                assert!(last.0.is_infinite(), "{name} {labels} has no +Inf");
                let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
                assert_eq!(self.get(&format!("{name}_count{labels}")), Some(last.1), "{name} {labels}");
                assert!(self.get(&format!("{name}_sum{labels}")).is_some(), "{name} {labels}");
            }
        }
    }

    /// A series by its name with labels, without the prefix that all share.
    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        let prefixed = format!("pmvmmanager6_{}", series.trim_start_matches("pmvmmanager6_"));
        self.series.get(&prefixed).copied()
    }

    /// How many series there are.
    pub(crate) fn count(&self) -> usize {
        self.series.len()
    }

    /// Every series of a metric with its value, in order, as `{labels} value`.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let prefix = format!("pmvmmanager6_{name}");
        let rest = |(series, value): (&String, &f64)| {
            let labels = series.strip_prefix(&prefix)?;
            (labels.is_empty() || labels.starts_with('{')).then(|| format!("{labels} {value}"))
        };
        self.series.iter().filter_map(rest).collect()
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with("pmvmmanager6_") && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Names and unescaped values.
#[track_caller]
fn labels_of(text: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect(text);
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
        let (mut value, mut end, mut escaped) = (String::new(), None, false);
        for (at, c) in after.char_indices() {
            match (escaped, c) {
                (true, 'n') => value.push('\n'),
                (true, '\\' | '"') => value.push(c),
                (true, _) => panic!("a wrong escape: {text}"),
                (false, '\\') => {}
                (false, '"') => {
                    end = Some(at);
                    break;
                }
                (false, _) => value.push(c),
            }
            escaped = !escaped && c == '\\';
        }
        labels.push((name.to_owned(), value));
        rest = &after[end.expect(text) + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}
