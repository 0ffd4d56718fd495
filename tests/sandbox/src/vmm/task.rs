//! The task engine [api 3]: a queue per VM on a monotonic clock.
//!
//! Invariants: at most one task of a VM runs; the others start in the order of their numbers, except that tasks
//! deferred until a stop start before everything else when that stop is done. `advance` is the only place where a
//! task starts or ends, and it uses the time a task was due, not the time somebody looked: chains of tasks take the
//! sum of their durations however late the clock thread wakes up. Tasks that only accompany another one
//! ([`Work::Companion`]) do not queue.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::model::{Task, Twist};
use super::platform::{Platform, wall_clock};
use super::work::Work;

/// A task to be accepted.
pub(super) struct Order {
    pub name: &'static str,
    pub host: Option<u64>,
    pub user: u64,
    /// The request's body.
    pub params: Value,
    pub work: Work,
    /// Added to the usual duration.
    pub extra: Duration,
    /// Waits for the next stop of the VM.
    pub deferred: bool,
    /// Shares this consul number, instead of a new one.
    pub consul_id: Option<u64>,
}

impl Order {
    /// A task of a VM with the usual duration.
    pub(super) fn new(name: &'static str, host: u64, user: u64, work: Work) -> Self {
        Self {
            name,
            host: Some(host),
            user,
            params: Value::Null,
            work,
            extra: Duration::ZERO,
            deferred: false,
            consul_id: None,
        }
    }
}

impl Platform {
    /// Accepts a task; its consul number, which is what answers carry.
    pub(super) fn submit(&mut self, order: Order, now: Instant) -> u64 {
        let consul_id = order.consul_id.unwrap_or_else(|| {
            self.next.consul += 1;
            self.next.consul
        });
        let id = self.next.task;
        self.next.task += 1;
        let task = Task {
            id,
            consul_id,
            name: order.name.into(),
            status: if order.deferred { "deferred" } else { "created" }.into(),
            output: String::new(),
            defer_reason: order.deferred.then(|| "host_stop".into()),
            host: order.host,
            user: order.user,
            params: without_secrets(order.params),
            date_create: wall_clock(self.clock_ahead),
            created: now,
            started: None,
            finished: None,
            listed_at: now + self.timing.listed_after,
            takes: self.timing.of(order.name) + order.extra,
            first: false,
            twist: None,
            work: order.work,
        };
        self.moments.insert(task.listed_at);
        self.tasks.insert(id, task);
        self.open_tasks.insert(id);
        self.touch();
        consul_id
    }

    /// Lets a fault have its way with the tasks of this consul number (not with their companions).
    pub(super) fn twist(&mut self, consul_id: u64, twist: &Twist) {
        for task in self.tasks.values_mut().filter(|task| task.consul_id == consul_id) {
            if !matches!(task.work, Work::Companion) || matches!(twist, Twist::Vanish) {
                task.twist = Some(twist.clone());
            }
        }
    }

    /// Starts and ends what is due: whether anything changed, and when to look again.
    pub(super) fn advance(&mut self, now: Instant) -> (bool, Option<Instant>) {
        let mut changed = self.start_ready(None) | self.pass_moments(now);
        loop {
            let next = self.next_due();
            match next {
                Some((due, id)) if due <= now => {
                    self.end(id, due);
                    self.start_ready(Some(due));
                    changed = true;
                }
                _ => return (changed, next.map(|(due, _)| due).into_iter().chain(self.moments.first().copied()).min()),
            }
        }
    }

    /// Fails what still waits for a VM that is gone.
    pub(super) fn orphan_tasks(&mut self, host: u64) {
        let now = Instant::now();
        let waiting: Vec<u64> = self.waiting(host).map(|task| task.id).collect();
        for id in waiting {
            self.finish(id, now, Err((self.failure_word, format!("VM {host} not found"))));
        }
    }

    fn waiting(&self, host: u64) -> impl Iterator<Item = &Task> {
        let open = self.open_tasks.iter().filter_map(|id| self.tasks.get(id));
        open.filter(move |task| task.host == Some(host) && task.started.is_none())
    }

    /// Whether something has become visible.
    fn pass_moments(&mut self, now: Instant) -> bool {
        let later = self.moments.split_off(&(now + Duration::from_nanos(1)));
        !std::mem::replace(&mut self.moments, later).is_empty()
    }

    fn next_due(&self) -> Option<(Instant, u64)> {
        let running = self.open_tasks.iter().filter_map(|id| self.tasks.get(id));
        running.filter_map(|task| Some((task.due()?, task.id))).min()
    }

    /// Starts what may start: at its creation, or at the end of the task it waited for.
    fn start_ready(&mut self, freed: Option<Instant>) -> bool {
        let ready: Vec<u64> = self.open_tasks.iter().copied().filter(|id| self.may_start(*id)).collect();
        for id in &ready {
            if let Some(task) = self.tasks.get_mut(id) {
                task.status = "running".into();
                task.started = Some(freed.map_or(task.created, |at| at.max(task.created)));
            }
        }
        !ready.is_empty()
    }

    fn may_start(&self, id: u64) -> bool {
        let Some(task) = self.tasks.get(&id).filter(|task| task.status == "created") else { return false };
        let (Some(host), false) = (task.host, matches!(task.work, Work::Companion)) else { return true };
        let others = self.open_tasks.iter().filter_map(|other| self.tasks.get(other));
        !others
            .filter(|other| other.id != id && other.queues_on(host))
            .any(|other| other.started.is_some() || (!other.first, other.id) < (!task.first, task.id))
    }

    fn end(&mut self, id: u64, at: Instant) {
        let Some(task) = self.tasks.get(&id) else { return };
        let (host, work, twist) = (task.host, task.work.clone(), task.twist.clone());
        let result = match twist {
            Some(Twist::End { word, text }) => Err((word, text)),
            Some(Twist::EndInState { word, text, state }) => {
                self.perform(host, &work, at).ok();
                if let Some(vm) = host.and_then(|id| self.hosts.get_mut(&id)) {
                    vm.state = state;
                }
                Err((word, text))
            }
            _ => self.perform(host, &work, at).map_err(|text| (self.failure_word, text)),
        };
        if result.is_err() {
            self.withdraw(host, &work);
        }
        let stopped = result.is_ok() && matches!(work, Work::Stop);
        self.finish(id, at, result);
        if let (true, Some(host)) = (stopped, host) {
            self.release_deferred(host, at);
        }
    }

    fn finish(&mut self, id: u64, at: Instant, result: Result<(), (&'static str, String)>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            let (word, output) = result.map_or_else(|(word, text)| (word, text), |()| ("complete", String::new()));
            task.status = word.into();
            task.output = output;
            task.defer_reason = None;
            task.started.get_or_insert(at);
            task.finished = Some(at);
        }
        self.open_tasks.remove(&id);
        self.touch();
    }

    fn release_deferred(&mut self, host: u64, at: Instant) {
        for id in self.open_tasks.clone() {
            if let Some(task) = self.tasks.get_mut(&id).filter(|t| t.host == Some(host) && t.status == "deferred") {
                task.status = "created".into();
                task.defer_reason = None;
                task.first = true;
                task.created = at;
            }
        }
    }
}

impl Task {
    /// Whether the task list shows it.
    pub(super) fn is_listed(&self, now: Instant) -> bool {
        now >= self.listed_at && !matches!(self.twist, Some(Twist::Vanish))
    }

    fn queues_on(&self, host: u64) -> bool {
        self.host == Some(host) && !matches!(self.work, Work::Companion) && self.status != "deferred"
    }

    fn due(&self) -> Option<Instant> {
        if self.finished.is_some() || matches!(self.twist, Some(Twist::Forever)) {
            return None;
        }
        Some(self.started? + self.takes)
    }
}

fn without_secrets(mut params: Value) -> Value {
    if let Some(map) = params.as_object_mut() {
        map.remove("password");
    }
    params
}
