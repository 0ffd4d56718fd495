//! Keys of queues: those of handlers, with macros, and those of the services' own tickets.

use super::values::{Stored, cannot_be};
use crate::error::Result;
use crate::id::{HandlerId, ServiceId};

/// Keys of the services' own tickets begin with this; a handler's key must not, or an operation would wait for itself.
pub const SERVICE_PREFIX: &str = "service:";

const MAX_KEY: usize = 64;
const MACROS: [&str; 3] = ["__TYPE__", "__PMID__", "__IID__"];

/// The queue key of a handler, macros not yet replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueKey(String);

impl QueueKey {
    /// Accepts a key whose macros are known and that cannot be a service's.
    pub fn parse(name: &'static str, value: &str) -> Result<Self> {
        let reason = if value.is_empty() {
            "it must not be empty".to_owned()
        } else if value.len() > MAX_KEY {
            format!("it must not be longer than {MAX_KEY} bytes")
        } else if value.chars().any(char::is_control) {
            "it must not hold control characters".to_owned()
        } else if value.starts_with(SERVICE_PREFIX) {
            format!("keys that begin with \"{SERVICE_PREFIX}\" belong to the services themselves")
        } else if let Some(word) = unknown_macro(value) {
            format!("the macro {word} is not known; known are {}", MACROS.join(", "))
        } else {
            return Ok(QueueKey(value.to_owned()));
        };
        Err(cannot_be(name, value, &reason))
    }

    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of one operation: `command` of service `item` by handler `handler`.
    pub fn of(&self, command: &str, handler: HandlerId, item: ServiceId) -> String {
        MACROS
            .iter()
            .zip([command.to_owned(), handler.to_string(), item.to_string()])
            .fold(self.0.clone(), |key, (name, value)| key.replace(name, &value))
    }
}

impl Stored for QueueKey {
    fn stored(&self) -> String {
        self.0.clone()
    }
}

/// The key of a service's own ticket: one operation of a service at a time, always.
pub fn service_key(item: ServiceId) -> String {
    format!("{SERVICE_PREFIX}{item}")
}

/// The first `__WORD__` that is none of our macros.
fn unknown_macro(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some(start) = rest.find("__") {
        rest = &rest[start..];
        if let Some(known) = MACROS.iter().find(|name| rest.starts_with(**name)) {
            rest = &rest[known.len()..];
            continue;
        }
        let inner = rest[2..].trim_start_matches('_');
        let length = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        if length > 0 && inner[length..].starts_with("__") {
            let offset = rest.len() - inner.len();
            return Some(&rest[offset - 2..offset + length + 2]);
        }
        rest = &inner[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> QueueKey {
        QueueKey::parse("queue_key", text).unwrap()
    }

    #[test]
    fn macros_are_replaced() {
        assert_eq!(key("__PMID__").of("open", 7.into(), 42.into()), "7");
        assert_eq!(key("__TYPE__/__PMID__/__IID__/__IID__").of("open", 7.into(), 42.into()), "open/7/42/42");
    }

    proptest::proptest! {
        #[test]
        fn no_key_panics_and_every_accepted_key_fits_a_pause(text in ".{0,80}") {
            if let Ok(key) = QueueKey::parse("queue_key", text.trim()) {
                proptest::prop_assert!(!key.of("changepassword", u64::MAX.into(), u64::MAX.into()).is_empty());
            }
        }
    }
}
