//! Whether this VMmanager has backup schedules that the module can use [api B15].

use super::answers::{NO_BODY, NO_DESCRIPTION};
use super::seen::Seen;
use super::site::Site;
use crate::error::Result;

/// Every request of `crate::vmm` about schedules.
const REQUESTS: [(&str, &str); 2] = [("GET", "schedule"), ("POST", "schedule/{}")];
/// The field that is sent, alone: every other one stays as it is.
const VMS: &str = "hosts";

/// Seen in the description, and in the list where there is a schedule already.
pub(super) fn usable(site: &Site) -> Result<Seen> {
    let Some(description) = site.description()? else {
        return Ok(Seen::unknown(NO_DESCRIPTION));
    };
    let missing = REQUESTS.iter().find(|(method, path)| !description.has(method, path));
    if let Some((method, path)) = missing {
        return Ok(Seen::unknown(format!("not documented: {method} /{path}")).proving(false));
    }
    let (method, path) = REQUESTS[1];
    let Some(body) = description.body(method, path) else {
        return Ok(Seen::unknown(NO_BODY));
    };
    if !body.contains(VMS) {
        return Ok(Seen::unknown(format!("not documented: {VMS}")).proving(false));
    }
    let more: Vec<String> = description.required(method, path).into_iter().filter(|field| field != VMS).collect();
    if !more.is_empty() {
        let text = format!("a change wants more than the VMs: {}", more.join(", "));
        return Ok(Seen::unknown(text).proving(false));
    }
    let schedules = site.newest("/vm/v3/schedule")?;
    let shown = schedules.iter().filter(|schedule| schedule[VMS].is_array()).count();
    Ok(match (schedules.len(), shown) {
        (0, _) => Seen::yes("documented; there is no schedule yet").proving(true),
        (all, shown) if all == shown => Seen::yes("documented, and the VMs of all are listed").proving(true),
        _ => Seen::unknown("documented, but the VMs of a schedule are not listed").proving(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_about_schedules_is_looked_for() {
        let source = include_str!("../../vmm/schedule.rs");
        for (_, path) in REQUESTS {
            assert!(source.contains(&format!("/vm/v3/{}", path.trim_end_matches("{}"))), "{path}");
        }
        assert_eq!(source.matches("\"/vm/v3/").count(), REQUESTS.len());
    }
}
