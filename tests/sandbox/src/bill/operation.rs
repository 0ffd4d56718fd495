//! Running operations: how BILLmanager starts the module, decides that it succeeded, and tries again [protocol 2, 3.30].

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{io::Write as _, thread};

use anyhow::{Context, Result};

use super::store::{Store, Value, values};
use super::{Bill, MODULE, must};

/// One run of the module.
#[derive(Clone, Debug)]
pub struct Run {
    /// Exit status; `None` when it was killed.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// The operation it ran for, when it ran for one.
    pub operation: Option<u64>,
    /// True when BILLmanager counts the operation as done: exit status 0 and the operation is gone. Without an
    /// operation: exit status 0.
    pub done: bool,
}

impl Run {
    /// What became of a process that a test started itself, e.g. to kill it; see [`Bill::settle`].
    pub fn new(output: &Output, took: Duration) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took,
            operation: None,
            done: output.status.success(),
        }
    }
}

impl Bill {
    /// Starts an operation on a service as BILLmanager would (suspending sets the reason flag, resuming clears the
    /// flags); answers its id.
    pub fn operation(&self, item: u64, command: &str) -> u64 {
        self.change(|store| {
            match command {
                "suspend" => set_flags(store, item, true)?,
                "resume" => set_flags(store, item, false)?,
                _ => {}
            }
            create(store, item, command)
        })
    }

    /// The module's command line, prepared: root as working directory, empty stdin, clean environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.root.module(MODULE));
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PMVMMANAGER6_ROOT", self.root())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the module with these arguments.
    pub fn run(&self, args: &[&str]) -> Run {
        must(finish(self.command(args), None))
    }

    /// Runs the module with a document on stdin.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        must(finish(self.command(args), Some(input)))
    }

    /// The arguments that BILLmanager gives for an operation. `changepassword` gets a new password, encrypted.
    pub fn arguments(&self, item: u64, command: &str, operation: u64) -> Vec<String> {
        let mut args: Vec<String> =
            ["--command", command, "--item", &item.to_string(), "--runningoperation", &operation.to_string()]
                .map(str::to_owned)
                .into();
        match command {
            "setparam" => args.extend(["--userid".to_owned(), self.user_of(item).to_string()]),
            "changepassword" => args.extend(["--password".to_owned(), self.encrypt("N3w-pass-from-panel")]),
            _ => {}
        }
        args
    }

    /// Starts the operation, unless it is already in progress, and runs the module for it once.
    pub fn perform(&self, item: u64, command: &str) -> Run {
        self.perform_with(item, command, &[])
    }

    /// The same with further arguments, e.g. `["--ip", "12"]` for `addip`.
    pub fn perform_with(&self, item: u64, command: &str, extra: &[&str]) -> Run {
        let running = self.running(item).into_iter().find(|it| it.command == command);
        let operation = running.map_or_else(|| self.operation(item, command), |it| it.id);
        let args = self.arguments(item, command, operation);
        let args: Vec<&str> = args.iter().map(String::as_str).chain(extra.iter().copied()).collect();
        let run = self.run(&args);
        self.settle(operation, run)
    }

    /// The same until it is done, at most `tries` times, and not when it was handed to the staff.
    pub fn perform_until_done(&self, item: u64, command: &str, tries: u32) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for _ in 0..tries {
            runs.push(self.perform(item, command));
            let handed_over = self.running(item).iter().any(|it| it.command == command && it.manual);
            if runs.iter().any(|run| run.done) || handed_over || !self.tasks(item).is_empty() {
                break;
            }
        }
        runs
    }

    /// Draws BILLmanager's conclusion from a finished run: done, or one more failed attempt. For a test that started
    /// the process itself.
    pub fn settle(&self, operation: u64, run: Run) -> Run {
        let left = self.change(|store| {
            let sql = "UPDATE runningoperation SET trycount = trycount + 1 WHERE id = ?";
            store.exec(sql, values![operation])
        });
        Run { operation: Some(operation), done: run.status == Some(0) && left == 0, ..run }
    }

    /// The client's user, who pressed the button.
    fn user_of(&self, item: u64) -> u64 {
        let sql = "SELECT MIN(u.id) FROM user u JOIN item i ON u.account = i.account WHERE i.id = ?";
        self.ask(|store| store.id(sql, values![item])?.with_context(|| format!("service {item} has no user")))
    }
}

/// Inserts a running operation; answers its id.
pub(super) fn create(store: &mut Store, item: u64, command: &str) -> Result<u64> {
    let row: [(&str, Value); 4] =
        [("intname", command.into()), ("item", item.into()), ("trycount", 0.into()), ("manual", false.into())];
    store.insert("runningoperation", &row)
}

fn set_flags(store: &mut Store, item: u64, suspended: bool) -> Result<()> {
    let sql = if suspended {
        "UPDATE item SET employeesuspend = 'on' WHERE id = ?"
    } else {
        "UPDATE item SET autosuspend = 'off', employeesuspend = 'off', abusesuspend = 'off' WHERE id = ?"
    };
    store.exec(sql, values![item]).map(drop)
}

fn finish(mut command: Command, input: Option<&str>) -> Result<Run> {
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            scope.spawn(move || stdin.write_all(input.as_bytes()));
        }
        child.wait_with_output()
    })?;
    Ok(Run::new(&output, started.elapsed()))
}
