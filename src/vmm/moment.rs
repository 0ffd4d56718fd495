//! A point in a VM's history, from which is told what has come since [api B4].
//!
//! Ids grow from task to task. A build without them has only the second in which a task was accepted, in which others
//! may be accepted as well: those that are looked for are counted.

use std::fmt;
use std::str::FromStr;

use super::model::Past;

/// The end of a VM's history at some time. Kept as text: `48216`, or `2/2026-01-31 12:00:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Id of the newest task.
    Task(u64),
    /// The second of the newest task.
    Second {
        /// How many of the tasks looked for are of it.
        tasks: usize,
        /// As VMmanager writes it.
        date: String,
    },
}

impl Moment {
    /// The end of a history; `is_wanted` are the tasks that will be looked for.
    pub fn end_of(history: &[Past], is_wanted: impl Fn(&Past) -> bool) -> Self {
        if let Some(id) = history.iter().filter_map(|past| past.id).max() {
            return Moment::Task(id);
        }
        let date = history.iter().map(|past| past.date_create.as_str()).max().unwrap_or_default();
        let tasks = history.iter().filter(|past| past.date_create == date && is_wanted(past)).count();
        Moment::Second { tasks, date: date.to_owned() }
    }

    /// Whether one of the tasks looked for has come since.
    pub fn is_passed(&self, history: &[Past], is_wanted: impl Fn(&Past) -> bool) -> bool {
        let wanted = history.iter().filter(|past| is_wanted(past));
        match self {
            Moment::Task(newest) => wanted.into_iter().any(|past| past.id.is_some_and(|id| id > *newest)),
            Moment::Second { tasks, date } => wanted.filter(|past| past.date_create >= *date).count() > *tasks,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Task(id) => write!(f, "{id}"),
            Moment::Second { tasks, date } => write!(f, "{tasks}/{date}"),
        }
    }
}

impl FromStr for Moment {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((tasks, date)) => Ok(Moment::Second { tasks: tasks.parse()?, date: date.to_owned() }),
            None => text.parse().map(Moment::Task),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[(Option<u64>, &str, &str)]) -> Vec<Past> {
        let line = |&(id, name, date): &(Option<u64>, &str, &str)| {
            let line = serde_json::json!({ "id": id, "name": name, "date_create": date, "state": "complete" });
            serde_json::from_value(line).unwrap()
        };
        lines.iter().map(line).collect()
    }

    fn is_restart(past: &Past) -> bool {
        past.name == "host_restart"
    }

    #[test]
    fn what_came_since_is_told_by_ids_or_by_dates() {
        let (early, late) = ("2026-01-31 12:00:00", "2026-01-31 12:00:01");
        let before = [(None, "host_create", early), (None, "host_restart", early)];
        let with_ids = before.map(|(_, name, date)| (Some(if name == "host_create" { 7 } else { 8 }), name, date));
        for (before, new_id) in [(before, None), (with_ids, Some(9))] {
            let end = Moment::end_of(&history(&before), is_restart);
            assert_eq!(end.to_string().parse(), Ok(end.clone()));
            let passed = |name, date| {
                // VMmanager may list the newest first.
                let lines: Vec<_> = std::iter::once((new_id, name, date)).chain(before).collect();
                end.is_passed(&history(&lines), is_restart)
            };
            assert!(!end.is_passed(&history(&before), is_restart));
            assert!(passed("host_restart", late) && passed("host_restart", early), "{end}");
            assert!(!passed("host_stop", late), "{end}");
        }
    }

    #[test]
    fn an_empty_history_is_passed_by_anything() {
        let end = Moment::end_of(&[], is_restart);
        assert_eq!(end.to_string().parse(), Ok(end.clone()));
        for id in [None, Some(1)] {
            assert!(end.is_passed(&history(&[(id, "host_restart", "2026-01-31 12:00:00")]), is_restart));
        }
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
