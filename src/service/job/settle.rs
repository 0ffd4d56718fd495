//! The two ways to wait.
//!
//! [`Job::finish`] is for the answer to a change: it waits for the task that the answer names and says how the change
//! ended. [`settle`] is for everything that has no task: it looks until a condition holds. A change whose outcome is
//! unknown goes from the one to the other: VMmanager is never asked again before it was looked at. The waits for a VM
//! that are built on the two are in `watch.rs`. Nothing else in `service` sleeps or waits for a task.

use std::time::Duration;

use super::assignment::Job;
use crate::backoff::Backoff;
use crate::error::Result;
use crate::log;
use crate::vmm::{Ended, Failure, Outcome, Task};

/// Looks again and again until `look` finds something; nothing when it has not for as long as `limit`. It looks once
/// at least. `subject` is for the person at the terminal.
pub(crate) fn settle<T>(
    subject: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let wait = Backoff::new(limit);
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if wait.is_over() {
            return Ok(None);
        }
        wait.pause(subject);
    }
}

/// The same where a look that fails is no news: it looks again. The error when the last look was such a one.
pub(crate) fn keep_looking<T>(
    subject: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let mut failed = None;
    let found = settle(subject, limit, || {
        let seen = look();
        failed = seen.as_ref().err().filter(|error| error.may_pass()).cloned();
        match &failed {
            Some(error) => {
                log::warn!("{error}; looking again");
                Ok(None)
            }
            None => seen,
        }
    })?;
    match (found, failed) {
        (None, Some(error)) => Err(error),
        (found, _) => Ok(found),
    }
}

impl Job<'_> {
    /// Waits until a change has ended. [`Ended::Unlisted`]: it was accepted, but no task shows how it ended. Refused:
    /// VMmanager said no, the task failed, or it still runs after `limit`. Unknown: look before asking again.
    pub fn finish(&self, outcome: Outcome<Option<Task>>, limit: Duration) -> Outcome<Ended> {
        match outcome? {
            Some(task) => self.vmm.wait(&task, limit).map_err(Failure::Refused),
            None => Ok(Ended::Unlisted),
        }
    }
}
