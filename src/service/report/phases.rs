//! How many services are how far: what the journal says of all of them together.

use crate::config::Config;
use crate::error::Result;
use crate::journal::{Journal, Phase};

/// Every phase by its name with the number of services in it; all zero when there is no journal yet.
pub(crate) fn count(config: &Config) -> Result<Vec<(&'static str, usize)>> {
    let found = Journal::existing(config)?.map(|journal| journal.phases()).transpose()?.unwrap_or_default();
    let number = |phase: Phase| found.iter().filter(|found| **found == phase).count();
    Ok(Phase::all().map(|phase| (phase.name(), number(phase))).collect())
}
