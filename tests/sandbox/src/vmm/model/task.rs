//! Tasks of the task manager.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::vmm::work::Work;

/// A task of the task manager [api 3].
#[derive(Clone, Debug)]
pub struct Task {
    /// Number in the task manager.
    pub id: u64,
    /// Number in answers; several tasks may share it.
    pub consul_id: u64,
    /// E.g. `host_create` [api 3.3].
    pub name: String,
    /// `created`, `deferred`, `running`, `complete`, `failed`, `fail`, `cancelled` [api 3.4].
    pub status: String,
    /// Error text of a failed task.
    pub output: String,
    /// Why a deferred task waits.
    pub defer_reason: Option<String>,
    /// The VM it is about.
    pub host: Option<u64>,
    /// Who asked.
    pub user: u64,
    /// The request's body, passwords left out.
    pub params: Value,
    /// Wall-clock time of creation, for people.
    pub date_create: String,
    pub(in crate::vmm) created: Instant,
    pub(in crate::vmm) started: Option<Instant>,
    pub(in crate::vmm) finished: Option<Instant>,
    pub(in crate::vmm) listed_at: Instant,
    pub(in crate::vmm) takes: Duration,
    /// Runs before the other tasks of its VM: it waited for the stop that has just ended.
    pub(in crate::vmm) first: bool,
    pub(in crate::vmm) twist: Option<Twist>,
    pub(in crate::vmm) work: Work,
}

impl Task {
    /// Whether it is over, well or badly.
    pub fn is_final(&self) -> bool {
        self.finished.is_some()
    }
}

/// What a fault does to a task.
#[derive(Clone, Debug)]
pub(in crate::vmm) enum Twist {
    /// Ends with this word and text, without effect.
    End { word: &'static str, text: String },
    /// Does its work and ends with this word and text; the VM is in this state then.
    EndInState { word: &'static str, text: String, state: String },
    /// Is never listed.
    Vanish,
    /// Never ends.
    Forever,
}
