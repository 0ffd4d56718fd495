//! Request bodies against their descriptions: nothing unknown, nothing missing, nothing of another type [api 1.1].

use serde_json::{Map, Value};

use super::error::ApiError;

/// A property of a body.
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
}

impl Field {
    /// It must be there.
    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    /// Its name in the body.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// What a property may hold.
pub(super) enum Kind {
    /// Whole number from this one up.
    Int(i64),
    Text,
    Bool,
    /// List of ids.
    Ids,
    Texts,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

/// A property that may be left out.
pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: false }
}

/// A property that must be there.
pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, nullable: false }
}

/// A property that may be left out or null.
pub(super) const fn or_null(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: true }
}

/// The body as an object, if it is exactly what the descriptions together allow.
pub(super) fn check(body: Option<&Value>, fields: &[&[Field]]) -> Result<Map<String, Value>, ApiError> {
    let empty = Map::new();
    let map = match body {
        None => &empty,
        Some(Value::Object(map)) => map,
        Some(_) => return Err(ApiError::bad_query("The body is not a JSON object")),
    };
    check_object(map, fields, "")?;
    Ok(map.clone())
}

fn check_object(map: &Map<String, Value>, fields: &[&[Field]], prefix: &str) -> Result<(), ApiError> {
    let all = || fields.iter().copied().flatten();
    for (name, value) in map {
        let path = format!("{prefix}{name}");
        let field = all().find(|field| field.name == name).ok_or_else(|| ApiError::unexpected(&path))?;
        if !(value.is_null() && field.nullable) {
            field.kind.check(value, &path)?;
        }
    }
    match all().find(|field| field.required && !map.contains_key(field.name)) {
        Some(missing) => Err(ApiError::invalid(&format!("{prefix}{}", missing.name), "is required")),
        None => Ok(()),
    }
}

impl Kind {
    fn check(&self, value: &Value, path: &str) -> Result<(), ApiError> {
        let wrong = |what: &str| Err(ApiError::invalid(path, format!("{what} expected, got {value}")));
        match (self, value) {
            (Self::Int(least), Value::Number(_)) => match value.as_i64() {
                Some(number) if number >= *least => Ok(()),
                Some(_) => wrong(&format!("a number not below {least}")),
                None => wrong("a whole number"),
            },
            (Self::Int(_), _) => wrong("a whole number"),
            (Self::Text, Value::String(_)) | (Self::Bool, Value::Bool(_)) => Ok(()),
            (Self::Text, _) => wrong("a string"),
            (Self::Bool, _) => wrong("true or false"),
            (Self::Ids, Value::Array(items)) if items.iter().all(Value::is_u64) => Ok(()),
            (Self::Ids, _) => wrong("a list of ids"),
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
            (Self::Texts, _) => wrong("a list of strings"),
            (Self::Object(fields), Value::Object(map)) => check_object(map, &[fields], &format!("{path}.")),
            (Self::Object(_), _) => wrong("an object"),
            (Self::Objects(fields), Value::Array(items)) => items.iter().enumerate().try_for_each(|(n, item)| {
                let map = item.as_object().ok_or_else(|| ApiError::invalid(path, "a list of objects expected"))?;
                check_object(map, &[fields], &format!("{path}.{n}."))
            }),
            (Self::Objects(_), _) => wrong("a list"),
        }
    }
}
