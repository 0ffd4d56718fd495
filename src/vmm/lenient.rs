//! Readers of fields that builds of VMmanager write in different ways [api 7].

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::Value;

use crate::text::{clean, cut};

/// Characters of a name, a state, a date; no build has longer ones.
const LONGEST_WORD: usize = 500;
const LONGEST_COMMENT: usize = 64 << 10;

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

/// A number, a switch or a word as it is. Null stays null, and so reads everything else.
pub(super) fn scalar<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Ok(Some(match Value::deserialize(input)? {
        Value::String(word) => Value::from(clean(&word, LONGEST_WORD)),
        known @ (Value::Number(_) | Value::Bool(_)) => known,
        _ => Value::Null,
    }))
}

/// A text that people read, clean; null reads as an empty one. Of one that is longer than any the beginning stays.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(clean(&exact(input)?, LONGEST_WORD))
}

/// A text that something else is compared with, letter by letter.
pub(super) fn exact<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(optional_exact(input)?.unwrap_or_default())
}

/// The same; null stays nothing.
pub(super) fn optional_exact<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(input)?.map(|text| cut(text, LONGEST_WORD)))
}

/// The comment of a VM, which is written back with our mark in it: only one that no VMmanager holds is cut.
pub(super) fn comment<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(cut(Option::<String>::deserialize(input)?.unwrap_or_default(), LONGEST_COMMENT))
}

/// At most so many elements.
pub(super) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    input: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Few::<T, MOST>::deserialize(input)?.0)
}

/// The same; null reads as none.
pub(super) fn few_or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    input: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Few<T, MOST>>::deserialize(input)?.map_or_else(Vec::new, |few| few.0))
}

struct Few<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Elements<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    if list.len() == MOST {
                        return Err(A::Error::invalid_length(MOST + 1, &self));
                    }
                    list.push(element);
                }
                Ok(Few(list))
            }
        }
        input.deserialize_seq(Elements(PhantomData))
    }
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
