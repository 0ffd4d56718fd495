//! The timeline: one line when an operation starts and one when it ends, with the seconds since the beginning.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sandbox::bill::Run;

/// The clock of the demo and its printer; shared by threads.
pub(crate) struct Timeline {
    started: Instant,
    operations: AtomicUsize,
}

impl Timeline {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), operations: AtomicUsize::new(0) }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Operations that ended well.
    pub(crate) fn operations(&self) -> usize {
        self.operations.load(Ordering::Relaxed)
    }

    /// An operation starts.
    pub(crate) fn starts(&self, command: &str, service: &str) {
        self.line(command, service, "…");
    }

    /// An operation has ended, well or not.
    pub(crate) fn ends(&self, command: &str, service: &str, run: &Run) {
        let took = run.took.as_secs_f64();
        if run.done {
            self.operations.fetch_add(1, Ordering::Relaxed);
            self.line(command, service, &format!("done in {took:.2} s"));
        } else {
            self.line(command, service, &format!("FAILED after {took:.2} s: {}", reason(run)));
        }
    }

    fn line(&self, command: &str, service: &str, result: &str) {
        println!("{:>7.2} s  {command:<10} {service:<44} {result}", self.elapsed().as_secs_f64());
    }
}

/// What a failed run says about itself, on one line.
fn reason(run: &Run) -> String {
    if run.status == Some(0) {
        return "exit status 0, but BILLmanager was not called back".into();
    }
    let status = run.status.map_or_else(|| "killed".into(), |status| format!("exit status {status}"));
    let said = [run.stdout.trim(), run.stderr.trim(), "no message"].into_iter().find(|text| !text.is_empty());
    format!("{status}: {}", said.unwrap_or_default().replace('\n', " "))
}
