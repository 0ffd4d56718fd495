//! Pauses between two looks at something that gives no signal, until a deadline.
//!
//! The first looks come soon, later ones after a quarter of the time waited so far; the last pause ends at the
//! deadline. The clock is the monotonic one: setting the system's time neither ends a wait nor prolongs it. A person at
//! a terminal sees what is waited for.

use std::time::{Duration, Instant};

use crate::progress::Progress;

const LONGEST: Duration = Duration::from_secs(5);

pub(crate) struct Backoff {
    started: Instant,
    limit: Duration,
    longest: Duration,
    progress: Progress,
}

impl Backoff {
    /// A wait that begins now, with pauses of at most five seconds.
    pub(crate) fn new(limit: Duration) -> Self {
        Self::with_longest(limit, LONGEST)
    }

    /// The same for looks that cost more: pauses of at most `longest`.
    pub(crate) fn with_longest(limit: Duration, longest: Duration) -> Self {
        Backoff { started: Instant::now(), limit, longest, progress: Progress::new() }
    }

    /// Time since the wait began.
    pub(crate) fn waited(&self) -> Duration {
        self.started.elapsed()
    }

    /// The deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.waited() >= self.limit
    }

    /// Sleeps until the next look is due; `subject` is what the person at the terminal reads.
    pub(crate) fn pause(&self, subject: &str) {
        let waited = self.waited();
        self.progress.show(&format!("{subject}, {} s", waited.as_secs()));
        std::thread::sleep(next(waited).min(self.longest).min(self.limit.saturating_sub(waited)));
    }
}

/// Looks at 0.2, 0.5 and 1 s, then after half a second, then after a quarter of the time waited.
fn next(waited: Duration) -> Duration {
    match waited.as_millis() {
        ..200 => Duration::from_millis(200),
        200..500 => Duration::from_millis(300),
        _ => (waited / 4).max(Duration::from_millis(500)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer() {
        let mut at = Duration::ZERO;
        let mut looks = Vec::new();
        while at < Duration::from_secs(4) {
            at += next(at);
            looks.push(at.as_millis());
        }
        assert_eq!(looks, [200, 500, 1000, 1500, 2000, 2500, 3125, 3906, 4882]);
        assert_eq!(next(Duration::from_mins(2)).min(LONGEST), LONGEST);
    }
}
