//! The value of one add-on of a service as what its row of the table says: a number, a size, a speed, a switch, a choice.
//! Nothing means that the tariff has no such add-on.

use super::addons::Addon;
use crate::error::{Error, Kind, Result};
use crate::panel::{Amount, Service};

/// More of anything is a slip of the pen: 1 EiB of disk, a million cores.
const MAX_SIZE: u64 = 1 << 40;
/// Speeds of the vendor's tariffs are Kbit/s unless the add-on says otherwise [protocol 5.5].
const KBIT_IN_MBIT: u64 = 1000;
const BYTES_IN_MBIT: u128 = 1_000_000 / 8;
/// `hio` are hundreds of operations a day.
const HIO_IN_IOPS: u64 = 864;
/// Bits of an IPv6 address.
const MOST_BITS: u64 = 128;
/// Choices by which providers say that nothing is chosen.
const NOTHING: [&str; 4] = ["off", "null", "none", "no"];

/// The value of the add-on that has one of the row's names; a whole key goes before one of its words.
pub(super) fn find<'a>(service: &'a Service, addon: &Addon) -> Option<&'a Amount> {
    addon.names.iter().find_map(|name| named(service, name))
}

fn named<'a>(service: &'a Service, name: &str) -> Option<&'a Amount> {
    let exact = service.addons.get(name);
    exact.or_else(|| {
        service.addons.iter().find(|(key, _)| key.split_whitespace().any(|word| word == name)).map(|(_, a)| a)
    })
}

/// What an add-on's value stands for is nothing: it costs nothing, and nothing is to be delivered.
pub fn is_nothing(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    value.is_empty() || NOTHING.contains(&value.as_str()) || value.parse() == Ok(0)
}

/// The error of a value that cannot be understood.
pub(super) fn bad(addon: &Addon, value: &str, reason: &str, possible: &str) -> Error {
    let name = addon.name();
    let text = format!("the ordered value \"{value}\" of \"{name}\" {reason}");
    Error::new(Kind::BadParam, name, text).cure(format!("possible: {possible}; correct the add-on in the tariff"))
}

fn number(addon: &Addon, amount: &Amount) -> Result<u64> {
    match amount.value.trim() {
        "" => Ok(0),
        text => text.parse().ok().filter(|&n| n <= MAX_SIZE).ok_or_else(|| {
            bad(addon, text, "is not a possible number", &format!("a whole number from 0 to {MAX_SIZE}"))
        }),
    }
}

/// Pieces.
pub(super) fn count(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    find(service, addon).map(|amount| number(addon, amount)).transpose()
}

/// Pieces, of which 0 is as good as no such add-on.
pub(super) fn some(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    count(service, addon).map(above_zero)
}

/// A size in MiB; without a unit the number is taken as it is.
pub(super) fn size(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    let Some(amount) = find(service, addon) else { return Ok(None) };
    let value = number(addon, amount)?;
    if amount.unit.is_empty() {
        return Ok(above_zero(Some(value)));
    }
    let converted = service.units.convert(addon.name(), value, &amount.unit, "mib")?;
    if converted > MAX_SIZE {
        let text = format!("{value} {} of \"{}\" is impossibly large", amount.unit, addon.name());
        return Err(Error::new(Kind::BadParam, addon.name(), text));
    }
    Ok(above_zero(Some(converted)))
}

/// A speed in Mbit/s, rounded up.
pub(super) fn speed(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    let Some(amount) = find(service, addon) else { return Ok(None) };
    let value = number(addon, amount)?;
    if amount.unit.is_empty() {
        return Ok(above_zero(Some(value.div_ceil(KBIT_IN_MBIT))));
    }
    in_mbits(service, addon, value, &amount.unit).map(|mbits| above_zero(Some(mbits)))
}

/// A disk speed in Mbit/s, rounded up. A unit of bytes means bytes a second; without a unit nobody knows what is sold.
pub(super) fn disk_speed(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    let Some(amount) = find(service, addon) else { return Ok(None) };
    let value = number(addon, amount)?;
    if value == 0 {
        return Ok(None);
    }
    if amount.unit.is_empty() {
        return Err(bad(addon, &amount.value, "has no unit", "a unit of BILLmanager's table, like MiB or Mbit/s"));
    }
    if let Some(bytes) = service.units.bytes(&amount.unit) {
        let mbits = (u128::from(value) * bytes).div_ceil(BYTES_IN_MBIT);
        let possible = u64::try_from(mbits).ok().filter(|&mbits| mbits <= MAX_SIZE);
        let text = || format!("{value} {} a second of \"{}\" are impossible", amount.unit, addon.name());
        return possible.map(Some).ok_or_else(|| Error::new(Kind::BadParam, addon.name(), text()));
    }
    in_mbits(service, addon, value, &amount.unit).map(Some)
}

fn in_mbits(service: &Service, addon: &Addon, value: u64, unit: &str) -> Result<u64> {
    let plain: String = unit.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    Ok(match plain.trim_end_matches('s').trim_end_matches('p') {
        "kbit" | "kb" => value.div_ceil(KBIT_IN_MBIT),
        "mbit" | "mb" => value,
        "gbit" | "gb" => value.saturating_mul(KBIT_IN_MBIT),
        "bit" | "b" => value.div_ceil(KBIT_IN_MBIT * KBIT_IN_MBIT),
        _ => service.units.convert(addon.name(), value, unit, "mbit/s")?,
    })
}

/// Operations a second.
pub(super) fn operations(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    let Some(amount) = find(service, addon) else { return Ok(None) };
    let value = number(addon, amount)?;
    Ok(above_zero(Some(match amount.unit.to_lowercase().as_str() {
        "" | "piece" | "iops" => value,
        "hio" => value.div_ceil(HIO_IN_IOPS),
        unit => service.units.convert(addon.name(), value, unit, "iops")?,
    })))
}

/// On or off.
pub(super) fn switch(service: &Service, addon: &Addon) -> Result<Option<bool>> {
    let Some(amount) = find(service, addon) else { return Ok(None) };
    let value = amount.value.trim();
    if is_nothing(value) {
        return Ok(Some(false));
    }
    if value == "on" || value.parse::<u64>().is_ok() {
        return Ok(Some(true));
    }
    Err(bad(addon, value, "is neither on nor off", "on, off or a number, of which 0 is off"))
}

/// The internal name of what was chosen.
pub(super) fn choice<'a>(service: &'a Service, addon: &Addon) -> Option<&'a str> {
    find(service, addon).map(|amount| amount.value.trim()).filter(|value| !is_nothing(value))
}

/// Length of the IPv6 network: a number, or a choice that has one in its internal name.
pub(super) fn bits(service: &Service, addon: &Addon) -> Result<Option<u64>> {
    let Some(value) = choice(service, addon) else { return Ok(None) };
    let possible = format!("a number from 1 to {MOST_BITS}, or a choice named like 64, /64 or prefix64");
    let plain = value.to_lowercase().replace("ipv6", "");
    let mut numbers = plain.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let (first, more) = (numbers.next(), numbers.next());
    match (first.and_then(|digits| digits.parse::<u64>().ok()), more) {
        (Some(bits @ 1..=MOST_BITS), None) if !value.starts_with('-') => Ok(Some(bits)),
        _ => Err(bad(addon, value, "is no length of an IPv6 network", &possible)),
    }
}

pub(super) fn above_zero(value: Option<u64>) -> Option<u64> {
    value.filter(|&n| n > 0)
}

/// A size in MiB of `value` in the unit of the add-on `name`.
pub fn quantity(service: &Service, name: &str, value: u64) -> Result<u64> {
    match named(service, name).or_else(|| name.split_whitespace().find_map(|word| named(service, word))) {
        Some(amount) if !amount.unit.is_empty() => service.units.convert(name, value, &amount.unit, "mib"),
        _ => Ok(value),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::addons::IPV6_PREFIX;
    use super::*;
    use crate::panel::{Customer, ServiceStatus, Units};

    /// A service with add-ons: name, value, unit.
    pub(in super::super) fn service(addons: &[(&str, &str, &str)]) -> Service {
        let amount = |(name, value, unit): &(&str, &str, &str)| {
            ((*name).to_owned(), Amount { value: (*value).to_owned(), unit: (*unit).to_owned() })
        };
        Service {
            id: 1.into(),
            item_type: "vds".to_owned(),
            status: ServiceStatus::Opening,
            period: 1,
            last_tariff: None,
            tariff_id: 1.into(),
            tariff_title: String::new(),
            tariff_name: String::new(),
            tariff: BTreeMap::new(),
            remote_id: None,
            client: Customer::default(),
            params: BTreeMap::new(),
            addons: addons.iter().map(amount).collect(),
            units: Arc::new(Units::default()),
        }
    }

    #[test]
    fn the_length_of_a_network_as_number_and_as_choice() {
        let read = |value: &str| bits(&service(&[("ipv6subnet_prefix", value, "")]), &IPV6_PREFIX);
        for (value, bits) in [("64", 64), ("/64", 64), ("prefix64", 64), ("ipv6_56", 56), ("net-48", 48), ("128", 128)]
        {
            assert_eq!(read(value).unwrap(), Some(bits), "{value}");
        }
        for nothing in ["", "0", "none"] {
            assert_eq!(read(nothing).unwrap(), None, "{nothing}");
        }
        for bad in ["big", "129", "-64", "48_64", "99999999999999999999", "/0"] {
            let error = read(bad).unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, "ipv6subnet_prefix"));
            assert!(error.text.contains(&format!("\"{bad}\"")) && error.cure.unwrap().contains("prefix64"));
        }
    }
}
