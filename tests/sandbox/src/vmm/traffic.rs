//! Traffic of VMs in time, and the counters that show it [api 4.11].
//!
//! Nobody says what the month of `interval=1month` is [api B6]: it may be a calendar month by VMmanager's own clock, or the
//! days before the question.

use std::collections::BTreeMap;

use jiff::{Span, civil::DateTime};

/// What a counter's month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Month {
    /// A calendar month, by a clock that is this many hours ahead of the world's.
    Calendar(i64),
    /// So many days before the question.
    Window(i64),
}

/// What VMs received and sent, and the time that is shown to whoever asks.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// The time of the world.
    pub now: DateTime,
    /// What the counters show of it.
    pub month: Month,
    /// By VM: when, bytes received, bytes sent.
    flows: BTreeMap<u64, Vec<(DateTime, u64, u64)>>,
    /// When the counters of a VM were lost.
    lost: BTreeMap<u64, DateTime>,
}

impl Traffic {
    /// No traffic yet.
    pub fn new(now: DateTime, month: Month) -> Self {
        Self { now, month, flows: BTreeMap::new(), lost: BTreeMap::new() }
    }

    /// A VM receives and sends so much at this moment.
    pub fn flow(&mut self, host: u64, received: u64, sent: u64) {
        self.flows.entry(host).or_default().push((self.now, received, sent));
    }

    /// The counters of a VM are lost and begin anew.
    pub fn lose(&mut self, host: u64) {
        self.lost.insert(host, self.now);
    }

    /// Bytes received and sent, as VMmanager counts them now.
    pub fn counters(&self, host: u64) -> [u64; 2] {
        let lost = self.lost.get(&host);
        let flows = self.flows.get(&host).into_iter().flatten();
        let counted = flows.filter(|flow| self.counts(flow.0) && lost.is_none_or(|lost| flow.0 > *lost));
        counted.fold([0, 0], |[received, sent], flow| [received + flow.1, sent + flow.2])
    }

    fn counts(&self, time: DateTime) -> bool {
        match self.month {
            Month::Calendar(ahead) => {
                let month = |time: DateTime| (time + Span::new().hours(ahead)).date().first_of_month();
                time <= self.now && month(time) == month(self.now)
            }
            Month::Window(days) => time <= self.now && time > self.now - Span::new().days(days),
        }
    }
}
