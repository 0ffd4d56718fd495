//! Arguments in, plain data out: the only module that knows clap.
//!
//! Two forms share one executable. BILLmanager calls `--command NAME --item N …`, which [`Invocation`] reads. People call
//! sub-commands, which are strict and explain themselves; a sub-command in front makes it theirs.

pub mod operator;
pub mod topic;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::command::Invocation;
use crate::config::{MODULE, built};
pub use operator::Operator;
use topic::{TOPICS, Topic};

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
    after_help = after_help(),
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    operator: Operator,
}

fn after_help() -> String {
    let topics = TOPICS.map(|topic| format!("  {:<16} {}\n", topic.name, topic.title())).concat();
    let panel =
        "BILLmanager itself calls: pmvmmanager6 --command NAME [--item N] [--module N] [--runningoperation N] …";
    format!("Topics, each with its page (pmvmmanager6 help TOPIC):\n{topics}\n{panel}")
}

/// The operator's commands as clap knows them, for man pages and completions.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Reads the arguments of the process (without the program's name).
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Request {
    let text = |word: OsString| word.into_string().unwrap_or_else(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = arguments.into_iter().map(text).collect();
    let names_command = |word: &String| word == "--command" || word == "-c" || word.starts_with("--command=");
    // BILLmanager begins with a dash: "plan --command close", or a slip like "pln --command close", is a person's and
    // never the panel's order to close.
    let is_person = words.first().is_some_and(|word| !word.starts_with('-'));
    if !is_person && words.iter().any(names_command) {
        let invocation = Invocation::read(&words);
        return if invocation.asks_for_help() { help() } else { Request::Panel(invocation) };
    }
    if let [first, name] = words.as_slice()
        && first == "help"
        && let Some(topic) = Topic::find(name)
    {
        return Request::Print { text: topic.text.to_owned(), status: 0 };
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

/// Somebody who adds `--help` to an order wants to read, not to have it carried out.
fn help() -> Request {
    Request::Print { text: definition().render_help().to_string(), status: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_command_with_a_command_is_a_persons() {
        let plan = ["plan", "--item", "1", "--command", "close"].map(OsString::from);
        assert!(matches!(parse(plan), Request::Operator(Operator::Plan(_))));
        let queue = ["queue", "--command", "close", "--item", "1"].map(OsString::from);
        assert!(matches!(parse(queue), Request::Print { status: 2, .. }));
        for slip in [["pln", "--command"], ["help", "--command"], ["4711", "-c"]] {
            let words = slip.into_iter().chain(["close", "--item", "1"]).map(OsString::from);
            assert!(matches!(parse(words), Request::Print { status: 2, .. }), "{slip:?}");
        }
    }

    #[test]
    fn who_asks_for_help_gets_nothing_done() {
        for help in ["--help", "-h"] {
            let words = ["--command", "close", "--item", "1", help].map(OsString::from);
            assert!(matches!(parse(words), Request::Print { status: 0, .. }), "{help}");
        }
        let value = ["--command", "check_param", "--param", "domain", "--value", "--help"].map(OsString::from);
        assert!(matches!(parse(value), Request::Panel(_)));
    }
}
