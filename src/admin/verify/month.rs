//! What a month of traffic is, by the readings of the daily statistics [api B6].

use super::seen::Seen;
use super::site::Site;
use crate::error::Result;

/// Counters below this say nothing about a month.
const NOTABLE_BYTES: u64 = 64 << 20;
/// So many of them that began anew with the month prove it.
const ENOUGH: usize = 3;

/// The statistics have read every counter before the month ended and again on a day soon after it: a calendar month begins
/// anew in between, a window of thirty days hardly changes.
#[expect(clippy::unnecessary_wraps, reason = "every look has the same type")]
pub(super) fn kind(site: &Site) -> Result<Seen> {
    let notable = site.turns.iter().filter(|(before, _)| *before >= NOTABLE_BYTES);
    let (mut fell, mut stayed) = (0, 0);
    for (before, after) in notable {
        match after {
            after if *after < before / 4 => fell += 1,
            after if *after > before / 2 => stayed += 1,
            _ => {}
        }
    }
    let what =
        format!("of the counters that both sides of a month's end were read of, {fell} began anew, {stayed} did not");
    Ok(match (fell, stayed) {
        (0, 0) => Seen::unknown("no daily statistics have seen a month end here yet"),
        _ if fell >= ENOUGH && fell >= 10 * stayed => Seen::yes(what).proving(true),
        _ if stayed >= ENOUGH && stayed >= 2 * fell => Seen::no(what).proving(false),
        _ => Seen::unknown(what),
    })
}
