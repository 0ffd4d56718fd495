//! Real processes, standing in a real queue of the module: a room (a root of its own), the processes in it, and what
//! they wrote down. Every wait is for a condition and has a deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use pmvmmanager6::queue::{self, Entry};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

/// Patience with a condition; a machine under load is slow, not wrong.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The program of the tests.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_test-process");

/// Waits until `ready` gives something.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The clock of the processes' logs, in nanoseconds.
pub(crate) fn now_ns() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// What is in the queues and uses the sessions of an installation.
pub(crate) fn program_in(root: &Path) -> Command {
    housed(Command::new(PROGRAM), root)
}

/// A command for an installation.
pub(crate) fn housed(mut command: Command, root: &Path) -> Command {
    command.env("PMVMMANAGER6_ROOT", root).env_remove("PMVMMANAGER6_FAULT");
    command
}

/// A root directory, on a filesystem in memory where there is one.
pub(crate) struct Room {
    root: tempfile::TempDir,
}

/// A line of the log of `queue-hold` or `session-visit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// `waiting`, `start`, `end`; `login`, `used`, `refused`.
    pub what: String,
    /// Which process.
    pub label: String,
    /// Queue number or place; token.
    pub detail: String,
    /// Moment in nanoseconds.
    pub at: i64,
}

impl Room {
    /// An empty room.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let room = Room { root: tempfile::tempdir_in(parent).unwrap() };
        fs::create_dir(room.path("var")).unwrap();
        room
    }

    /// A path below the root.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The runtime directory.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.path("var/pmvmmanager6/run")
    }

    /// The module with this room as its root.
    pub(crate) fn command(&self) -> Command {
        housed(Command::new(env!("CARGO_BIN_EXE_pmvmmanager6")), self.root.path())
    }

    /// The program of the tests with this room as its root.
    pub(crate) fn program(&self) -> Command {
        program_in(self.root.path())
    }

    /// The same behind another program, for example `prlimit --nofile=16`.
    pub(crate) fn wrapped<S: AsRef<OsStr>>(&self, wrapper: &[S]) -> Command {
        let mut command = Command::new(&wrapper[0]);
        command.args(&wrapper[1..]).arg(PROGRAM);
        housed(command, self.root.path())
    }

    /// Runs an operator command to its end: exit status, standard output, standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        finished(self.command().args(arguments).output().unwrap())
    }

    /// A process that will stand in the queue `key`.
    pub(crate) fn hold(&self, key: &str, label: &str) -> Hold {
        self.hold_in(self.program(), key, label)
    }

    /// The same with a prepared command.
    pub(crate) fn hold_in(&self, mut command: Command, key: &str, label: &str) -> Hold {
        command.args(["queue-hold", "--key", key, "--label", label, "--log"]).arg(self.path("holds"));
        Hold { command, label: label.to_owned() }
    }

    /// What the processes wrote down so far, in order of time.
    pub(crate) fn events(&self) -> Vec<Event> {
        let text = fs::read_to_string(self.path("holds")).unwrap_or_default();
        let mut events: Vec<Event> = text.lines().map(event).collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// The moment at which a process reported `what`.
    pub(crate) fn moment(&self, what: &str, label: &str) -> Option<i64> {
        self.events().iter().find(|event| event.what == what && event.label == label).map(|event| event.at)
    }

    /// Waits until a process has reported `what`.
    #[track_caller]
    pub(crate) fn await_event(&self, what: &str, label: &str) -> i64 {
        until(&format!("{what} of {label}"), || self.moment(what, label))
    }

    /// The living tickets.
    pub(crate) fn tickets(&self) -> Vec<Entry> {
        queue::list(&self.runtime()).unwrap()
    }

    /// Waits until exactly `count` tickets live.
    #[track_caller]
    pub(crate) fn await_tickets(&self, count: usize) -> Vec<Entry> {
        until(&format!("{count} tickets"), || Some(self.tickets()).filter(|tickets| tickets.len() == count))
    }

    /// Labels of the living tickets in the order of arrival.
    pub(crate) fn line(&self) -> Vec<String> {
        self.tickets().into_iter().map(|entry| entry.label.command).collect()
    }

    /// Names in the ticket directory.
    pub(crate) fn ticket_files(&self) -> BTreeSet<String> {
        let names = fs::read_dir(self.runtime().join("tickets")).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Asserts that nothing is left of anybody: no row, no file, a sound database.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.ticket_files(), BTreeSet::new());
        let database = self.database();
        let rows: i64 = database.query_row("SELECT count(*) FROM ticket", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0);
        let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }

    /// The database, for a test that looks inside. Nobody may be using the queue.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.runtime().join("runtime.db")).unwrap()
    }

    /// Text of the module's log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("var/pmvmmanager6.log")).unwrap_or_default()
    }
}

fn event(line: &str) -> Event {
    let mut words = line.split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    Event { what: word(), label: word(), detail: word(), at: word().parse().unwrap_or(0) }
}

/// Exit status (minus the signal for a killed process) and both outputs.
pub(crate) fn finished(output: std::process::Output) -> (i32, String, String) {
    use std::os::unix::process::ExitStatusExt;
    let status = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap());
    (status, String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A process that is about to start.
#[must_use]
pub(crate) struct Hold {
    command: Command,
    label: String,
}

impl Hold {
    /// How many of the key may run at once.
    pub(crate) fn limit(mut self, limit: u32) -> Self {
        self.command.args(["--limit", &limit.to_string()]);
        self
    }

    /// Takes the ticket of a service first.
    pub(crate) fn service(mut self, item: u64) -> Self {
        self.command.args(["--service", &item.to_string()]);
        self
    }

    /// Works for a time instead of until it is told to finish.
    pub(crate) fn milliseconds(mut self, time: u64) -> Self {
        self.command.args(["--for", &time.to_string()]);
        self
    }

    /// Leaves a child behind that outlives it.
    pub(crate) fn with_child(mut self) -> Self {
        self.command.arg("--child");
        self
    }

    /// Dies at a fault point (or stops there: `point:stop`).
    pub(crate) fn fault(mut self, point: &str) -> Self {
        self.command.env("PMVMMANAGER6_FAULT", point);
        self
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let stdin = child.stdin.take();
        Running { child, stdin, label: self.label }
    }
}

/// A process in the queue; killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its word in the log.
    pub label: String,
}

impl Running {
    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets its job end.
    pub(crate) fn release(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it as by `kill -9` and collects it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The exit status (minus the signal), if the process has ended.
    pub(crate) fn try_end(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or_else(|| -status.signal().unwrap()))
    }

    /// Lets its job end and waits for the process: exit status and standard error.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, String) {
        self.release();
        until(&format!("the end of {}", self.label), || self.child.try_wait().unwrap());
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        let status = self.child.wait().unwrap();
        let output = std::process::Output { status, stdout: Vec::new(), stderr: text.into_bytes() };
        let (status, _, text) = finished(output);
        (status, text)
    }

    /// Lets its job end and expects success.
    #[track_caller]
    pub(crate) fn succeed(self) {
        let label = self.label.clone();
        let (status, text) = self.end();
        assert_eq!(status, 0, "{label}: {text}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// One job as the log tells it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Which process.
    pub label: String,
    /// Queue number.
    pub number: u32,
    /// Start and end in nanoseconds; a job that was killed never ended.
    pub start: i64,
    /// See `start`.
    pub end: Option<i64>,
}

/// The jobs in the order of their starts.
pub(crate) fn jobs(events: &[Event]) -> Vec<Job> {
    let ends: BTreeMap<&str, i64> =
        events.iter().filter(|event| event.what == "end").map(|event| (event.label.as_str(), event.at)).collect();
    let started = events.iter().filter(|event| event.what == "start");
    let job = |event: &Event| Job {
        label: event.label.clone(),
        number: event.detail.parse().unwrap(),
        start: event.at,
        end: ends.get(event.label.as_str()).copied(),
    };
    started.map(job).collect()
}

/// How many of the jobs ran at once, at most. `deaths` says when the killed ones died.
pub(crate) fn most_at_once(jobs: &[Job], deaths: &BTreeMap<String, i64>) -> usize {
    let end = |job: &Job| job.end.or_else(|| deaths.get(&job.label).copied()).unwrap_or(i64::MAX);
    let running = |at: i64| jobs.iter().filter(|job| job.start <= at && at < end(job)).count();
    jobs.iter().map(|job| running(job.start)).max().unwrap_or(0)
}
