//! The module's log: one line an event, appended in one write to `<root>/var/pmvmmanager6.log`.
//!
//! Nothing is ever written to standard output; standard error is used only when the log cannot be opened. Secrets
//! travel as `SecretString`, whose `Debug` is redacted, and what others repeat of them is masked. The last lines are kept
//! in memory for the errorxml document that staff reads in the panel [protocol 3.30].

mod excerpt;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};

use self::excerpt::{COMMAND, ITEM};
use crate::config::{self, Config, MODULE};
use crate::mask::masked;
use crate::ownership;
use crate::text::{LONGEST, clean};

pub use excerpt::excerpt;
pub use tracing::{debug, error, info, warn};

const KEPT_LINES: usize = 60;
/// Characters of an event: an error with all its texts fits.
const LONGEST_LINE: usize = 4 * LONGEST;

static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
static DRY_RUN: AtomicBool = AtomicBool::new(false);

/// Opens the log. Call once, as soon as the command is known to need one.
pub fn open(config: &Config) {
    let level = match config.log_level() {
        0..=3 => LevelFilter::ERROR,
        4 => LevelFilter::WARN,
        5 => LevelFilter::INFO,
        6..=8 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let path = config.log();
    let file = own(&path)
        .inspect_err(|error| {
            // Without an installation there is no log.
            if error.kind() != io::ErrorKind::NotFound {
                let path = path.display();
                _ = writeln!(io::stderr(), "{MODULE}: {path} is not used as the log ({error}), which follows here:");
            }
        })
        .ok();
    let subscriber = tracing_subscriber::registry().with(Lines { file }.with_filter(level));
    // A second call in one process (tests) keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Opens the log for appending. Whoever could put a link, a pipe or a file of his own there would choose which file of
/// root's grows, or read what root writes.
fn own(path: &Path) -> io::Result<File> {
    // A pipe without a reader would make us wait for one.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file =
        OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != ownership::ourselves() {
        return Err(io::Error::other("it is no file of ours"));
    }
    Ok(file)
}

/// The first line of a run, by which [`excerpt`] knows what all its lines are about.
pub fn begin(command: &str, item: &str, arguments: &str) {
    info!("{COMMAND}{command}{ITEM}{item} arguments: {arguments}");
}

/// Every line says from now on that it is only a dry run: a reader must not take it for something that was done.
pub fn dry_run() {
    DRY_RUN.store(true, Ordering::Relaxed);
}

/// The last lines of this run, oldest first.
pub fn recent() -> Vec<String> {
    RECENT.lock().map(|lines| lines.iter().cloned().collect()).unwrap_or_default()
}

struct Lines {
    file: Option<File>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with(MODULE) {
            return;
        }
        let line = line(event);
        match &self.file {
            Some(file) => _ = (&*file).write_all(line.as_bytes()),
            None => _ = std::io::stderr().write_all(line.as_bytes()),
        }
        if let Ok(mut recent) = RECENT.lock() {
            if recent.len() == KEPT_LINES {
                recent.pop_front();
            }
            recent.push_back(line.trim_end().to_owned());
        }
    }
}

fn line(event: &Event<'_>) -> String {
    let level = match *event.metadata().level() {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "EXTINFO",
        Level::TRACE => "DEBUG",
    };
    let mut text = Text(String::new());
    event.record(&mut text);
    let now = config::now();
    let time = now.strftime("%Y-%m-%d %H:%M:%S%.3f");
    let mark = if DRY_RUN.load(Ordering::Relaxed) { "(plan, nothing is done) " } else { "" };
    format!("{time} [{}] {level} {mark}{}\n", std::process::id(), clean(masked(&text.0).trim(), LONGEST_LINE))
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let rest = std::mem::take(&mut self.0);
            _ = write!(self.0, "{value:?}{rest}");
        } else {
            _ = write!(self.0, " {}={value:?}", field.name());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
