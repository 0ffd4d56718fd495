//! `pmvmmanager6 metrics`: what Prometheus may know, in its text format, or the same with `--json`:
//!
//! ```json
//! {"metrics": [{"name": "pmvmmanager6_queue_running", "help": "Operations that run.", "type": "gauge",
//!    "samples": [{"name": "pmvmmanager6_queue_running", "labels": {"queue": "12"}, "value": 1}]}]}
//! ```
//!
//! The samples of a histogram are named `…_bucket`, `…_sum` and `…_count`.
//!
//! Counters come from the runs ([`crate::metrics`]), the queue and the journal are looked at now. With `--output` the
//! text replaces a file in one step, as node exporter's textfile collector needs it. What cannot be read is left out,
//! and `pmvmmanager6_readable` says so: an absent series is true, a zero would not be.

mod capacity;
mod exposition;
mod run;

pub(crate) use run::{Options, run};
