//! How a parameter travels to a panel function.

use secrecy::SecretString;

/// A parameter of a panel function.
pub enum Value<'a> {
    /// Goes into the argument list.
    Plain(&'a str),
    /// Goes into the environment of the child.
    Secret(&'a SecretString),
    /// A secret that this panel accepts on the command line only; the last resort.
    Exposed(&'a SecretString),
}

impl<'a> Value<'a> {
    /// The same value for another call.
    #[must_use]
    pub fn again(&self) -> Value<'a> {
        match self {
            Value::Plain(text) => Value::Plain(text),
            Value::Secret(secret) => Value::Secret(secret),
            Value::Exposed(secret) => Value::Exposed(secret),
        }
    }
}
