//! Add-ons that the table does not have.

use super::addons::Addon;
use super::amount::is_nothing;
use crate::panel::{Amount, Service};

/// Keys of a service's add-ons that are paid and have no row: a number above 0, a switch that is on, a choice that is not none.
pub fn unknown(service: &Service) -> Vec<&str> {
    let is_paid = |(key, amount): &(&String, &Amount)| Addon::of_key(key).is_none() && !is_nothing(&amount.value);
    service.addons.iter().filter(is_paid).map(|(key, _)| key.as_str()).collect()
}
