//! What VMmanager says about itself [api 4.13]. The shapes are untyped in every source: what cannot be understood reads
//! as nothing.

use std::fmt;

use serde_json::Value;

use super::client::Client;
use crate::error::Result;

/// A release, for example 2024.03.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Year.
    pub year: u32,
    /// Month.
    pub month: u32,
    /// Number inside the month.
    pub number: u32,
}

impl Version {
    /// Reads `2024.03.1`, `2024.3`, `6.2024.03.1-5`; nothing when no year and month are in it.
    pub fn parse(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|word| !word.is_empty());
        words.into_iter().find_map(|word| {
            let numbers: Vec<u32> = word.split('.').map_while(|part| part.parse().ok()).collect();
            let at = numbers.iter().position(|year| (2018..2100).contains(year))?;
            let month = *numbers.get(at + 1).filter(|month| (1..=12).contains(*month))?;
            Some(Version { year: numbers[at], month, number: numbers.get(at + 2).copied().unwrap_or_default() })
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}.{}", self.year, self.month, self.number)
    }
}

impl Client {
    /// The platform's version, if it can be understood.
    pub fn version(&self) -> Result<Option<Version>> {
        let answer: Value = self.get("/vm/v3/version")?;
        let named = answer.get("version").and_then(find_version);
        Ok(named.or_else(|| find_version(&answer)))
    }

    /// Whether the licence is valid, if VMmanager reports it.
    pub fn licence_valid(&self) -> Result<Option<bool>> {
        let answer: Value = self.get("/vm/v3/get_license")?;
        Ok(answer.pointer("/license/valid").and_then(Value::as_bool))
    }
}

fn find_version(value: &Value) -> Option<Version> {
    match value {
        Value::String(text) => Version::parse(text),
        Value::Object(fields) => fields.values().find_map(find_version),
        Value::Array(list) => list.iter().find_map(find_version),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let parse = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(parse("2024.03.1").as_deref(), Some("2024.03.1"));
        assert_eq!(parse("2025.6").as_deref(), Some("2025.06.0"));
        assert_eq!(parse("VMmanager 6.2024.03.1-5").as_deref(), Some("2024.03.1"));
        for text in ["", "6", "latest", "2024", "2024.13", "1.2.3", "2024-03-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(Version::parse("2024.02.12") < Version::parse("2024.03.1"));
        assert!(Version::parse("2024.10.1") > Version::parse("2024.03.1"));
        let nested = serde_json::json!({"last": [null, {"vm": "2025.01.2"}], "id": 7});
        assert_eq!(find_version(&nested), Version::parse("2025.01.2"));
    }
}
