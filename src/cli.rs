//! Arguments in, plain data out: the only module that knows clap.
//!
//! Two forms share one executable. BILLmanager calls `--command NAME --item N …`; unknown arguments of that form are
//! kept by name for the log and otherwise ignored, so that a newer panel does not break the module [protocol 2.1].
//! People call sub-commands, which are strict and explain themselves; a sub-command in front makes it theirs.

pub mod operator;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::config::{MODULE, built};
use crate::error::{Error, Kind, Result};
pub use operator::Operator;

/// What the process was asked to do.
#[derive(Debug)]
pub enum Request {
    /// BILLmanager's form: `--command …`.
    Panel(Invocation),
    /// A person's form: a sub-command.
    Operator(Operator),
    /// Help, version or a usage error: print and leave with the status.
    Print {
        /// Text for the terminal.
        text: String,
        /// 0 for help, 2 for wrong usage.
        status: u8,
    },
}

#[derive(Debug, Parser)]
#[command(
    name = "pmvmmanager6",
    version = built::FULL,
    about = "BILLmanager 6 processing module for VMmanager 6",
    after_help = "BILLmanager itself calls: pmvmmanager6 --command NAME [--item N] [--module N] [--runningoperation N] …",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    operator: Operator,
}

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

    /// The value of `--name`, if it was given and is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A numeric argument that may be absent.
    pub fn optional_id(&self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.trim().parse::<u64>() {
            Ok(id) if id > 0 && i64::try_from(id).is_ok() => Ok(Some(id)),
            _ => Err(bad(name, format!("--{name} must be a positive number, not \"{value}\""))),
        }
    }

    /// A numeric argument that the command cannot do without.
    pub fn id(&self, name: &str) -> Result<u64> {
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

/// The operator's commands as clap knows them, for man pages and completions.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Reads the arguments of the process (without the program's name).
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Request {
    let words: Vec<String> = arguments.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let names_command = |word: &String| word == "--command" || word == "-c" || word.starts_with("--command=");
    // A person's "plan --command close" must never be taken for the panel's order to close. BILLmanager begins with a
    // dash, and the tree of all sub-commands is not built for it: it takes a tenth of the memory of a short run.
    let is_person =
        words.first().is_some_and(|word| !word.starts_with('-') && definition().find_subcommand(word).is_some());
    if !is_person && words.iter().any(names_command) {
        return Request::Panel(invocation(&words));
    }
    // `-T` prints a line and leaves, as in ISPsystem's own modules [protocol 2.1].
    if words.first().is_some_and(|word| word == "-T") {
        return Request::Print { text: format!("{MODULE} {}\n", built::VERSION), status: 0 };
    }
    match Cli::try_parse_from(std::iter::once("pmvmmanager6".to_owned()).chain(words)) {
        Ok(cli) => Request::Operator(cli.operator),
        Err(error) => Request::Print { status: if error.use_stderr() { 2 } else { 0 }, text: error.to_string() },
    }
}

fn invocation(words: &[String]) -> Invocation {
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
        match parse(words.iter().map(OsString::from)) {
            Request::Panel(invocation) => invocation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_spellings_and_unknown_arguments() {
        let found =
            panel(&["--item=4711", "--command", "open", "--shiny", "--runningoperation", "9", "stray", "-m", "7"]);
        assert_eq!(found.command, "open");
        assert_eq!(found.id("item").unwrap(), 4711);
        assert_eq!(found.id("runningoperation").unwrap(), 9);
        assert_eq!(found.id("module").unwrap(), 7);
        assert_eq!(found.text("shiny"), None);
        assert_eq!(found.names(), "command item module runningoperation shiny");
    }

    #[test]
    fn a_sub_command_with_a_command_is_a_persons() {
        let plan = ["plan", "--item", "1", "--command", "close"].map(OsString::from);
        assert!(matches!(parse(plan), Request::Operator(Operator::Plan(_))));
        let queue = ["queue", "--command", "close", "--item", "1"].map(OsString::from);
        assert!(matches!(parse(queue), Request::Print { status: 2, .. }));
    }

    #[test]
    fn numbers_are_checked_by_name() {
        for value in ["x", "-1", "0", "1.5", "99999999999999999999", ""] {
            let found = panel(&["--command", "open", "--item", value]);
            let error = found.id("item").unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadArgument, "item"), "{value}");
        }
    }
}
