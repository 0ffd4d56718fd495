//! Add-ons of a handler's tariffs that clients can order and would not get.

use crate::admin::finding::Finding;
use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::journal::{Journal, Proof};
use crate::panel::{Panel, Service};
use crate::service::order::addons::{Addon, Group};
use crate::service::vm::unsupported::{CURE, Tunable, UNKNOWN, UNPROVED};

const CHECK: &str = "add-ons";

/// What VMmanager at an address has proved; nothing where it is not known.
#[derive(Default)]
struct Proved {
    tunable: Tunable,
    schedules: bool,
}

/// One finding for each tariff and reason, or one that says that all is delivered.
pub(super) fn examine(config: &Config, panel: &Panel, handler: HandlerId, address: Option<&str>) -> Vec<Finding> {
    let found = proved(config, address).and_then(|proved| {
        let tariffs = panel.sold_by(handler)?;
        Ok(tariffs.iter().flat_map(|tariff| of_tariff(&proved, tariff)).collect::<Vec<_>>())
    });
    match found {
        Err(error) => vec![Finding::failed(CHECK, &error, "run \"pmvmmanager6 doctor\" again")],
        Ok(found) if found.is_empty() => vec![Finding::ok(CHECK, "all that the tariffs offer is delivered")],
        Ok(found) => found,
    }
}

fn proved(config: &Config, address: Option<&str>) -> Result<Proved> {
    let (Some(journal), Some(address)) = (Journal::existing(config)?, address) else { return Ok(Proved::default()) };
    let Some(platform) = journal.platform_at(address)? else { return Ok(Proved::default()) };
    let schedules = journal.has_proved(platform, Proof::BackupSchedules)?;
    Ok(Proved { tunable: Tunable::on(&journal, platform)?, schedules })
}

fn of_tariff(proved: &Proved, tariff: &Service) -> Vec<Finding> {
    let is_proved = |group: Group| match group {
        Group::Tuning => proved.tunable.at_creation || proved.tunable.at_change,
        Group::Schedule => proved.schedules,
        _ => true,
    };
    let reason = |key: &str| match Addon::of_key(key) {
        None => Some(UNKNOWN),
        Some(addon) => (!is_proved(addon.group)).then_some(UNPROVED),
    };
    let finding = |why: &'static str| {
        let keys: Vec<&str> = tariff.addons.keys().map(String::as_str).filter(|key| reason(key) == Some(why)).collect();
        let (id, title) = (tariff.tariff_id, &tariff.tariff_title);
        let text = format!("tariff {id} \"{title}\" offers what is not delivered, {}: {why}", keys.join(", "));
        (!keys.is_empty()).then(|| Finding::warning(CHECK, text, CURE))
    };
    [UNKNOWN, UNPROVED].into_iter().filter_map(finding).collect()
}
