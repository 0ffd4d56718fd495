//! How a parameter travels to a panel function.

use secrecy::{ExposeSecret, SecretString};

/// A parameter of a panel function.
pub(super) enum Value<'a> {
    /// A number or a word of the program: goes into the argument list.
    Plain(&'a str),
    /// What not everybody on the host has to read: names, addresses, e-mails, a log. Goes into the environment of the
    /// child.
    Private(&'a str),
    /// Goes into the environment of the child and nowhere else.
    Secret(&'a SecretString),
    /// A secret that this panel accepts on the command line only; the last resort.
    Exposed(&'a SecretString),
}

impl<'a> Value<'a> {
    /// The same value for another call.
    #[must_use]
    pub(super) fn again(&self) -> Value<'a> {
        match self {
            Value::Plain(text) => Value::Plain(text),
            Value::Private(text) => Value::Private(text),
            Value::Secret(secret) => Value::Secret(secret),
            Value::Exposed(secret) => Value::Exposed(secret),
        }
    }

    /// It does not go into the argument list. Nothing has to be hidden of an empty text.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self, Value::Private(_) | Value::Secret(_)) && !self.text().is_empty()
    }

    /// It is shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Value::Secret(_) | Value::Exposed(_))
    }

    /// The value in clear.
    pub(super) fn text(&self) -> &str {
        match self {
            Value::Plain(text) | Value::Private(text) => text,
            Value::Secret(secret) | Value::Exposed(secret) => secret.expose_secret(),
        }
    }
}
