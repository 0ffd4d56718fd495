//! The table. A row is all that a new setting needs here; the form and its texts are in the plugin XML.

use std::collections::BTreeMap;
use std::time::Duration;

use super::queue_key::QueueKey;
use super::values::{self, Stored, TlsVerify, UnknownAddons};
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;

/// Where the administrator finds a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Page of the handler's form: how VMmanager is reached.
    Connect,
    /// Page of the handler's form: how VMs are made.
    Settings,
    /// The handler's table *Parameters*.
    Custom,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name in the form and in the database.
    pub name: &'static str,
    /// What an empty one means; empty when there is no default.
    pub default: &'static str,
    /// Where it is found.
    pub place: Place,
    /// Stored encrypted.
    pub crypted: bool,
    /// Every value that it may hold; empty when it is free text.
    pub choices: &'static [&'static str],
    /// Checks a value and returns it as it is stored.
    check: fn(&'static str, &str) -> Result<String>,
}

/// `name: type = mode(parse), default, place`, or `name = crypted, place`.
///
/// `required` keeps the error of a wrong value for those who need the setting; `optional` uses the default instead.
macro_rules! settings {
    ($($name:ident $(: $type:ty = $mode:ident($parse:path))? $(= $crypted:ident)?, $default:literal, $place:ident;)*) => {
        /// Every setting of a handler, in the order in which `features` declares them.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            default: $default,
            place: Place::$place,
            crypted: is_crypted(&[$(stringify!($crypted))?]),
            choices: first_of(&[$(choices_of($parse))?]),
            check: check_of(&[$(|name, value| $parse(name, value).map(|value| value.stored()))?]),
        }),*];

        /// What a handler has stored, or a form holds.
        #[derive(Clone, Debug)]
        pub struct HandlerSettings {
            $($(
                #[doc = concat!("`", stringify!($name), "`")]
                pub $name: $type,
            )?)*
            /// Settings that have their default because their value is impossible, each with the reason.
            pub warnings: Vec<(&'static str, String)>,
        }

        impl HandlerSettings {
            /// Parses every setting. A missing or empty one has its default.
            pub fn read(stored: &BTreeMap<String, String>) -> Self {
                let mut source = Source { stored, warnings: Vec::new() };
                HandlerSettings {
                    $($($name: source.$mode(stringify!($name), $default, $parse),)?)*
                    warnings: source.warnings,
                }
            }
        }
    };
}

settings! {
    url: Result<String> = required(values::url), "", Connect;
    username: Result<String> = required(values::filled), "", Connect;
    password = crypted, "", Connect;
    tls_verify: Result<TlsVerify> = required(values::tls_verify), "system", Connect;
    tls_fingerprint: Result<String> = required(values::fingerprint), "", Connect;
    cluster: Result<Option<ClusterId>> = required(values::cluster), "", Settings;
    use_recipes: bool = optional(values::switch), "off", Settings;
    additional_interface: bool = optional(values::switch), "off", Settings;
    session_ttl: Duration = optional(values::session_ttl), "1800", Custom;
    queue_enabled: bool = optional(values::switch), "off", Custom;
    queue_key: QueueKey = optional(QueueKey::parse), "__PMID__", Custom;
    queue_count: u32 = optional(values::queue_count), "1", Custom;
    unknown_addons: UnknownAddons = optional(values::unknown_addons), "report", Custom;
    resold_accounts: bool = optional(values::switch), "on", Custom;
    secret_arguments: bool = optional(values::switch), "off", Custom;
}

type Check = fn(&'static str, &str) -> Result<String>;

const fn is_crypted(words: &[&str]) -> bool {
    !words.is_empty()
}

const fn choices_of<T: Stored>(_: Parse<T>) -> &'static [&'static str] {
    T::CHOICES
}

const fn first_of(choices: &[&'static [&'static str]]) -> &'static [&'static str] {
    match choices {
        [choices, ..] => choices,
        [] => &[],
    }
}

/// A crypted setting may hold anything.
const fn check_of(checks: &[Check]) -> Check {
    match checks {
        [check, ..] => *check,
        [] => |_, value| Ok(value.to_owned()),
    }
}

/// Where values come from, and what was wrong with them.
struct Source<'a> {
    stored: &'a BTreeMap<String, String>,
    warnings: Vec<(&'static str, String)>,
}

impl Source<'_> {
    fn value(&self, name: &str, default: &'static str) -> &str {
        let value = self.stored.get(name).map_or("", |value| value.trim());
        if value.is_empty() { default } else { value }
    }

    fn required<T>(&self, name: &'static str, default: &'static str, parse: Parse<T>) -> Result<T> {
        parse(name, self.value(name, default))
    }

    fn optional<T: Default>(&mut self, name: &'static str, default: &'static str, parse: Parse<T>) -> T {
        parse(name, self.value(name, default)).unwrap_or_else(|error| {
            self.warnings.push((name, format!("{}; the default \"{default}\" is used", error.message())));
            parse(name, default).unwrap_or_default()
        })
    }
}

type Parse<T> = fn(&'static str, &str) -> Result<T>;

/// The settings of the handler's form.
pub fn form() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.place != Place::Custom)
}

/// The settings of the handler's table *Parameters*.
pub fn custom() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.place == Place::Custom)
}

/// Checks a custom parameter that is about to be stored and returns it as it should be stored. The error is `bad_param`,
/// its object the parameter's name.
pub fn validate(name: &str, value: &str) -> Result<String> {
    let value = value.trim();
    match custom().find(|setting| setting.name == name) {
        // A choice that is left out is the default one.
        Some(setting) if value.is_empty() && !setting.choices.is_empty() => Ok(setting.default.to_owned()),
        Some(setting) => (setting.check)(setting.name, value),
        None => Err(Error::new(
            Kind::BadParam,
            name,
            format!("{name} cannot be \"{value}\": this handler has no such parameter"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stored: &[(&str, &str)]) -> HandlerSettings {
        HandlerSettings::read(&stored.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn what_may_be_stored() {
        let good = [
            ("session_ttl", " 0 ", "0"),
            ("session_ttl", "086400", "86400"),
            ("queue_enabled", "on", "on"),
            ("queue_enabled", "", "off"),
            ("resold_accounts", "", "on"),
            ("resold_accounts", "off", "off"),
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
    fn every_default_may_be_stored() {
        let settings = read(&[]);
        assert_eq!(settings.warnings, []);
        assert_eq!(settings.tls_verify.unwrap(), TlsVerify::System);
        for setting in custom() {
            assert_eq!(validate(setting.name, setting.default).unwrap(), setting.default);
        }
    }

    #[test]
    fn stored_nonsense_becomes_the_default_with_a_warning() {
        let stored = [("session_ttl", "soon"), ("queue_count", "0"), ("queue_key", ""), ("queue_enabled", "on")];
        let (settings, defaults) = (read(&stored), read(&[]));
        assert!(settings.queue_enabled && !defaults.queue_enabled);
        assert_eq!(
            (settings.session_ttl, settings.queue_count, &settings.queue_key),
            (defaults.session_ttl, defaults.queue_count, &defaults.queue_key)
        );
        let names: Vec<_> = settings.warnings.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["session_ttl", "queue_count"]);
        assert!(settings.warnings[0].1.contains("session_ttl") && settings.warnings[0].1.contains("1800"));
    }

    #[test]
    fn a_wrong_value_hides_no_other_one() {
        let settings =
            read(&[("cluster", "x1"), ("tls_verify", "some"), ("tls_fingerprint", "12"), ("queue_count", "0")]);
        let kinds = [
            settings.url.unwrap_err(),
            settings.username.unwrap_err(),
            settings.cluster.unwrap_err(),
            settings.tls_verify.unwrap_err(),
            settings.tls_fingerprint.unwrap_err(),
        ];
        assert_eq!(
            kinds.map(|error| (error.kind, error.object)).map(|(kind, object)| format!("{} {object}", kind.name())),
            [
                "missing_param url",
                "missing_param username",
                "bad_param cluster",
                "bad_param tls_verify",
                "bad_param tls_fingerprint"
            ]
        );
        assert_eq!(settings.warnings.len(), 1);
    }
}
