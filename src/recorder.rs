//! What this run counts, in memory until [`crate::metrics`] stores it at the end.
//!
//! Names and label values are fixed texts of the program by their types, so that nothing from outside can multiply the
//! series: commands come from the table, results from the error types, methods from the three that VMmanager knows.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::error::Result;

/// How a metric adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Counter,
    /// Durations of whole operations.
    Work,
    /// Durations of single answers.
    Answer,
}

/// An upper bound as Prometheus writes it, and in microseconds.
pub(crate) type Bound = (&'static str, u128);

impl Shape {
    /// Upper bounds of the durations; everything else is `+Inf`. Bounds that go are counted in the next higher one.
    pub(crate) fn bounds(self) -> &'static [Bound] {
        match self {
            Shape::Counter => &[],
            Shape::Work => &WORK,
            Shape::Answer => &ANSWER,
        }
    }
}

macro_rules! metrics {
    ($($variant:ident = $name:literal, $shape:ident $labels:expr, $help:literal;)*) => {
        /// What is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Metric { $(#[doc = $help] $variant,)* }

        impl Metric {
            /// All, in the order in which they are exported.
            pub(crate) const ALL: &'static [Metric] = &[$(Metric::$variant,)*];

            /// Name for Prometheus.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Metric::$variant => $name,)* }
            }

            /// A sentence for people.
            pub(crate) fn help(self) -> &'static str {
                match self { $(Metric::$variant => $help,)* }
            }

            /// How it adds up.
            pub(crate) fn shape(self) -> Shape {
                match self { $(Metric::$variant => Shape::$shape,)* }
            }

            /// Names of its labels.
            pub(crate) fn labels(self) -> &'static [&'static str] {
                match self { $(Metric::$variant => &$labels,)* }
            }
        }
    };
}

metrics! {
    Operations = "pmvmmanager6_operations_total", Counter ["command", "result"],
        "Commands that BILLmanager has run, by success or error type.";
    OperationTime = "pmvmmanager6_operation_duration_seconds", Work ["command"],
        "How long commands took, waiting included.";
    QueueWait = "pmvmmanager6_queue_wait_seconds", Work ["ticket"],
        "How long operations waited for the service they work on, or in their handler's queue.";
    Requests = "pmvmmanager6_vmmanager_requests_total", Counter ["method", "outcome"],
        "Requests to VMmanager by outcome; unknown ones may have been carried out.";
    RequestTime = "pmvmmanager6_vmmanager_request_duration_seconds", Answer ["method"],
        "How long VMmanager took to answer a request.";
    Logins = "pmvmmanager6_vmmanager_logins_total", Counter ["result"],
        "Logins to VMmanager, by success or error type.";
    Retries = "pmvmmanager6_vmmanager_retries_total", Counter ["reason"],
        "Requests that were made again: read (lost answer), asleep (503 or 429), connect, session (had expired).";
    StoppedAgain = "pmvmmanager6_stopped_again_total", Counter [],
        "VMs of suspended services that were found running and stopped again.";
}

/// A button takes seconds, an installation minutes, a queue an hour.
const WORK: [Bound; 11] = [
    ("1", 1_000_000),
    ("5", 5_000_000),
    ("10", 10_000_000),
    ("30", 30_000_000),
    ("60", 60_000_000),
    ("120", 120_000_000),
    ("300", 300_000_000),
    ("600", 600_000_000),
    ("1200", 1_200_000_000),
    ("1800", 1_800_000_000),
    ("3600", 3_600_000_000),
];
/// VMmanager answers in parts of a second, or within the minute that it is waited for.
const ANSWER: [Bound; 9] = [
    ("0.05", 50_000),
    ("0.1", 100_000),
    ("0.25", 250_000),
    ("0.5", 500_000),
    ("1", 1_000_000),
    ("2.5", 2_500_000),
    ("5", 5_000_000),
    ("10", 10_000_000),
    ("30", 30_000_000),
];
/// The last bucket.
pub(crate) const INFINITE: &str = "+Inf";
/// The part of a duration's series that holds the sum, in microseconds.
pub(crate) const SUM: &str = "sum";

/// A series: metric, label values, part (empty for a counter, a bound or [`SUM`] for a duration).
pub(crate) type Series = (Metric, Vec<&'static str>, &'static str);

static COUNTED: Mutex<BTreeMap<Series, i64>> = Mutex::new(BTreeMap::new());

/// One more event.
pub(crate) fn count(metric: Metric, labels: &[&'static str]) {
    add((metric, labels.to_vec(), ""), 1);
}

/// One more duration.
pub(crate) fn time(metric: Metric, labels: &[&'static str], took: Duration) {
    let microseconds = took.as_micros();
    let bound =
        metric.shape().bounds().iter().find(|(_, bound)| microseconds <= *bound).map_or(INFINITE, |(name, _)| name);
    add((metric, labels.to_vec(), bound), 1);
    add((metric, labels.to_vec(), SUM), i64::try_from(microseconds).unwrap_or(i64::MAX));
}

/// The label of a result: `success` or the type of the error.
pub(crate) fn result<T>(result: &Result<T>) -> &'static str {
    result.as_ref().map_or_else(|error| error.kind.name(), |_| "success")
}

/// Everything counted so far; counting begins again.
pub(crate) fn take() -> BTreeMap<Series, i64> {
    COUNTED.lock().map(|mut counted| std::mem::take(&mut *counted)).unwrap_or_default()
}

fn add(series: Series, amount: i64) {
    if let Ok(mut counted) = COUNTED.lock() {
        let value = counted.entry(series).or_default();
        *value = value.saturating_add(amount);
    }
}
