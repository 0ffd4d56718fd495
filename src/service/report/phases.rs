//! How many services are how far: what the journal says of all of them together.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::error::Result;
use crate::journal::{Journal, Phase};

/// How far all services are.
pub(crate) struct Progress {
    /// Every phase by its name with the number of services in it.
    pub phases: Vec<(&'static str, usize)>,
    /// How long the unfinished service has made no step that waits longest; nothing when none is unfinished.
    pub oldest: Duration,
}

/// All zero when there is no journal yet.
pub(crate) fn count(config: &Config) -> Result<Progress> {
    let found = Journal::existing(config)?.map(|journal| journal.phases()).transpose()?.unwrap_or_default();
    let number = |phase: Phase| found.iter().filter(|(found, _)| *found == phase).count();
    let phases = Phase::all().map(|phase| (phase.name(), number(phase))).collect();
    let under_way = found.iter().filter(|(phase, _)| phase.is_unfinished() || *phase == Phase::Deleting);
    let since = under_way.filter_map(|(_, changed)| u64::try_from(*changed).ok()).min();
    let since = since.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    let oldest = since.and_then(|since| SystemTime::now().duration_since(since).ok()).unwrap_or_default();
    Ok(Progress { phases, oldest })
}
