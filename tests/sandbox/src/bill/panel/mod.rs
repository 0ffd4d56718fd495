//! The panel behind `mgrctl`: one call, applied to the installation's database, strictly [protocol 3.28, 3.29, 3.30, 5.1].
//!
//! `mgrctl` is its own process, as on a real server, and finds its installation by the path it was called with:
//! `<root>/sbin/mgrctl`. A call is one transaction. An unknown function, a missing parameter, an unknown row or a
//! callback that does not fit the service's state is answered with an error, as the real panel would.

mod address;
mod answer;
mod args;
mod enumeration;
mod functions;
mod import;
mod itemtype;
mod operation;
mod param;
mod post;
mod processing;
mod request;
mod service;
mod system;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, getpid, kill_process};

use super::calls::{self, Call};
use super::control::{self, Behaviour, CallFault};
use super::root::Root;
use super::store::Store;
use answer::{Answer, Format, Refusal};
use args::Arguments;
use request::Request;

/// What `--help` prints.
const HELP: &str = "\
A stand-in for mgrctl, the command line client of BILLmanager. It applies panel functions to a stand-in installation.

Usage: <root>/sbin/mgrctl -m billmgr [-o FORMAT] [-e 'name=$VARIABLE']... FUNCTION [name=value]...

Options:
  -m billmgr            The manager; there is no other one
  -o FORMAT             text (default), xml, devel, json or bjson
  -e 'name=$VARIABLE'   A parameter from an environment variable, for secrets
  -h, --help            Print help
  -V, --version         Print version

The installation is found by the path of this program. The exit status is 0 when the panel has answered (also with an
error), 1 when there is no answer and 2 when the command line is wrong.

Example:
  /tmp/mgr5-x/sbin/mgrctl -m billmgr -o xml service.saveparam sok=ok elid=3 name=panelid value=215
";

/// What leaves the process.
struct Reply {
    stdout: String,
    stderr: String,
    error: Option<String>,
    /// `None`: the process is killed instead of answering.
    exit: Option<u8>,
    end: End,
}

/// How `mgrctl` ends once its call is on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Usual,
    /// It does not.
    Never,
    /// A child stays behind.
    LeavesChild,
}

impl Reply {
    /// Nothing was answered; a message for the caller's eyes.
    fn failed(message: String) -> Self {
        Self { stdout: String::new(), stderr: message, error: None, exit: Some(1), end: End::Usual }
    }

    /// The command line is wrong.
    fn usage(message: String) -> Self {
        Self { exit: Some(2), ..Self::failed(message) }
    }
}

/// Runs `mgrctl` with the arguments of this process.
pub fn main() -> ExitCode {
    match serve(std::env::args_os().collect()) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            eprintln!("mgrctl (stand-in): {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(argv: Vec<OsString>) -> Result<u8> {
    let argv: Vec<String> = argv.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (program, words) = argv.split_first().context("an empty argument vector")?;
    match words {
        [word] if word == "-h" || word == "--help" => {
            print!("{HELP}");
            return Ok(0);
        }
        [word] if word == "-V" || word == "--version" => {
            println!("mgrctl (stand-in) {}", env!("CARGO_PKG_VERSION"));
            return Ok(0);
        }
        _ => {}
    }
    let root = root_of(program)?;
    let (arguments, reply) = match Arguments::parse(words, |name| std::env::var(name).ok()) {
        Ok(arguments) => {
            let reply = answer(&root, &arguments)?;
            (arguments, reply)
        }
        Err(usage) => (Arguments::default(), Reply::usage(usage)),
    };
    record(&root, argv, arguments, &reply)?;
    match reply.end {
        End::Usual => {}
        End::Never => stay(&root),
        End::LeavesChild => leave_child(&root)?,
    }
    let Some(exit) = reply.exit else {
        kill_process(getpid(), Signal::KILL)?;
        bail!("still alive after SIGKILL");
    };
    eprint!("{}", reply.stderr);
    std::io::stdout().write_all(reply.stdout.as_bytes()).context("cannot print the answer")?;
    Ok(exit)
}

/// Waits until the installation is removed, so that no process outlives a test.
fn stay(root: &Root) {
    while root.own("").is_dir() {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a process that does the same with our standard output and error open.
fn leave_child(root: &Root) -> Result<()> {
    let wait = r#"while [ -d "$1" ]; do sleep 0.05; done"#;
    let mut child = Command::new("/bin/sh");
    child.args(["-c", wait, "sh"]).arg(root.own("")).stdin(Stdio::null());
    child.spawn().map(drop).context("cannot start /bin/sh")
}

/// `<root>` of `<root>/sbin/mgrctl`, as it was called: the file itself may be a link.
fn root_of(program: &str) -> Result<Root> {
    let path = std::path::absolute(program)?;
    let root = path.parent().filter(|sbin| sbin.ends_with("sbin")).and_then(Path::parent);
    let root = Root::new(root.with_context(|| format!("call mgrctl as <root>/sbin/mgrctl, not {program}"))?);
    if !root.own("").is_dir() {
        bail!("{} is not a stand-in installation (no var/sandbox)", root.path().display());
    }
    Ok(root)
}

/// Lets the call meet what the test arranged for it, and answers.
fn answer(root: &Root, arguments: &Arguments) -> Result<Reply> {
    let weather = control::take(root, &arguments.function)?;
    if weather.behaviour.no_env_params && arguments.uses_environment() {
        return Ok(Reply::failed("mgrctl: invalid option -- 'e'\n".into()));
    }
    match &weather.fault {
        Some(CallFault::Unreachable) => {
            let socket = root.path().join("var/run/billmgr.sock");
            let message = format!("ERROR: Failed to connect to {}: Connection refused\n", socket.display());
            return Ok(Reply::failed(message));
        }
        Some(CallFault::Error { exit, kind }) => {
            let refusal = Refusal::new(kind, &arguments.function, "", "An error that the test asked for");
            return Ok(print(arguments.format, Err(refusal), *exit));
        }
        Some(CallFault::Die) => return Ok(Reply { exit: None, ..Reply::failed(String::new()) }),
        Some(CallFault::Words { text, exit }) => {
            return Ok(Reply { stdout: text.clone(), exit: Some(*exit), ..Reply::failed(String::new()) });
        }
        Some(CallFault::Hang { done: false }) => {
            return Ok(Reply { end: End::Never, ..Reply::failed(String::new()) });
        }
        _ => {}
    }
    let outcome = apply(root, arguments, &weather.behaviour);
    let mut reply = print(arguments.format, outcome, weather.behaviour.error_exit);
    match weather.fault {
        Some(CallFault::LoseAnswer) => reply.exit = None,
        Some(CallFault::Slow(pause)) => thread::sleep(pause),
        Some(CallFault::Hang { done: true }) => reply.end = End::Never,
        Some(CallFault::LeavePipesOpen) => reply.end = End::LeavesChild,
        Some(CallFault::Garbage) => reply.stdout = "<html><body>502 Bad Gateway</body>".into(),
        _ => {}
    }
    Ok(reply)
}

/// Does what the function does, all of it or nothing.
fn apply(root: &Root, arguments: &Arguments, behaviour: &Behaviour) -> Result<Answer, Refusal> {
    let function = functions::find(&arguments.function).ok_or_else(|| {
        let text = format!("Function '{}' is not found", arguments.function);
        Refusal::new("missed", "func", &arguments.function, &text)
    })?;
    let mut store = root.location().and_then(|location| Store::open(&location)).map_err(Refusal::from)?;
    store.transaction(|store| {
        let mut request = Request::new(store, root, behaviour, arguments);
        if function.sok {
            request.confirmed()?;
        }
        (function.run)(&mut request)
    })
}

fn print(format: Format, outcome: Result<Answer, Refusal>, error_exit: u8) -> Reply {
    let (stdout, error) = match outcome {
        Ok(answer) => (answer.print(format), None),
        Err(refusal) => (refusal.print(format), Some(refusal.kind)),
    };
    let exit = Some(if error.is_some() { error_exit } else { 0 });
    Reply { stdout, stderr: String::new(), exit, error, end: End::Usual }
}

fn record(root: &Root, argv: Vec<String>, arguments: Arguments, reply: &Reply) -> Result<()> {
    let call = Call {
        argv,
        ssh_connection: std::env::var("SSH_CONNECTION").ok(),
        caller: std::os::unix::process::parent_id(),
        function: arguments.function,
        params: arguments.params,
        answer: format!("{}{}", reply.stdout, reply.stderr),
        error: reply.error.clone(),
        exit: reply.exit,
        at: calls::monotonic(),
        date: jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string(),
    };
    calls::append(root, &call)
}
