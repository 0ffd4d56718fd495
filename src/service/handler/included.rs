//! Which traffic a tariff counts, in which unit, and how much of it is included [protocol 5.7, A3].

use std::collections::BTreeMap;

use crate::direction::Direction;
use crate::error::{Error, Kind, Result};
use crate::panel::{Amount, Units};

/// The directions that an add-on counts; its key may hold several names [protocol 5.5].
fn directions(key: &str) -> Vec<Direction> {
    let has = |word: &str| key.split_whitespace().any(|name| name == word);
    let all = has("traffic") || has("bandwidth");
    Direction::BOTH.into_iter().filter(|direction| all || has(direction.name())).collect()
}

/// The unit in which a direction is recorded, and its size in bytes: the add-on's, else the first one that is known.
pub(super) fn unit(addons: &BTreeMap<String, Amount>, direction: Direction, units: &Units) -> Result<(u64, u128)> {
    let sold = addons.iter().find(|(key, amount)| !amount.unit.is_empty() && directions(key).contains(&direction));
    let names = match sold {
        Some((_, amount)) => vec![amount.unit.as_str()],
        None => vec!["gib", "mib", "kib", "byte"],
    };
    let known = names.iter().find_map(|name| Some((units.id(name)?, units.bytes(name).filter(|size| *size > 0)?)));
    known.ok_or_else(|| {
        let text =
            format!("the unit of traffic \"{}\" is no number of bytes in BILLmanager's table of units", names[0]);
        Error::new(Kind::BadParam, direction.name(), text)
    })
}

/// What a tariff includes. Nothing included is taken as no limit.
pub(super) fn included(addons: &BTreeMap<String, Amount>, units: &Units) -> Vec<(Vec<Direction>, u128)> {
    let limit = |(key, amount): (&String, &Amount)| {
        let directions = directions(key);
        let bytes = amount.value.trim().parse::<u128>().ok()? * units.bytes(&amount.unit)?;
        Some((directions, bytes)).filter(|(directions, bytes)| !directions.is_empty() && *bytes > 0)
    };
    addons.iter().filter_map(limit).collect()
}
