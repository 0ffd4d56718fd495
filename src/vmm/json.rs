//! The document in an answer, read straight into the type that is wanted.
//!
//! **Invariant.** A document that cannot be held in little memory is refused before anything is made of it: whatever
//! VMmanager sends, it is at most [`MOST_BYTES`] long, so deep and of so many pieces. The answers of a real one stay far
//! below: a page of 500 VMs has some 60,000 pieces in 2 MiB.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Bytes of the largest answer that is read.
pub(super) const MOST_BYTES: usize = 8 << 20;
const DEEPEST: usize = 64;
const MOST_PIECES: usize = 200_000;

/// An object or a list.
pub(super) enum Json {
    /// As VMmanager sent it, proved to be within the limits, and the `error` that it has, if it has one [api 1.5].
    Sent(Vec<u8>, Option<Value>),
    /// What stands in place of an answer.
    Made(Value),
}

impl Json {
    /// Takes a body; an empty one reads as `{}` [api 7]. Why it is of no use, if it is not.
    pub(super) fn sent(mut bytes: Vec<u8>) -> Result<Self, &'static str> {
        if bytes.len() > MOST_BYTES {
            return Err("is larger than 8 MiB");
        }
        if bytes.trim_ascii().is_empty() {
            bytes = b"{}".to_vec();
        }
        measure(&bytes)?;
        let error = if is_object(&bytes) {
            serde_json::from_slice::<Said>(&bytes).map(|Said(error)| error)
        } else {
            serde_json::from_slice::<IgnoredAny>(&bytes).map(|_| None)
        };
        Ok(Json::Sent(bytes, error.map_err(|_| "is not JSON")?))
    }

    /// Reads an object.
    pub(super) fn object<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        let is_object = match &self {
            Json::Sent(bytes, _) => is_object(bytes),
            Json::Made(value) => value.is_object(),
        };
        // A type of ours would be read from a list too, field by field.
        if is_object { self.any() } else { Err(serde_json::Error::custom("it is no object")) }
    }

    /// Reads whatever it is.
    pub(super) fn any<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        match self {
            Json::Sent(bytes, _) => serde_json::from_slice(&bytes),
            Json::Made(value) => serde_json::from_value(value),
        }
    }

    /// Its `error`, unless that is null.
    pub(super) fn error(&self) -> Option<&Value> {
        match self {
            Json::Sent(_, error) => error.as_ref().filter(|error| !error.is_null()),
            Json::Made(_) => None,
        }
    }
}

fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// What an object says under `error`; the rest is only read over.
struct Said(Option<Value>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Said;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Said, A::Error> {
                let mut said = None;
                while let Some(name) = fields.next_key::<String>()? {
                    if name == "error" {
                        said = Some(fields.next_value()?);
                    } else {
                        fields.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Said(said))
            }
        }
        input.deserialize_map(Fields)
    }
}

/// Counts pieces and depth without reading them.
fn measure(bytes: &[u8]) -> Result<(), &'static str> {
    let (mut depth, mut pieces, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in bytes {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => (depth, pieces) = (depth + 1, pieces + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => pieces += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Err("is nested deeper than 64 levels");
        }
    }
    if pieces > MOST_PIECES { Err("has more than 200,000 elements") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn refused(text: &str) -> &'static str {
        Json::sent(text.into()).err().unwrap_or("nothing is wrong")
    }

    #[test]
    fn limits() {
        let list = |count| format!("[{}]", vec!["1"; count].join(","));
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(refused(&list(MOST_PIECES)), "nothing is wrong");
        assert_eq!(refused(&list(MOST_PIECES + 1)), "has more than 200,000 elements");
        assert_eq!(refused(&nested(DEEPEST)), "nothing is wrong");
        assert_eq!(refused(&nested(DEEPEST + 1)), "is nested deeper than 64 levels");
        assert_eq!(refused(&format!("\"{}\\\"{}\"", "[,".repeat(200_000), "{".repeat(100))), "nothing is wrong");
        assert_eq!(refused(&"\"".repeat(3)), "is not JSON");
        assert_eq!(refused(&" ".repeat(MOST_BYTES + 1)), "is larger than 8 MiB");
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        for body in ["", " \r\n"] {
            assert_eq!(Json::sent(body.into()).ok().unwrap().object::<Value>().unwrap(), json!({}));
        }
    }

    #[test]
    fn a_list_is_no_object() {
        assert!(Json::sent(b"[[]]".to_vec()).ok().unwrap().object::<Value>().is_err());
        assert!(Json::Made(json!([])).object::<Value>().is_err());
    }

    proptest! {
        #[test]
        fn errors_are_seen_wherever_they_are(before in 0..3_usize, after in 0..3_usize) {
            let others = |count| "\"error_\":{\"error\":1},".repeat(count);
            let text = format!("{{{}\"error\":7,{}\"x\":0}}", others(before), others(after));
            let json = Json::sent(text.into_bytes()).ok().unwrap();
            prop_assert_eq!(json.error(), Some(&json!(7)));
        }
    }
}
