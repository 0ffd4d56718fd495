//! Values of add-ons, by the algorithm of [protocol 5.7].

use std::collections::BTreeMap;
use std::fmt::Display;

use super::connection::Panel;
use super::database::{Row, among};
use crate::error::Result;
use crate::id::ServiceId;
use crate::log;

/// The value of one add-on as ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// A number, `on`/`off`, or the internal name of an enumeration item.
    pub value: String,
    /// Internal name of the unit; empty when there is none.
    pub unit: String,
}

impl Panel {
    /// Values of the add-ons of some services, by the algorithm of [protocol 5.7].
    pub fn addons(&self, items: &[ServiceId]) -> Result<BTreeMap<ServiceId, BTreeMap<String, Amount>>> {
        Ok(addons_of(&self.rows(&addons_query(&among(items)), &[])?, "service"))
    }
}

pub(super) fn addons_query(these: &str) -> String {
    format!(
        "SELECT p.intname, it.intname, p.billtype, p.addontype, p.compound, p.addonlimit, p.addonmaxtrial, \
         p.addonbool, pe.intname, m.intname, a.id, a.intvalue, a.addonlimit, a.addonmaxtrial, a.boolvalue, \
         ae.intname, i.id, i.period FROM item i JOIN pricelist p ON p.parent = i.pricelist \
         JOIN itemtype it ON p.itemtype = it.id \
         LEFT JOIN item a ON a.parent = i.id AND a.pricelist = p.id AND (a.status IS NULL OR a.status <> 4) \
         LEFT JOIN measure m ON p.measure = m.id LEFT JOIN enumerationitem pe ON p.enumerationitem = pe.id \
         LEFT JOIN enumerationitem ae ON a.enumerationitem = ae.id \
         WHERE i.id {these} AND (p.active = 'on' OR a.id IS NOT NULL) ORDER BY i.id, p.orderpriority, p.id"
    )
}

/// The same for tariffs, as if nothing was ordered.
pub(super) fn tariff_addons_query(these: &str) -> String {
    format!(
        "SELECT p.intname, it.intname, p.billtype, p.addontype, p.compound, p.addonlimit, p.addonmaxtrial, \
         p.addonbool, pe.intname, m.intname, NULL, NULL, NULL, NULL, NULL, NULL, p.parent, NULL \
         FROM pricelist p JOIN itemtype it ON p.itemtype = it.id LEFT JOIN measure m ON p.measure = m.id \
         LEFT JOIN enumerationitem pe ON p.enumerationitem = pe.id \
         WHERE p.parent {these} AND p.active = 'on' ORDER BY p.parent, p.orderpriority, p.id"
    )
}

/// By what they belong to, services or tariffs: an `owner` in the log.
pub(super) fn addons_of<T: From<u64> + Ord + Copy + Display>(
    rows: &[Row],
    owner: &str,
) -> BTreeMap<T, BTreeMap<String, Amount>> {
    let mut found: BTreeMap<T, BTreeMap<String, Amount>> = BTreeMap::new();
    for row in rows {
        let (Some(item), key) = (row.id(16), row.filled(0).unwrap_or_else(|| row.text(1)).to_owned()) else {
            continue;
        };
        let Some(amount) = amount(row, row.number(17).unwrap_or_default()) else { continue };
        if let Some(earlier) = found.entry(item).or_default().insert(key.clone(), amount) {
            log::warn!("{owner} {item}: the tariff has the add-on \"{key}\" twice, {} is not used", earlier.value);
        }
    }
    found
}

/// Tariff parameters go over the add-ons of the same name and keep their unit [protocol 5.7].
pub(super) fn put_over(tariff: &BTreeMap<String, String>, addons: &mut BTreeMap<String, Amount>) {
    for (name, value) in tariff.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(amount) = addons.get_mut(name) {
            amount.value.clone_from(value);
        }
    }
}

const COMPOUND: i64 = 4;
const MANUAL: i64 = 10;
const TRIAL: i64 = -100;

/// The value of one add-on row, or nothing when the add-on takes no part.
fn amount(row: &Row, period: i64) -> Option<Amount> {
    let (billtype, addontype) = (row.number(2).unwrap_or_default(), row.number(3).unwrap_or_default());
    let ordered = row.id::<u64>(10).is_some();
    if billtype == COMPOUND || billtype == MANUAL || (row.id::<u64>(4).is_some() && !ordered) {
        return None;
    }
    let value = match addontype {
        3 => row.filled(15).unwrap_or_else(|| row.text(8)).to_owned(),
        1 => row.filled(14).unwrap_or_else(|| row.text(7)).to_owned(),
        // Of what statistics count this is what the tariff includes: at the maximum BILLmanager suspends by itself [protocol A3].
        _ => {
            let limit = row.number(12).or(row.number(5)).unwrap_or_default();
            let mut value = limit.saturating_add(row.number(11).unwrap_or_default());
            if let (TRIAL, 2, Some(cap)) = (period, addontype, row.number(13).or(row.number(6))) {
                value = value.min(cap);
            }
            value.to_string()
        }
    };
    let unit = if addontype == 2 { row.text(9).to_owned() } else { String::new() };
    Some(Amount { value, unit })
}
