//! Speeds are capped when the included traffic of the month is used up, and given back when a new month begins.
//!
//! What BILLmanager's own setting for this is called inside is not documented, so two parameters of the tariff form of
//! this module say it: `overage_in_mbitps` and `overage_out_mbitps`. Traffic is included by direction (add-ons `in` and
//! `out`: each caps its own direction) or as one sum (`in out`, `traffic`: both are capped).
//! How a cap is set is [`crate::service::vm::speed_cap`].

use std::collections::HashMap;

use crate::direction::{Direction, PerDirection};
use crate::error::{Error, Kind, Result};
use crate::id::ServiceId;
use crate::journal::Cap;
use crate::log;
use crate::service::handler::HandlerJob;
use crate::service::handler::booking::Usage;
use crate::service::vm::speed_cap::Speeds;

/// Parameters of the tariff.
const PARAMETERS: PerDirection<&str> = PerDirection { incoming: "overage_in_mbitps", outgoing: "overage_out_mbitps" };

/// Services whose speeds have to change, and the caps they shall have. A tariff with a wrong speed does not hold up the
/// others; what is not known changes nothing.
pub(crate) fn changes(job: &HandlerJob, usages: &[Usage]) -> Result<Vec<(ServiceId, Speeds)>> {
    let caps: HashMap<ServiceId, Cap> = job.journal.caps()?.into_iter().collect();
    let mut found = Vec::new();
    for usage in usages {
        let wanted = match wanted(job, usage) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => continue,
            Err(error) => {
                log::error!("service {}: its speeds stay as they are: {error}", usage.item);
                continue;
            }
        };
        let is_so = match caps.get(&usage.item) {
            Some(cap) => cap.settled && cap.speed == wanted,
            None => wanted == Speeds::default(),
        };
        if !is_so {
            found.push((usage.item, wanted));
        }
    }
    Ok(found)
}

/// The caps that a service gets; nothing when its traffic is not known well enough.
fn wanted(job: &HandlerJob, usage: &Usage) -> Result<Option<Speeds>> {
    let mut over = PerDirection::default();
    for (directions, included) in &usage.included {
        let counters = || directions.iter().map(|direction| usage.bytes[*direction]);
        let used: u128 = counters().flatten().map(u128::from).sum();
        if used > *included {
            for direction in directions {
                over[*direction] = true;
            }
        } else if counters().any(|counter| counter.is_none()) {
            return Ok(None);
        }
    }
    if over == PerDirection::default() {
        return Ok(Some(Speeds::default()));
    }
    let tariff = job.panel.tariff_params(usage.tariff)?;
    let mut caps = Speeds::default();
    for at in Direction::BOTH {
        let text = tariff.get(PARAMETERS[at]).map_or("", |value| value.trim());
        if over[at] && !text.is_empty() {
            let cap = text.parse::<u64>().map_err(|_| {
                let text =
                    format!("{} of tariff {} is \"{text}\", not a speed in Mbit/s", PARAMETERS[at], usage.tariff);
                Error::new(Kind::BadParam, PARAMETERS[at], text)
            })?;
            caps[at] = Some(cap).filter(|cap| *cap > 0);
        }
    }
    Ok(Some(caps))
}
