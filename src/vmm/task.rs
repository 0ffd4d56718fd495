//! Waiting for an asynchronous task [api 3].
//!
//! `complete` ends the wait, a failure word ends it with VMmanager's own text, anything else is pending. A task may be
//! missing from the list for a minute after the answer that named it; after that the VM itself has to be asked. A look
//! that fails is no news about the task.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Client;
use super::filter::Filter;
use super::model::{List, Past, TaskRow};
use crate::backoff::Backoff;
use crate::error::{Error, Kind, Result};
use crate::id::TaskId;
use crate::log;
use crate::mask;

/// A task as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Consul id: not the id of the task list.
    pub consul: TaskId,
    /// `host_create`, …; nothing where the name is not documented [api 3.3].
    pub name: Option<String>,
}

impl Task {
    /// A task with a documented name.
    pub fn named(consul: TaskId, name: &str) -> Self {
        Task { consul, name: Some(name.to_owned()) }
    }

    /// `host_create 48216`; the number alone where the name is not documented.
    fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} {}", self.consul),
            None => self.consul.to_string(),
        }
    }
}

/// How a wait ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// VMmanager says it is complete.
    Complete,
    /// VMmanager lists no task: look at the VM.
    Unlisted,
}

enum Look {
    Missing,
    Pending(String),
    Complete,
    Failed(TaskRow),
}

impl Client {
    /// Waits for a task. `vm6_task` when it failed, `vm6_timeout` when it still runs at the deadline.
    pub fn wait(&self, task: &Task, limit: Duration) -> Result<Ended> {
        let wait = Backoff::new(limit);
        let mut missing_since = Instant::now();
        let mut said = String::new();
        loop {
            wait.pause(&format!("VMmanager task {} {said}", task.title()));
            match self.look(task) {
                Ok(Look::Complete) => return Ok(Ended::Complete),
                Ok(Look::Failed(row)) => return Err(self.failed(task, &row)),
                Ok(Look::Missing) if missing_since.elapsed() >= self.limits().unlisted => return Ok(Ended::Unlisted),
                Ok(Look::Missing) => {}
                Ok(Look::Pending(status)) => {
                    missing_since = Instant::now();
                    if status != said {
                        log::info!("VMmanager task {}: {status}", task.title());
                        said = status;
                    }
                }
                Err(error) if error.kind.is_connection() && error.kind != Kind::Vm6Connect => return Err(error),
                Err(error) => log::warn!("task {} could not be looked at: {error}", task.title()),
            }
            if wait.is_over() {
                let text = format!("VMmanager still works on task {} after {} s", task.title(), limit.as_secs());
                return Err(
                    Error::new(Kind::Vm6Timeout, task.title(), text).and("the next try continues to wait for it")
                );
            }
        }
    }

    /// Whether the task list has a task.
    pub fn lists_task(&self, task: &Task) -> Result<bool> {
        Ok(!matches!(self.look(task)?, Look::Missing))
    }

    fn look(&self, task: &Task) -> Result<Look> {
        let mut filter = Filter::eq("consul_id", task.consul)?;
        if let Some(name) = &task.name {
            filter = filter.and(&Filter::eq("name", name)?);
        }
        let rows = self.get::<List<TaskRow>>(&format!("/vm/v3/task?{}", filter.query()))?.list;
        Ok(judge(rows))
    }

    fn failed(&self, task: &Task, row: &TaskRow) -> Error {
        let text = reason(&row.output).or_else(|| reason(&row.error)).or_else(|| self.details(row.id?));
        let text = text.or_else(|| reason(&row.defer_reason)).unwrap_or_else(|| "no reason was given".to_owned());
        Error::new(
            Kind::Vm6Task,
            task.title(),
            format!("VMmanager's task {} ended as {}: {text}", task.title(), row.status),
        )
    }

    /// The error of a task that the history of a VM lists as failed.
    pub fn failed_before(&self, past: &Past) -> Error {
        let text = past.task.and_then(|task| self.details(task)).unwrap_or_else(|| "no reason was given".to_owned());
        let text = format!("VMmanager's task {} ended as {}: {text}", past.name, past.state);
        Error::new(Kind::Vm6Task, past.name.as_str(), text)
    }

    /// The task-manager's own record, bare or wrapped [api 6, row 2].
    fn details(&self, task: u64) -> Option<String> {
        let record: Value = self.get(&format!("/vm/v3/task/{task}")).ok()?;
        let record = record.get("task").unwrap_or(&record);
        ["output", "error"].iter().find_map(|field| reason(record.get(*field)?))
    }
}

/// Several tasks may share a consul id: all must be final and none failed [api 3.5].
fn judge(rows: Vec<TaskRow>) -> Look {
    let mut pending = None;
    let none = rows.is_empty();
    for row in rows {
        match ended(&row.status) {
            Some(true) => {}
            Some(false) => return Look::Failed(row),
            None => pending = Some(row.status.to_lowercase()),
        }
    }
    match pending {
        Some(status) => Look::Pending(status),
        None if none => Look::Missing,
        None => Look::Complete,
    }
}

/// How a task of this status ended, well or badly; nothing when it has not, or when the word is unknown [api 3.4].
fn ended(status: &str) -> Option<bool> {
    const FAILURES: [&str; 8] = ["fail", "failed", "error", "abort", "aborted", "cancel", "canceled", "cancelled"];
    let status = status.to_lowercase();
    match status.as_str() {
        "complete" => Some(true),
        word if FAILURES.contains(&word) => Some(false),
        _ => None,
    }
}

impl Past {
    /// How the task ended, well or badly; nothing when it has not.
    pub fn ended(&self) -> Option<bool> {
        ended(&self.state)
    }
}

fn reason(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(mask::masked(text.trim()).chars().take(2000).collect::<String>()).filter(|text| !text.is_empty())
}
