//! One run of the program: from arguments to exit status. Every error ends here, and so does a panic.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anstream::adapter::StripBytes;
use anstream::{AutoStream, ColorChoice};

use crate::admin::{self, Verdict};
use crate::cli::{self, Operator, Request};
use crate::command::{self, Command, Context, Invocation, TABLE, Work};
use crate::config::Config;
use crate::core_dump;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::metrics;
use crate::panel::{Failure, Panel, error_document};
use crate::recorder::{self, Metric};
use crate::wire::Element;

const FAILED: u8 = 1;
/// In the metrics, any command that is none: what somebody typed must not become a label.
const UNKNOWN: &str = "unknown";

/// Runs the program with its arguments (without the program's name); the exit status.
///
/// `stdout` receives the answer document of a panel command, the text of an operator command, and nothing else.
pub fn run(arguments: impl IntoIterator<Item = OsString>, stdin: &mut dyn Read, stdout: &mut dyn Write) -> u8 {
    core_dump::forbid();
    match cli::parse(arguments) {
        Request::Panel(call) => panel(&call, stdin, stdout),
        Request::Operator(operator) => operate(&operator, stdout),
        Request::Print { text, status } => {
            let written = if status == 0 {
                stdout.write_all(text.as_bytes())
            } else {
                std::io::stderr().write_all(text.as_bytes())
            };
            written.map_or(FAILED, |()| status)
        }
    }
}

fn panel(call: &Invocation, stdin: &mut dyn Read, stdout: &mut dyn Write) -> u8 {
    let found = call.undisputed().and_then(|()| command::find(&call.command));
    if let Ok(Command { work: Work::Constant(answer), .. }) = found {
        return print(stdout, &answer(TABLE)).map_or(FAILED, |()| 0);
    }
    let (config, started) = (Config::from_environment(), Instant::now());
    log::open(&config);
    log::begin(&call.command, call.text("item").unwrap_or("-"), &call.names());
    let panel = Panel::new(&patient(&config, &found));
    let context = Context::new(&config, &panel, call);
    let name = found.as_ref().map_or(UNKNOWN, |command| command.name);
    let result = found.and_then(|command| guarded(|| context.run(command, stdin)));
    let answered = result.and_then(|answer| match answer {
        Some(document) => print(stdout, &document).map(|()| 0),
        None => Ok(0),
    });
    recorder::count(Metric::Operations, &[name, recorder::result(&answered)]);
    let status = answered.unwrap_or_else(|error| fail(&context, &error, stdout));
    recorder::time(Metric::OperationTime, &[name], started.elapsed());
    // Numbers are worth no operation.
    if let Err(error) = guarded(|| metrics::store(&config)) {
        log::debug!("the metrics of this run are lost: {error}");
    }
    status
}

/// An operation waits for a BILLmanager that restarts; in front of a form somebody waits for us.
fn patient(config: &Config, found: &Result<&Command>) -> Config {
    match found {
        Ok(Command { work: Work::Service(_) | Work::Button(_) | Work::Handler(_), .. }) | Err(_) => config.clone(),
        Ok(_) => config.impatient(),
    }
}

/// A panic is a defect of ours; the panel gets an error document like for any other failure.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::set_hook(Box::new(|panic| {
        // The message of a panic may hold data, its place never does.
        log::error!("defect in the module at {}", panic.location().map_or_else(String::new, ToString::to_string));
    }));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    _ = std::panic::take_hook();
    outcome.unwrap_or_else(|_| {
        let error = Error::new(Kind::State, "module", "the module has a defect and stopped");
        Err(error.cure("its log var/pmvmmanager6.log names the place. Please report it"))
    })
}

/// Errors before the command was known are reported too: the running operation must not stay silent.
fn fail(context: &Context, error: &Error, stdout: &mut dyn Write) -> u8 {
    log::error!("--command {} failed: {error}", context.call.command);
    let (handler, tried) = (context.turns.handler(), context.turns.tried());
    let failure = Failure {
        command: &context.call.command,
        item: context.call.optional_id("item").ok().flatten(),
        operation: context.call.optional_id("runningoperation").ok().flatten(),
        handler: handler.as_ref().map(|(id, name)| (*id, name.as_str())),
        tried: &tried,
        error,
    };
    _ = print(stdout, &error_document(error));
    if error.is_unreachable_panel() {
        return FAILED;
    }
    if guarded(|| {
        context.panel.report(&failure);
        Ok(())
    })
    .is_err()
    {
        log::error!("the failure could not be reported");
    }
    FAILED
}

fn operate(operator: &Operator, stdout: &mut dyn Write) -> u8 {
    let config = Config::from_environment();
    let done = operator.admit(&config).and_then(|()| {
        log::open(&config);
        let done = match AutoStream::choice(&std::io::stdout()) {
            ColorChoice::Never => operator.run(&config, &mut Plain { out: stdout, seen: StripBytes::new() }),
            _ => operator.run(&config, stdout),
        };
        done.inspect_err(|error| log::error!("{error}"))
    });
    match done {
        Ok(Verdict::Fine) => 0,
        Ok(Verdict::Findings) => FAILED,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "pmvmmanager6: {error}");
            FAILED
        }
    }
}

/// Text without its styles: for files, pipes and people who set `NO_COLOR`.
struct Plain<'a> {
    out: &'a mut dyn Write,
    seen: StripBytes,
}

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.seen.strip_next(bytes).try_for_each(|part| self.out.write_all(part))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn print(stdout: &mut dyn Write, document: &Element) -> Result<()> {
    admin::write_document(stdout, &document.document())
}
