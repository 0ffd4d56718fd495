//! The handler's four custom parameters: reading what is stored, checking what is entered.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, ServiceId};

/// Names and defaults, in the order of the panel's screen.
pub const PARAMETERS: [(&str, &str); 4] =
    [("session_ttl", "1800"), ("queue_enabled", "off"), ("queue_key", "__PMID__"), ("queue_count", "1")];

/// Keys of the services' own tickets begin with this; a handler's key must not, or an operation would wait for itself.
pub const SERVICE_PREFIX: &str = "service:";

const TTL: RangeInclusive<u32> = 0..=86_400;
const COUNT: RangeInclusive<u32> = 1..=100;
const MAX_KEY: usize = 64;
const MACROS: [&str; 3] = ["__TYPE__", "__PMID__", "__IID__"];

/// How the operations of a handler queue up and share a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a session of VMmanager is used; zero: it is never kept.
    pub session_ttl: Duration,
    /// Whether operations of this handler queue up.
    pub queue_enabled: bool,
    /// Queue key, macros not yet replaced.
    pub queue_key: String,
    /// How many operations of one key run at once.
    pub queue_count: u32,
}

impl Settings {
    /// Reads the handler's stored parameters. A missing or empty one has its default; an impossible one too, with a
    /// warning, because it must never hold up an operation.
    pub fn read(stored: &BTreeMap<String, String>) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let values = PARAMETERS.map(|(name, default)| {
            let value = stored.get(name).map_or("", |value| value.trim());
            if value.is_empty() {
                return default.to_owned();
            }
            validate(name, value).unwrap_or_else(|error| {
                warnings.push(format!("{}; the default \"{default}\" is used", error.message()));
                default.to_owned()
            })
        });
        let [ttl, enabled, queue_key, count] = values;
        let settings = Settings {
            session_ttl: Duration::from_secs(ttl.parse().unwrap_or(0)),
            queue_enabled: enabled == "on",
            queue_key,
            queue_count: count.parse().unwrap_or(1),
        };
        (settings, warnings)
    }

    /// The queue key of one operation: `command` of service `item` by handler `handler`.
    pub fn key(&self, command: &str, handler: HandlerId, item: ServiceId) -> String {
        MACROS
            .iter()
            .zip([command.to_owned(), handler.to_string(), item.to_string()])
            .fold(self.queue_key.clone(), |key, (name, value)| key.replace(name, &value))
    }
}

/// The key of a service's own ticket: one operation of a service at a time, always.
pub fn service_key(item: ServiceId) -> String {
    format!("{SERVICE_PREFIX}{item}")
}

/// Checks a value that is about to be stored and returns it as it should be stored. The error is `bad_param`, its
/// object the parameter's name.
pub fn validate(name: &str, value: &str) -> Result<String> {
    let value = value.trim();
    let checked = match name {
        "session_ttl" => number(value, TTL, "seconds"),
        "queue_count" => number(value, COUNT, "queues"),
        "queue_enabled" => match value {
            "on" | "off" => Ok(value.to_owned()),
            "" => Ok("off".to_owned()),
            _ => Err("it must be \"on\" or \"off\"".to_owned()),
        },
        "queue_key" => queue_key(value),
        _ => Err("this handler has no such parameter".to_owned()),
    };
    checked.map_err(|reason| Error::new(Kind::BadParam, name, format!("{name} cannot be \"{value}\": {reason}")))
}

fn number(value: &str, range: RangeInclusive<u32>, unit: &str) -> std::result::Result<String, String> {
    match value.parse::<u32>() {
        Ok(number) if range.contains(&number) => Ok(number.to_string()),
        _ => Err(format!("it must be a whole number of {unit} from {} to {}", range.start(), range.end())),
    }
}

fn queue_key(value: &str) -> std::result::Result<String, String> {
    if value.is_empty() {
        return Err("it must not be empty".to_owned());
    }
    if value.len() > MAX_KEY {
        return Err(format!("it must not be longer than {MAX_KEY} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err("it must not hold control characters".to_owned());
    }
    if value.starts_with(SERVICE_PREFIX) {
        return Err(format!("keys that begin with \"{SERVICE_PREFIX}\" belong to the services themselves"));
    }
    match unknown_macro(value) {
        Some(word) => Err(format!("the macro {word} is not known; known are {}", MACROS.join(", "))),
        None => Ok(value.to_owned()),
    }
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

    #[test]
    fn what_may_be_stored() {
        let good = [
            ("session_ttl", " 0 ", "0"),
            ("session_ttl", "086400", "86400"),
            ("queue_enabled", "on", "on"),
            ("queue_enabled", "", "off"),
            ("queue_count", "100", "100"),
            ("queue_key", "a__TYPE____PMID__-__IID__", "a__TYPE____PMID__-__IID__"),
            ("queue_key", "очередь my_key a__b", "очередь my_key a__b"),
        ];
        for (name, value, stored) in good {
            assert_eq!(validate(name, value).unwrap(), stored, "{name}");
        }
        let bad = [
            ("session_ttl", "86401", "from 0 to 86400"),
            ("session_ttl", "-1", "whole number"),
            ("session_ttl", "", "whole number"),
            ("session_ttl", "1.5", "whole number"),
            ("queue_enabled", "yes", "\"on\" or \"off\""),
            ("queue_count", "0", "from 1 to 100"),
            ("queue_count", "101", "from 1 to 100"),
            ("queue_key", "  ", "empty"),
            ("queue_key", "__HANDLER__", "__HANDLER__"),
            ("queue_key", "x__type__", "__type__"),
            ("queue_key", "__PMID____FOO__", "__FOO__"),
            ("queue_key", "___FOO__", "__FOO__"),
            ("queue_key", "service:__IID__", "services themselves"),
            ("queue_key", "a\nb", "control"),
            ("other", "1", "no such parameter"),
        ];
        for (name, value, part) in bad {
            let error = validate(name, value).unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, name));
            assert!(error.text.contains(part), "{error}");
        }
        validate("queue_key", &"k".repeat(65)).unwrap_err();
    }

    #[test]
    fn stored_nonsense_becomes_the_default_with_a_warning() {
        let stored = [("session_ttl", "soon"), ("queue_count", "0"), ("queue_key", ""), ("queue_enabled", "on")];
        let stored = stored.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (settings, warnings) = Settings::read(&stored);
        let (defaults, none) = Settings::read(&BTreeMap::new());
        assert_eq!(none, Vec::<String>::new());
        assert_eq!(settings, Settings { queue_enabled: true, ..defaults });
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("session_ttl") && warnings[0].contains("1800"), "{warnings:?}");
    }

    #[test]
    fn macros_are_replaced() {
        let (mut settings, _) = Settings::read(&BTreeMap::new());
        assert_eq!(settings.key("open", 7.into(), 42.into()), "7");
        settings.queue_key = "__TYPE__/__PMID__/__IID__/__IID__".to_owned();
        assert_eq!(settings.key("open", 7.into(), 42.into()), "open/7/42/42");
    }

    proptest::proptest! {
        #[test]
        fn no_key_panics_and_every_accepted_key_fits_a_pause(key in ".{0,80}") {
            if let Ok(key) = validate("queue_key", &key) {
                let settings = Settings { queue_key: key, ..Settings::read(&BTreeMap::new()).0 };
                proptest::prop_assert!(!settings.key("changepassword", u64::MAX.into(), u64::MAX.into()).is_empty());
            }
        }
    }
}
