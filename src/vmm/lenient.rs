//! Readers of fields that builds of VMmanager write in different ways [api 7].

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

/// A number that has to be there.
pub(super) fn number<'de, D: Deserializer<'de>, T: From<u64>>(input: D) -> Result<T, D::Error> {
    optional_number(input)?.ok_or_else(|| D::Error::custom("a number is missing"))
}

/// A number, a number in a string, or null.
pub(super) fn optional_number<'de, D: Deserializer<'de>, T: From<u64>>(input: D) -> Result<Option<T>, D::Error> {
    match Value::deserialize(input)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text.trim().parse().map(|number: u64| Some(number.into())).map_err(D::Error::custom),
        Value::Number(number) => number
            .as_u64()
            .map(|number| Some(number.into()))
            .ok_or_else(|| D::Error::custom(format!("{number} is not a whole positive number"))),
        other => Err(D::Error::custom(format!("{other} is not a number"))),
    }
}

/// Null reads as the default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// A value of another kind reads as the default.
pub(super) fn if_fits<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned + Default>(
    input: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(input)?).unwrap_or_default())
}

/// Some builds give one object where others give a list [api 4.3].
pub(super) fn one_or_many<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    input: D,
) -> Result<Vec<T>, D::Error> {
    let parse = |value: Value| serde_json::from_value(value).map_err(D::Error::custom);
    match Value::deserialize(input)? {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.into_iter().map(parse).collect(),
        one => parse(one).map(|single| vec![single]),
    }
}

/// An object that may be null, `{}` or a bare id [api 7].
pub(super) fn reference<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    input: D,
) -> Result<Option<T>, D::Error> {
    let value = match Value::deserialize(input)? {
        Value::Null => return Ok(None),
        Value::Object(fields) if fields.is_empty() => return Ok(None),
        Value::Number(id) => serde_json::json!({ "id": id }),
        value => value,
    };
    serde_json::from_value(value).map(Some).map_err(D::Error::custom)
}
