//! Bodies of hostile answers, made of the honest one.

use serde_json::{Map, Value, json};

use super::api::Asked;
use super::hostile::Hostile;

/// Clears a screen, writes a clipboard, breaks lines, turns the direction of writing, and is not seen at all.
pub const ODD: &str = "\0\u{1b}[2J\u{1b}]52;c;b3duZWQ=\u{7}\u{9b}31m\u{85}\r\n\t\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\
                       \u{200b}\u{200d}\u{2060}\u{feff}\u{ad}";

const MEBIBYTE: usize = 1 << 20;
const PAGE: u64 = 500;

/// The body of this kind for a request that the platform answers with `honest`.
pub(super) fn body(kind: Hostile, asked: &Asked, honest: &Value) -> Vec<u8> {
    let text = match kind {
        Hostile::EmptyObjects => list_of("{}", 32 * MEBIBYTE - 100),
        Hostile::SmallObjects => list_of(r#"{"id":1}"#, 8 * MEBIBYTE - 100),
        Hostile::Deep => "[".repeat(1_000_000),
        Hostile::BigText => {
            let mut left = 1;
            texts(honest, &mut |text| {
                left -= 1;
                if left < 0 { text.to_owned() } else { "x".repeat(7 * MEBIBYTE) }
            })
            .to_string()
        }
        Hostile::EndlessList => pages(asked, honest, PAGE, |offset| offset + 1),
        Hostile::SlowList => pages(asked, honest, 1, |offset| offset + 1),
        Hostile::RepeatedIds => pages(asked, honest, PAGE, |_| 1),
        Hostile::HugeNumbers => numbers(honest, "123456789012345678901234567890e300"),
        Hostile::NegativeNumbers => numbers(honest, "-1.5"),
        Hostile::WrongTypes => distorted(honest).to_string(),
        Hostile::Nulls => nulls(honest).to_string(),
        Hostile::Nothing => "{}".to_owned(),
        Hostile::Twice => twice(honest),
        Hostile::OddTexts => texts(honest, &mut |text| format!("{ODD}{text}{ODD}")).to_string(),
        Hostile::LongError => json!({ "error": { "code": 3006, "msg": "x".repeat(7 * MEBIBYTE) } }).to_string(),
        Hostile::NotUtf8 => return not_utf8(honest),
        _ => honest.to_string(),
    };
    text.into_bytes()
}

/// Every text begins with a byte that UTF-8 does not have.
fn not_utf8(honest: &Value) -> Vec<u8> {
    let marked = texts(honest, &mut |text| format!("\u{1}{text}")).to_string();
    marked
        .replace("\\u0001", "\u{1}")
        .into_bytes()
        .into_iter()
        .map(|byte| if byte == 1 { 0xff } else { byte })
        .collect()
}

/// The same document with every number, text and list as something else.
pub(super) fn distorted(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => json!("maybe"),
        Value::Number(number) => json!({ "number": number }),
        Value::String(text) => json!([text]),
        Value::Array(_) => json!("none"),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), distorted(value))).collect(),
    }
}

fn list_of(element: &str, size: usize) -> String {
    let count = size / (element.len() + 1);
    let mut text = String::with_capacity(size + 100);
    text.push_str(r#"{"list":["#);
    for n in 0..count {
        text.push_str(if n == 0 { "" } else { "," });
        text.push_str(element);
    }
    text + r#"],"size":1}"#
}

/// A page of a list: copies of its first element with ids from `first` of the offset on. Other answers stay as they are.
fn pages(asked: &Asked, honest: &Value, count: u64, first: impl Fn(u64) -> u64) -> String {
    let Some(list) = honest.get("list").and_then(Value::as_array) else { return honest.to_string() };
    let offset = asked.parameter("limit").and_then(|limit| limit.split(',').next()?.parse().ok()).unwrap_or(0);
    let element = list.first().cloned().unwrap_or_else(|| json!({}));
    let numbered = |n: u64| {
        let mut element = element.clone();
        if let Some(fields) = element.as_object_mut() {
            fields.insert("id".to_owned(), json!(n));
        }
        element
    };
    let first = first(offset);
    json!({ "list": (first..first + count).map(numbered).collect::<Vec<_>>(), "size": 1_000_000_000 }).to_string()
}

fn texts(value: &Value, change: &mut dyn FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(list) => list.iter().map(|value| texts(value, change)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), texts(value, change))).collect(),
        other => other.clone(),
    }
}

/// The document as text with this in place of every number.
fn numbers(value: &Value, number: &str) -> String {
    match value {
        Value::Number(_) => number.to_owned(),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(|value| numbers(value, number)).collect::<Vec<_>>().join(","))
        }
        Value::Object(map) => object(map, |value| numbers(value, number), 1),
        other => other.to_string(),
    }
}

fn twice(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(twice).collect::<Vec<_>>().join(",")),
        Value::Object(map) => object(map, twice, 2),
        other => other.to_string(),
    }
}

fn object(map: &Map<String, Value>, write: impl Fn(&Value) -> String, times: usize) -> String {
    let fields = map.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), write(value)));
    let fields: Vec<String> = fields.flat_map(|field| vec![field; times]).collect();
    format!("{{{}}}", fields.join(","))
}

fn nulls(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(nulls).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), if value.is_array() { nulls(value) } else { Value::Null }))
            .collect(),
        _ => Value::Null,
    }
}
