//! Honest documents with something broken in them: the right fields of a wrong type, numbers that fit nowhere, parts that
//! are missing. What is broken, and how, is read from the bytes of a case; when they end, the rest is honest.

use std::sync::{Arc, Mutex, PoisonError};

use sandbox::vmm::{ODD, Rewrite};
use serde_json::{Value, json};

/// Statuses with which a whole answer may come.
const STATUSES: [u16; 8] = [200, 201, 302, 400, 403, 404, 429, 500];
/// Codes of error documents [api 1.5].
const CODES: [u64; 8] = [1000, 1106, 3000, 3001, 3006, 3008, 3080, 5021];

/// What a case still has to say.
#[derive(Clone)]
pub(crate) struct Choices(Arc<Mutex<Vec<u8>>>);

impl Choices {
    /// Reads from the first byte on.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(bytes.iter().rev().copied().collect())))
    }

    /// The next byte; 0 when there is none.
    pub(crate) fn byte(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default().into()
    }

    fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.byte() % choices.len()]
    }
}

/// Breaks the answers for which the case has a byte that says so.
pub(crate) fn rewrite(choices: &Choices) -> Rewrite {
    let choices = choices.clone();
    Rewrite::new(move |status, honest| match choices.byte() % 4 {
        1 => (status, broken(honest, &choices).to_string().into_bytes()),
        2 => {
            let twice = broken(&broken(honest, &choices), &choices);
            (status, twice.to_string().into_bytes())
        }
        3 => whole(status, honest, &choices),
        _ => (status, honest.to_string().into_bytes()),
    })
}

/// The answer as a whole is another one.
fn whole(status: u16, honest: &Value, choices: &Choices) -> (u16, Vec<u8>) {
    let text = honest.to_string();
    match choices.byte() % 6 {
        0 => (status, text.as_bytes()[..text.len() / 2].to_vec()),
        1 => (status, b"<html>It works!</html>".to_vec()),
        2 => (choices.of(&STATUSES), text.into_bytes()),
        3 => {
            let error = json!({ "error": { "code": choices.of(&CODES), "msg": ODD, "value": honest } });
            (choices.of(&STATUSES), error.to_string().into_bytes())
        }
        4 => (status, json!([honest]).to_string().into_bytes()),
        _ => (status, Vec::new()),
    }
}

/// The document with one of its parts broken.
fn broken(honest: &Value, choices: &Choices) -> Value {
    let at = (choices.byte() << 8 | choices.byte()) % count(honest);
    let mut left = at;
    replaced(honest, &mut left, choices).unwrap_or(Value::Null)
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Counts down to the part to be broken; nothing when that is to be left out. An element of a list is not: a list without
/// it is an honest one of another platform.
fn replaced(value: &Value, left: &mut usize, choices: &Choices) -> Option<Value> {
    if *left == 0 {
        *left = usize::MAX;
        return another(value, choices);
    }
    *left -= 1;
    Some(match value {
        Value::Array(list) => list.iter().map(|value| replaced(value, left, choices).unwrap_or(Value::Null)).collect(),
        Value::Object(map) => {
            map.iter().filter_map(|(name, value)| Some((name.clone(), replaced(value, left, choices)?))).collect()
        }
        other => other.clone(),
    })
}

/// Something else in place of a part.
fn another(value: &Value, choices: &Choices) -> Option<Value> {
    Some(match choices.byte() % 16 {
        0 => return None,
        1 => Value::Null,
        2 => json!({}),
        3 => json!([value]),
        4 => json!({ "value": value }),
        5 => json!("text"),
        6 => json!(-1),
        7 => json!(1e300),
        8 => json!(u64::MAX),
        9 => json!(0.5),
        10 => json!(true),
        11 => (0..choices.byte()).fold(value.clone(), |inner, _| json!([inner])),
        12 => json!(value.to_string()),
        13 => json!("x".repeat(100_000)),
        14 => json!(ODD),
        _ => json!(vec![value; 300]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_broken() {
        let honest = json!({ "list": [{ "id": 1, "name": "a" }], "size": 1 });
        let parts = count(&honest);
        assert_eq!(parts, 6);
        for at in 0..parts {
            let choices = Choices::new(&[0, u8::try_from(at).unwrap(), 7]);
            let number = json!(1e300).to_string();
            assert_eq!(broken(&honest, &choices).to_string().matches(&number).count(), 1, "{at}");
        }
    }

    #[test]
    fn without_a_word_of_the_case_answers_are_honest() {
        let choices = Choices::new(&[]);
        assert_eq!(choices.byte(), 0);
    }
}
