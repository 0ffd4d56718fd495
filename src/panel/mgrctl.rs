//! Calls of BILLmanager through `sbin/mgrctl`, never through a shell.
//!
//! A call that could not *connect* (the panel restarts for minutes after an update) is repeated with growing pauses;
//! a call that was *answered* is never repeated, whatever the answer was [protocol 3.30]. Secrets travel in the
//! environment (`-e 'name=$VARIABLE'`), because everybody on the host can read an argument list [protocol 5.1].

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use super::dry_run::DryRun;
use super::value::Value;
use crate::backoff::Backoff;
use crate::config::{Config, MODULE};
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Origin, Result};
use crate::log;
use crate::wire::{self, Element};

const LONGEST_PAUSE: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_mins(5);

/// The panel's command-line client.
pub(super) struct Mgrctl {
    program: PathBuf,
    root: PathBuf,
    patience: Duration,
    dry_run: Option<DryRun>,
}

/// How one start of `mgrctl` ended.
enum Attempt {
    Answered(Element),
    NotConnected(String),
}

impl Mgrctl {
    /// A client for the panel under the configured root. Starts nothing yet.
    pub(super) fn new(config: &Config) -> Self {
        Mgrctl { program: config.mgrctl(), root: config.root.clone(), patience: config.limits.panel, dry_run: None }
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

    /// Runs a panel function and returns the answer's `doc`; an `error` node is an `mgrctl` error.
    pub(super) fn call(&self, function: &str, params: &[(&str, Value)]) -> Result<Element> {
        checked(function, params, self.answer(function, params)?)
    }

    /// The same, but an `error` node is an answer like any other.
    pub(super) fn answer(&self, function: &str, params: &[(&str, Value)]) -> Result<Element> {
        if let Some(dry_run) = self.dry_run.as_ref().filter(|_| !DryRun::is_question(function)) {
            return dry_run.answer(function, params);
        }
        let backoff = Backoff::with_longest(self.patience, LONGEST_PAUSE);
        loop {
            match self.attempt(function, params)? {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::NotConnected(text) if backoff.is_over() => {
                    let text = format!("BILLmanager could not be reached for {} s: {text}", self.patience.as_secs());
                    return Err(unreachable(function, &text));
                }
                Attempt::NotConnected(text) => {
                    log::warn!("BILLmanager does not answer {function} ({text}); trying again");
                    backoff.pause("waiting for BILLmanager");
                }
            }
        }
    }

    fn attempt(&self, function: &str, params: &[(&str, Value)]) -> Result<Attempt> {
        let started = Instant::now();
        let child = self.command(function, params).spawn().map_err(|error| {
            unreachable(function, &format!("{} cannot be started: {error}", self.program.display()))
                .cure(format!("BILLmanager is expected in {}", self.root.display()))
        })?;
        let output = wait(child).map_err(|text| Error::new(Kind::Mgrctl, function, text))?;
        let took = started.elapsed().as_millis();
        let words = String::from_utf8_lossy(&output.stderr);
        if let Ok(answer) = wire::parse(&output.stdout) {
            log::debug!("mgrctl {function} answered in {took} ms");
            return Ok(Attempt::Answered(answer));
        }
        let words = if words.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { words };
        let words: String = unsaid(params, words.trim()).chars().take(300).collect();
        if output.success && words.is_empty() {
            return Ok(Attempt::Answered(Element::new("doc")));
        }
        if !output.success && means_not_connected(&words) {
            return Ok(Attempt::NotConnected(words));
        }
        Err(Error::new(Kind::Mgrctl, function, format!("mgrctl {function} ended without an XML answer: {words}")))
    }

    fn command(&self, function: &str, params: &[(&str, Value)]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-m", "billmgr", "-o", "xml"]);
        let mut words: Vec<OsString> = vec![function.into()];
        for (number, (name, value)) in params.iter().enumerate() {
            match value {
                Value::Plain(text) => words.push(format!("{name}={text}").into()),
                Value::Exposed(secret) => words.push(format!("{name}={}", secret.expose_secret()).into()),
                Value::Secret(secret) => {
                    let variable = format!("PMVMMANAGER6_SECRET_{number}");
                    command.arg("-e").arg(format!("{name}=${variable}")).env(variable, secret.expose_secret());
                }
            }
        }
        command.args(words).current_dir(&self.root);
        // Without it the panel would record a local address as the actor [protocol 2.3].
        command.env("SSH_CONNECTION", MODULE);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

struct Output {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Collects both pipes while the child runs; a child that never ends is killed, and says so.
fn wait(mut child: Child) -> std::result::Result<Output, String> {
    let (done, finished) = mpsc::channel();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let stderr = std::thread::spawn(move || read_all(err));
    std::thread::spawn(move || done.send(read_all(out)));
    let Ok(stdout) = finished.recv_timeout(ANSWER) else {
        _ = child.kill();
        _ = child.wait();
        return Err(format!("mgrctl did not answer in {} s and was stopped", ANSWER.as_secs()));
    };
    let status = child.wait().map_err(|error| format!("mgrctl was lost: {error}"))?;
    Ok(Output { success: status.success(), stdout, stderr: stderr.join().unwrap_or_default() })
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // More than the parser takes is of no use; the rest is drained by closing the pipe.
    _ = pipe.map(|pipe| pipe.take(2 << 20).read_to_end(&mut bytes));
    bytes
}

fn unreachable(function: &str, text: &str) -> Error {
    Error::new(Kind::Mgrctl, "mgrctl", format!("{function}: {text}")).origin(Origin::UnreachablePanel)
}

/// The texts by which a client says that nobody was there to answer.
fn means_not_connected(text: &str) -> bool {
    let text = text.to_lowercase();
    ["connect", "socket", "unavailable", "restart", "not running", "broken pipe", "reset by peer", "timed out"]
        .iter()
        .any(|word| text.contains(word))
}

/// The panel may repeat a value that it refuses: a secret among them is not for people.
fn unsaid(params: &[(&str, Value)], text: &str) -> String {
    params.iter().fold(text.to_owned(), |text, (_, value)| match value {
        Value::Plain(_) => text,
        Value::Secret(secret) | Value::Exposed(secret) => log::masked(&text, secret.expose_secret()),
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
