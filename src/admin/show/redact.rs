//! What must not be shown: values whose names sound like a secret, the secrets that we have read ourselves, and, in
//! what leaves the server, the e-mail addresses of people.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::mask::{MASK, SHORTEST, sounds_secret, without};
use crate::service::report::Report;

/// A parameter's value as it may be shown.
pub(super) fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if sounds_secret(name) && !value.is_empty() { MASK } else { value }
}

/// Takes out of texts and documents what nobody outside may see.
pub(super) struct Redaction {
    secrets: Vec<String>,
}

impl Redaction {
    /// With the secrets of the service and its handler.
    pub(super) fn of(report: &Report) -> Self {
        let Ok(bill) = &report.bill else { return Redaction { secrets: Vec::new() } };
        let secrets = bill.secrets.values().chain(bill.handler.secrets.values());
        let secrets = secrets.map(|secret| secret.expose_secret().to_owned());
        let mut secrets: Vec<String> = secrets.filter(|secret| secret.len() >= SHORTEST).collect();
        // One may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Redaction { secrets }
    }

    /// A text without secrets and with shortened e-mail addresses.
    pub(super) fn text(&self, text: &str) -> String {
        let plain = self.secrets.iter().fold(text.to_owned(), |text, secret| without(&text, secret));
        shortened(&plain)
    }

    /// The same for a document; values whose names sound like a secret go whatever they are, also as
    /// `{"name": "root_password", "value": "…"}`.
    pub(super) fn document(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|element| self.document(element)),
            Value::Object(fields) => {
                let named = fields.get("name").and_then(Value::as_str).is_some_and(sounds_secret);
                for (name, value) in fields.iter_mut() {
                    if (sounds_secret(name) || named && name == "value") && is_told(value) {
                        *value = MASK.into();
                    } else {
                        self.document(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A switch or nothing is no secret.
fn is_told(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_)) && value != ""
}

/// `alice@example.com` as `a***@example.com`.
fn shortened(text: &str) -> String {
    let parts: Vec<&str> = text.split('@').collect();
    let mut result = String::with_capacity(text.len());
    for (at, part) in parts.iter().enumerate() {
        let Some(after) = parts.get(at + 1) else { return result + part };
        let local = part.trim_end_matches(is_local).len();
        match part[local..].chars().next().filter(|_| after.starts_with(char::is_alphanumeric)) {
            Some(first) => result.extend([&part[..local], &first.to_string(), MASK, "@"]),
            None => result.extend([part, "@"]),
        }
    }
    result
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shortened_wherever_they_stand() {
        let cases = [
            ("alice@example.com", "a***@example.com"),
            ("owner <john.doe+vps@mail.example.org>, admin@x.y", "owner <j***@mail.example.org>, a***@x.y"),
            ("Имя: ёжик@пример.рф", "Имя: ё***@пример.рф"),
            ("@admin @ID@.vps.example.net a @ b", "@admin @ID@.vps.example.net a @ b"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shortened(text), expected);
        }
    }

    #[test]
    fn secrets_go_by_name_and_by_value() {
        let redaction = Redaction { secrets: vec!["Pass-\"word\"-1".to_owned()] };
        let mut document = serde_json::json!({
            "password": "x", "vnc_password": 17, "has_password": true, "session_token": "", "ssh_key": "AAAA",
            "queue_key": "k", "note": "it is Pass-\"word\"-1 now",
            "recipe_params": [{"name": "ROOT_PASSWORD", "value": "y"}, {"name": "PORT", "value": "80"}],
        });
        redaction.document(&mut document);
        let expected = serde_json::json!({
            "password": "***", "vnc_password": "***", "has_password": true, "session_token": "", "ssh_key": "***",
            "queue_key": "k", "note": "it is *** now",
            "recipe_params": [{"name": "ROOT_PASSWORD", "value": "***"}, {"name": "PORT", "value": "80"}],
        });
        assert_eq!(document, expected);
    }
}
