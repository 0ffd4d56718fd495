//! Calls of BILLmanager through `sbin/mgrctl`, never through a shell.
//!
//! A document is an answer, and nothing else is: a call that ended without one may have been carried out or not,
//! whatever `mgrctl` printed and however it ended. What it should have done is looked up in the database; when it was
//! not done, the call is made again, with growing pauses, because a panel restarts for minutes after an update. A call
//! that was *answered* is never repeated, whatever the answer was [protocol 3.30]. Secrets and what people should not
//! read travel in the environment (`-e 'name=$VARIABLE'`), because everybody on the host can read an argument list
//! [protocol 5.1].

use std::cell::Cell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use super::child;
use super::dry_run::DryRun;
use super::value::Value;
use crate::backoff::Backoff;
use crate::config::{Config, MODULE};
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Origin, Result};
use crate::log;
use crate::mask;
use crate::wire::{self, Element};

const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// How long a call is repeated that has no answer while the panel answers others.
const ALONE: Duration = Duration::from_mins(1);
/// A function that only asks, without parameters.
const QUESTION: &str = "paramlist";
/// Bytes of a value: with its name it is one string of the argument list or of the environment, and the system takes
/// 128 KiB of one [protocol 5.1].
const LONGEST_VALUE: usize = 127 << 10;

/// The panel's command-line client.
pub(super) struct Mgrctl {
    program: PathBuf,
    root: PathBuf,
    /// For a panel that restarts.
    patience: Duration,
    /// For one `mgrctl`.
    limit: Duration,
    /// Whether this `mgrctl` takes values from the environment, as far as that was seen.
    takes_environment: Cell<Option<bool>>,
    dry_run: Option<DryRun>,
}

/// How one start of `mgrctl` ended.
enum Attempt {
    Answered(Element),
    /// With these words instead of a document.
    Unanswered(String),
}

impl Mgrctl {
    /// A client for the panel under the configured root. Starts nothing yet.
    pub(super) fn new(config: &Config) -> Self {
        Mgrctl {
            program: config.mgrctl(),
            root: config.root.clone(),
            patience: config.limits.panel,
            limit: config.limits.call,
            takes_environment: Cell::new(None),
            dry_run: None,
        }
    }

    /// The same client for a dry run: calls go into the plan.
    #[must_use]
    pub(super) fn dry_run(self, plan: &Rc<Plan>) -> Self {
        Mgrctl { dry_run: Some(DryRun::new(plan)), ..self }
    }

    /// The calls of a dry run.
    pub(super) fn planned(&self) -> Option<&DryRun> {
        self.dry_run.as_ref()
    }

    /// Runs a panel function and returns the answer's `doc`; an `error` node is an `mgrctl` error. `is_done` looks up
    /// what the function should have done; then the `doc` of an answer that was lost is empty.
    pub(super) fn call(
        &self,
        function: &str,
        params: &[(&str, Value)],
        is_done: &dyn Fn() -> Result<bool>,
    ) -> Result<Element> {
        checked(function, params, self.answer(function, params, is_done)?)
    }

    /// The same, but an `error` node is an answer like any other.
    pub(super) fn answer(
        &self,
        function: &str,
        params: &[(&str, Value)],
        is_done: &dyn Fn() -> Result<bool>,
    ) -> Result<Element> {
        if let Some(dry_run) = self.dry_run.as_ref().filter(|_| !DryRun::is_question(function)) {
            return dry_run.answer(function, params);
        }
        let backoff = Backoff::with_longest(self.patience, LONGEST_PAUSE);
        loop {
            let words = match self.attempt(function, params)? {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Unanswered(words) => words,
            };
            log::warn!("BILLmanager does not answer {function} ({words}); looking before it is asked again");
            let is_over = backoff.is_over() || backoff.waited() >= ALONE && self.is_there();
            self.examine_environment(params);
            backoff.pause("waiting for BILLmanager");
            if is_done()? {
                log::info!("BILLmanager has carried out {function}; only the answer was lost");
                return Ok(Element::new("doc"));
            }
            if is_over {
                return Err(self.given_up(function, &words, backoff.waited()));
            }
        }
    }

    fn attempt(&self, function: &str, params: &[(&str, Value)]) -> Result<Attempt> {
        let started = Instant::now();
        let child = self.command(function, params)?.spawn().map_err(|error| {
            unreachable(function, &format!("{} cannot be started: {error}", self.program.display()))
                .cure(format!("BILLmanager is expected in {}", self.root.display()))
        })?;
        let Some(output) = child::collect(child, self.limit) else {
            return Ok(Attempt::Unanswered(format!("it had no answer after {} s", self.limit.as_secs())));
        };
        if let Ok(answer) = wire::parse(&output.stdout) {
            log::debug!("mgrctl {function} answered in {} ms", started.elapsed().as_millis());
            if params.iter().any(|(_, value)| value.is_hidden()) {
                self.takes_environment.set(Some(self.takes_environment.get().unwrap_or(true)));
            }
            return Ok(Attempt::Answered(answer));
        }
        let words = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
        let words = words.iter().map(|words| words.trim()).find(|words| !words.is_empty()).unwrap_or("no word");
        Ok(Attempt::Unanswered(unsaid(params, words).chars().take(300).collect()))
    }

    /// Whether the panel answers at all.
    fn is_there(&self) -> bool {
        self.answers_with(&[])
    }

    fn answers_with(&self, params: &[(&str, Value)]) -> bool {
        matches!(self.attempt(QUESTION, params), Ok(Attempt::Answered(_)))
    }

    /// A call with hidden values that has no answer may be one that this `mgrctl` does not understand. It is known
    /// not to take them when a question with one is not answered, and without one is, and both again.
    fn examine_environment(&self, params: &[(&str, Value)]) {
        if self.takes_environment.get().is_some() || !params.iter().any(|(_, value)| value.is_hidden()) {
            return;
        }
        let hidden = [("probe", Value::Private("probe"))];
        if (0..2).all(|_| self.is_there() && !self.answers_with(&hidden)) && self.is_there() {
            log::warn!("this mgrctl takes no values from the environment: ps can show what it is called with");
            self.takes_environment.set(Some(false));
        }
    }

    fn given_up(&self, function: &str, words: &str, waited: Duration) -> Error {
        let (seconds, text) = (waited.as_secs(), format!("mgrctl ended without an XML answer: {words}"));
        if self.is_there() {
            let text = format!("BILLmanager answers, but not to {function}, for {seconds} s: {text}");
            return Error::new(Kind::Mgrctl, function, text);
        }
        unreachable(function, &format!("BILLmanager could not be reached for {seconds} s: {text}"))
    }

    fn command(&self, function: &str, params: &[(&str, Value)]) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(["-m", "billmgr", "-o", "xml"]);
        let mut words: Vec<OsString> = vec![function.into()];
        let hides = self.takes_environment.get() != Some(false);
        for (number, (name, value)) in params.iter().enumerate() {
            match value {
                Value::Secret(_) if !hides => {
                    let text = format!("mgrctl takes no value from the environment, where {name} must be hidden");
                    return Err(Error::new(Kind::Mgrctl, function, text));
                }
                value if value.is_hidden() && hides => {
                    let variable = format!("PMVMMANAGER6_VALUE_{number}");
                    command.arg("-e").arg(format!("{name}=${variable}")).env(variable, fitting(name, value)?);
                }
                value => words.push(format!("{name}={}", fitting(name, value)?).into()),
            }
        }
        command.args(words).current_dir(&self.root);
        // Without it the panel would record a local address as the actor [protocol 2.3].
        command.env("SSH_CONNECTION", MODULE);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

/// The value without NUL, which would end it.
fn fitting(name: &str, value: &Value) -> Result<String> {
    let text = value.text().replace('\0', "\u{fffd}");
    if text.len() > LONGEST_VALUE {
        let text = format!("the value of {name} has {} bytes; a call takes {LONGEST_VALUE} of one", text.len());
        return Err(Error::new(Kind::Mgrctl, name, text));
    }
    Ok(text)
}

fn unreachable(function: &str, text: &str) -> Error {
    Error::new(Kind::Mgrctl, "mgrctl", format!("{function}: {text}")).origin(Origin::UnreachablePanel)
}

/// The panel may repeat a value that it refuses: a secret among them is not for people.
fn unsaid(params: &[(&str, Value)], text: &str) -> String {
    params.iter().fold(text.to_owned(), |text, (_, value)| match value {
        Value::Plain(_) | Value::Private(_) => text,
        Value::Secret(secret) | Value::Exposed(secret) => mask::without(&text, secret.expose_secret()),
    })
}

/// An answer may be an error at exit status 0 [protocol 5.1].
pub(super) fn checked(function: &str, params: &[(&str, Value)], answer: Element) -> Result<Element> {
    let Some(error) = answer.find("error") else { return Ok(answer) };
    let kind = error.get("type").unwrap_or("unknown");
    let object = error.get("object").unwrap_or_default();
    let text = Some(error.value("msg")).filter(|t| !t.is_empty()).unwrap_or_else(|| error.value("param"));
    let text = unsaid(params, &format!("BILLmanager refused {function}: {kind} {object} {text}"));
    Err(Error::new(Kind::Mgrctl, object, text.trim_end()))
}
