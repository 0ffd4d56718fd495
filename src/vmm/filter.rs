//! The `where` parameter of list requests [api 2].
//!
//! No way to escape a quote inside a literal is documented, so a value that holds a quote or a backslash is refused
//! here; callers that need such a value (an e-mail may hold an apostrophe) read the list and compare themselves.

use crate::error::{Error, Kind, Result};

/// A condition in the platform's grammar.
#[derive(Clone, Debug)]
pub(super) struct Filter(String);

impl Filter {
    /// `(field EQ 'value')`.
    pub(super) fn eq(field: &str, value: impl std::fmt::Display) -> Result<Self> {
        let value = value.to_string();
        if value.contains(['\'', '"', '\\']) || value.chars().any(char::is_control) {
            let text = format!(
                "\"{value}\" cannot be searched for in VMmanager: it holds a quote, a backslash or a control character"
            );
            return Err(Error::new(Kind::BadParam, field, text));
        }
        Ok(Filter(format!("({field} EQ '{value}')")))
    }

    #[must_use]
    pub(super) fn and(self, other: &Filter) -> Self {
        Filter(format!("({} AND {})", self.0, other.0))
    }

    /// The query string `where=…`, percent-encoded so that a `+` stays a `+`.
    pub(super) fn query(&self) -> String {
        format!("where={}", encode(&self.0))
    }
}

/// Percent-encodes everything but unreserved characters.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_keeps_plus_and_blank_apart() {
        let query = Filter::eq("email", "a+b c@x.y").unwrap().query();
        assert_eq!(query, "where=%28email%20EQ%20%27a%2Bb%20c%40x.y%27%29");
    }

    #[test]
    fn quotes_are_refused() {
        for value in ["o'brien@x.y", "a\\b", "\"", "a\nb"] {
            assert_eq!(Filter::eq("email", value).unwrap_err().kind, Kind::BadParam);
        }
    }

    #[test]
    fn conditions_join() {
        let both = Filter::eq("consul_id", 5).unwrap().and(&Filter::eq("name", "host_create").unwrap());
        assert_eq!(both.0, "((consul_id EQ '5') AND (name EQ 'host_create'))");
    }
}
