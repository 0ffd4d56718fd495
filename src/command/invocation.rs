//! The command line that BILLmanager writes: `--command NAME --item N …`.
//!
//! Unknown arguments are kept by name for the log and otherwise ignored, so that a newer panel does not break the module
//! [protocol 2.1].

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};

/// The panel's arguments: names without dashes, last value winning.
#[derive(Debug, Default, Clone)]
pub struct Invocation {
    /// Value of `--command` as it was given.
    pub command: String,
    arguments: BTreeMap<String, String>,
}

impl Invocation {
    /// What BILLmanager would call, for an operation that is run in its place.
    pub fn new(command: &str, arguments: &[(&str, u64)]) -> Self {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        Invocation { command: command.to_owned(), arguments: arguments.collect() }
    }

    /// Reads the words of the command line.
    pub fn read(words: &[String]) -> Invocation {
        let mut found = Invocation::default();
        let mut rest = words.iter().peekable();
        while let Some(word) = rest.next() {
            let Some(name) = long_name(word) else { continue };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (name, rest.next_if(|next| long_name(next).is_none()).cloned().unwrap_or_default()),
            };
            found.arguments.insert(name, value);
        }
        found.command = found.arguments.get("command").cloned().unwrap_or_default();
        found
    }

    /// The value of `--name`, if it was given and is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A numeric argument that may be absent.
    pub fn optional_id<T: From<u64>>(&self, name: &str) -> Result<Option<T>> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.trim().parse::<u64>() {
            Ok(id) if id > 0 && i64::try_from(id).is_ok() => Ok(Some(T::from(id))),
            _ => Err(bad(name, format!("--{name} must be a positive number, not \"{value}\""))),
        }
    }

    /// A numeric argument that the command cannot do without.
    pub fn id<T: From<u64>>(&self, name: &str) -> Result<T> {
        self.optional_id(name)?
            .ok_or_else(|| bad(name, format!("--command {} needs --{name} with a number", self.command)))
    }

    /// Names of all arguments, for the log: values may be secret.
    pub fn names(&self) -> String {
        self.arguments.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

fn bad(name: &str, text: String) -> Error {
    Error::new(Kind::BadArgument, name, text)
}

/// `--name` without its dashes; the short forms of ISPsystem's base class are spelled out.
fn long_name(word: &str) -> Option<String> {
    let short = match word {
        "-c" => "command",
        "-i" => "item",
        "-l" => "lang",
        "-m" => "module",
        "-t" => "itemtype",
        "-a" => "addon",
        _ => return word.strip_prefix("--").filter(|name| !name.is_empty()).map(str::to_owned),
    };
    Some(short.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(words: &[&str]) -> Invocation {
        Invocation::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn both_spellings_and_unknown_arguments() {
        let found =
            panel(&["--item=4711", "--command", "open", "--shiny", "--runningoperation", "9", "stray", "-m", "7"]);
        assert_eq!(found.command, "open");
        assert_eq!(found.id::<u64>("item").unwrap(), 4711);
        assert_eq!(found.id::<u64>("runningoperation").unwrap(), 9);
        assert_eq!(found.id::<u64>("module").unwrap(), 7);
        assert_eq!(found.text("shiny"), None);
        assert_eq!(found.names(), "command item module runningoperation shiny");
    }

    #[test]
    fn numbers_are_checked_by_name() {
        for value in ["x", "-1", "0", "1.5", "99999999999999999999", ""] {
            let found = panel(&["--command", "open", "--item", value]);
            let error = found.id::<u64>("item").unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadArgument, "item"), "{value}");
        }
    }
}
