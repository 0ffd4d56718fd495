//! Errors as the platform words them [api 1.5].
//!
//! Codes 1000, 1106, 3001, 3008, 3080 and 5021 are documented. [`INVALID`] and [`REFUSED`] are ours, because the real
//! ones are unknown: a client that needs them to be anything in particular is wrong.

use serde_json::{Value, json};

/// A value of a known property is wrong or missing.
pub(super) const INVALID: u64 = 3004;
/// The request is well formed, but cannot be done now.
pub(super) const REFUSED: u64 = 5000;

/// An answer of status 400 or above.
#[derive(Debug)]
pub(super) struct ApiError {
    pub status: u16,
    code: u64,
    msg: String,
    value: Option<Value>,
}

impl ApiError {
    fn new(status: u16, code: u64, msg: impl Into<String>) -> Self {
        Self { status, code, msg: msg.into(), value: None }
    }

    /// Token missing, expired or invalid; wrong password.
    pub(super) fn unauthorized(msg: &str) -> Self {
        Self::new(401, 1000, msg)
    }

    /// The account's rights do not allow it.
    pub(super) fn forbidden() -> Self {
        Self::new(403, 3001, "Unauthorized")
    }

    /// No handler for the path.
    pub(super) fn no_handler(method: &str, path: &str) -> Self {
        Self::new(404, 1106, format!("No handler for {method} {path}"))
    }

    /// The platform knows GET, POST and DELETE only.
    pub(super) fn no_method(method: &str) -> Self {
        Self::new(405, 1106, format!("Method {method} is not supported"))
    }

    /// An object that does not exist.
    pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        let mut error = Self::new(404, 3080, format!("Instance of {what} with id {id} not found"));
        error.value = Some(json!({"instance": what, "id": id.to_string()}));
        error
    }

    /// A VM that does not exist.
    pub(super) fn host_unknown(id: impl std::fmt::Display) -> Self {
        Self::new(404, 5021, format!("Unknown host id {id}"))
    }

    /// A property the schema does not know.
    pub(super) fn unexpected(property: &str) -> Self {
        let mut error = Self::new(400, 3008, format!("Unexpected property {property}"));
        error.value = Some(json!({"property": property}));
        error
    }

    /// A property with a wrong or missing value.
    pub(super) fn invalid(property: &str, reason: impl std::fmt::Display) -> Self {
        let mut error = Self::new(400, INVALID, format!("Invalid property {property}: {reason}"));
        error.value = Some(json!({"property": property}));
        error
    }

    /// A request that cannot be done in the present state.
    pub(super) fn refused(msg: impl Into<String>) -> Self {
        Self::new(400, REFUSED, msg)
    }

    /// A filter that cannot be read.
    pub(super) fn bad_query(msg: impl Into<String>) -> Self {
        Self::new(400, INVALID, msg)
    }

    /// The platform stumbles.
    pub(super) fn internal(msg: impl Into<String>) -> Self {
        Self::new(500, 500, msg)
    }

    /// The text for people.
    pub(super) fn text(self) -> String {
        self.msg
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut error = json!({"code": self.code, "msg": self.msg});
        if let Some(value) = &self.value {
            error["value"] = value.clone();
        }
        json!({ "error": error })
    }
}
