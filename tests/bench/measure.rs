//! Times, memory and percentiles of whole processes.
//!
//! Machines differ and are never quite idle, so nothing is judged by milliseconds: the measured programs and `/bin/true`
//! take turns in one loop, and what counts is the ratio of their medians.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sheet::{Row, Sheet};

/// What starts and ends at once: the floor under every program.
const FLOOR: &str = "/bin/true";

/// Runs in which the peak memory of a subject is looked for.
pub(crate) const PEAKS: usize = 9;

/// Something that can be started again and again.
pub(crate) struct Subject<'a> {
    /// As in the table.
    pub what: &'a str,
    /// How often, or always.
    pub every: usize,
    /// What it may cost.
    pub budget: Option<Budget>,
    /// Prepares a run.
    pub command: Box<dyn Fn() -> Command + 'a>,
}

impl<'a> Subject<'a> {
    /// A program that takes part in every round.
    pub(crate) fn new(what: &'a str, command: impl Fn() -> Command + 'a) -> Self {
        Subject { what, every: 1, budget: None, command: Box::new(command) }
    }

    /// One that is judged.
    pub(crate) fn within(self, times: f64, memory: f64) -> Self {
        Subject { budget: Some(Budget { times, memory }), ..self }
    }

    /// A slow one, for which fewer rounds must do.
    pub(crate) fn every(self, every: usize) -> Self {
        Subject { every, ..self }
    }
}

/// Sorted durations.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Of these.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Times(times)
    }

    /// The time below which this part of a thousand lies, in milliseconds.
    pub(crate) fn at(&self, per_mille: usize) -> f64 {
        self.0[(self.0.len() * per_mille / 1000).min(self.0.len() - 1)].as_secs_f64() * 1e3
    }

    /// Half of all times are shorter, in milliseconds.
    pub(crate) fn median(&self) -> f64 {
        self.at(500)
    }
}

/// Lets all take turns with `/bin/true`; the times of `/bin/true` and then of each.
pub(crate) fn in_turn(rounds: usize, subjects: &[Subject]) -> (Times, Vec<Times>) {
    let (mut floor, mut times) = (Vec::new(), vec![Vec::new(); subjects.len()]);
    for round in 0..rounds {
        floor.push(took(Command::new(FLOOR)));
        for (subject, times) in subjects.iter().zip(&mut times).filter(|(subject, _)| round % subject.every == 0) {
            times.push(took((subject.command)()));
        }
    }
    (Times::new(floor), times.into_iter().map(Times::new).collect())
}

fn took(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.spawn().and_then(std::process::Child::wait_with_output).expect("the program starts");
    let took = started.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

/// Budgets of a subject.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// Multiple of `/bin/true`.
    pub times: f64,
    /// Peak memory in MiB.
    pub memory: f64,
}

/// Notes the multiple of `/bin/true` and the peak memory of each subject.
pub(crate) fn note(sheet: &mut Sheet, rounds: usize, subjects: &[Subject]) {
    let (floor, times) = in_turn(rounds, subjects);
    sheet.add(Row::new("`/bin/true`", floor.median(), "ms").note(spread(&floor)));
    for (subject, times) in subjects.iter().zip(&times) {
        let said = format!("{:.2} ms, {}", times.median(), spread(times));
        let ratio = Row::new(subject.what, times.median() / floor.median(), "× /bin/true").note(said);
        let memory = Row::new(format!("{}: peak memory", subject.what), peak_mib(&(subject.command)()), "MiB");
        let (ratio, memory) = match subject.budget {
            Some(budget) => (ratio.at_most(budget.times), memory.at_most(budget.memory)),
            None => (ratio, memory),
        };
        sheet.add(ratio);
        sheet.add(memory);
    }
}

fn spread(times: &Times) -> String {
    format!("99 % within {:.2} ms", times.at(990))
}

/// The largest resident set of a process and its children, in MiB: the median of a few runs, since it depends on where
/// the kernel puts the program.
pub(crate) fn peak_mib(command: &Command) -> f64 {
    let mut peaks = [(); PEAKS].map(|()| peak_of(command));
    peaks.sort_unstable_by(f64::total_cmp);
    peaks[PEAKS / 2]
}

/// A process begins with the peak of whoever started it, and this one is large. So GNU time starts it, which is small.
pub(crate) fn peak_of(command: &Command) -> f64 {
    let answer = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M", "-o"]).arg(answer.path()).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    took(timed);
    let text = std::fs::read_to_string(answer.path()).expect("the answer of time");
    let kib: f64 = text.trim().parse().expect("a number of KiB");
    kib / 1024.0
}

/// Size of a file in MiB.
pub(crate) fn file_mib(path: &Path) -> f64 {
    let bytes = std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).len();
    f64::from(u32::try_from(bytes / 1024).expect("a file below 4 TiB")) / 1024.0
}

/// A path in the folder of the build, where `make` puts what is measured.
pub(crate) fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name)
}
