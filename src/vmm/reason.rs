//! Why VMmanager refused, in words: from the error document of an answer, or from what came in its place.

use serde_json::Value;

use super::http::{Answer, Request};
use crate::error::{Error, Kind};

/// An answer that is none of VMmanager's.
pub(super) fn not_vmmanager(base: &str, reason: &str) -> Error {
    let text = format!("what answers at {base} is not VMmanager 6: {reason}");
    Error::new(Kind::Vm6Connect, base, text).cure("check the address")
}

/// Why an answer without an error document is a refusal.
pub(super) fn plain_reason(request: &Request, answer: &Answer) -> String {
    // What should have been a token or a key is one that nobody knows yet.
    let is_secret = ["/token", "/key"].iter().any(|end| request.path.ends_with(end)) && answer.status < 400;
    if answer.excerpt.is_empty() || is_secret {
        format!("HTTP status {}", answer.status)
    } else {
        format!("HTTP status {}: {}", answer.status, answer.excerpt.trim())
    }
}

/// Code, text and the offending value of an error body [api 1.5].
pub(super) fn error_text(error: &Value) -> String {
    let message = error.get("msg").and_then(Value::as_str).unwrap_or_default();
    let code = error.get("code").and_then(whole).map(|code| format!("code {code}")).unwrap_or_default();
    let value = error.get("value").filter(|value| !value.is_null()).map(ToString::to_string).unwrap_or_default();
    let text = [message, &code, &value].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ");
    if text.is_empty() { error.to_string() } else { text }
}

/// A number or a number in a string.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}
