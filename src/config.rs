//! Where things are and how long we wait: the only reader of the environment and of `etc/*.conf`.
//!
//! Everything hangs off one root, `/usr/local/mgr5` on a real server [protocol 1.1].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The executable's, the crate's and the module's name in BILLmanager.
pub const MODULE: &str = "pmvmmanager6";

/// What this program was made of; see `build.rs`.
pub mod built {
    /// Its release.
    pub const VERSION: &str = env!("CARGO_PKG_VERSION");
    /// First digits of the commit, or `unknown`.
    pub const COMMIT: &str = env!("PMVMMANAGER6_BUILT_FROM");
    /// The target triple.
    pub const TARGET: &str = env!("PMVMMANAGER6_BUILT_FOR");
    /// `0.1.0 (5599d61, x86_64-unknown-linux-gnu)`.
    pub const FULL: &str = concat!(
        env!("CARGO_PKG_VERSION"),
        " (",
        env!("PMVMMANAGER6_BUILT_FROM"),
        ", ",
        env!("PMVMMANAGER6_BUILT_FOR"),
        ")"
    );
}

const DEFAULT_ROOT: &str = "/usr/local/mgr5";
const ROOT_VARIABLE: &str = "PMVMMANAGER6_ROOT";

/// Paths and limits of one run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Root of the panel's installation.
    pub root: PathBuf,
    /// How long we wait for the outside world.
    pub limits: Limits,
}

/// Deadlines. The tests shorten them; an installation has no reason to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// One answer of VMmanager.
    pub answer: Duration,
    /// A list of VMmanager from its first page to its last, if it is short.
    pub list: Duration,
    /// Patience with a VMmanager that answers 503 because it is asleep [api 1.5].
    pub asleep: Duration,
    /// Patience with a BILLmanager that is restarting.
    pub panel: Duration,
    /// One call of BILLmanager.
    pub call: Duration,
    /// Patience with a database server that takes no connections now.
    pub database: Duration,
    /// How long a client's button may hold a place in its handler's queue.
    pub button: Duration,
    /// Creation of a VM including its OS and recipes [api 3.5].
    pub create: Duration,
    /// Starting, stopping, changing parameters or addresses [api 3.5].
    pub change: Duration,
    /// Resizing a disk [api 3.5].
    pub disk: Duration,
    /// A task may be missing from the task list this long after it was answered [api 3.5].
    pub unlisted: Duration,
    /// Addresses may follow the creation task this late [api 6, row 30].
    pub address: Duration,
    /// A VM whose creation had an unknown outcome may appear in lists this late.
    pub appear: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            answer: Duration::from_mins(1),
            list: Duration::from_mins(1),
            asleep: Duration::from_mins(1),
            panel: Duration::from_mins(15),
            call: Duration::from_mins(5),
            database: Duration::from_mins(1),
            button: Duration::from_secs(90),
            create: Duration::from_hours(2),
            change: Duration::from_mins(10),
            disk: Duration::from_mins(30),
            unlisted: Duration::from_mins(1),
            address: Duration::from_mins(5),
            appear: Duration::from_mins(1),
        }
    }
}

impl Limits {
    /// A dry run waits for answers and for nothing else.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        let at_once = Duration::ZERO;
        Limits {
            create: at_once,
            change: at_once,
            disk: at_once,
            unlisted: at_once,
            address: at_once,
            appear: at_once,
            ..self.clone()
        }
    }
}

impl Config {
    /// Reads the environment of this process.
    pub fn from_environment() -> Self {
        let root = std::env::var_os(ROOT_VARIABLE).filter(|v| !v.is_empty());
        Config { root: root.map_or_else(|| PathBuf::from(DEFAULT_ROOT), PathBuf::from), limits: limits() }
    }

    /// The same for questions of a person, who waits in front of a form or a terminal.
    #[must_use]
    pub fn impatient(&self) -> Self {
        const PATIENCE: Duration = Duration::from_secs(5);
        let mut hurried = self.clone();
        let limits = &mut hurried.limits;
        for limit in [&mut limits.answer, &mut limits.panel, &mut limits.call, &mut limits.database] {
            *limit = PATIENCE.min(*limit);
        }
        limits.list = limits.list.min(Duration::from_secs(20));
        limits.asleep = limits.asleep.min(Duration::from_secs(4));
        hurried
    }

    /// The module's log.
    pub fn log(&self) -> PathBuf {
        self.root.join("var/pmvmmanager6.log")
    }

    /// Directory of the durable state (`journal.db`).
    pub fn state_dir(&self) -> PathBuf {
        self.root.join("var/pmvmmanager6")
    }

    /// Directory of the state that a reboot may take away (`runtime.db`, `tickets/`).
    pub fn runtime_dir(&self) -> PathBuf {
        if self.root == Path::new(DEFAULT_ROOT) {
            PathBuf::from("/run/pmvmmanager6")
        } else {
            self.state_dir().join("run")
        }
    }

    /// The panel's command-line client.
    pub fn mgrctl(&self) -> PathBuf {
        self.root.join("sbin/mgrctl")
    }

    /// The flag of a copied or test installation: nothing may be changed while it exists [protocol 0.10].
    pub fn do_nothing(&self) -> bool {
        self.root.join("etc/billmgr.DoNothing").exists()
    }

    /// Options of the panel from `etc/billmgr.conf` and `etc/billmgr.conf.d/*.conf`, later files winning
    /// [protocol 1.1]. Unreadable files count as empty: `mgrctl paramlist` is asked next.
    pub fn panel_options(&self) -> BTreeMap<String, String> {
        let mut files = vec![self.root.join("etc/billmgr.conf")];
        let mut extra: Vec<PathBuf> = std::fs::read_dir(self.root.join("etc/billmgr.conf.d"))
            .map(|dir| dir.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        extra.retain(|path| path.extension().is_some_and(|e| e == "conf"));
        extra.sort();
        files.append(&mut extra);
        files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).flat_map(|text| options(&text)).collect()
    }

    /// Level 1–9 of our log from `etc/debug.conf`, the last fitting line winning [protocol 1.5]; 5 by default.
    pub fn log_level(&self) -> u8 {
        let text = std::fs::read_to_string(self.root.join("etc/debug.conf")).unwrap_or_default();
        let ours = |name: &str| name == "*" || name == "*.*" || name.starts_with(MODULE);
        text.lines()
            .filter_map(|line| line.trim().split_once(char::is_whitespace))
            .filter(|(name, _)| ours(name))
            .filter_map(|(_, level)| level.trim().parse().ok())
            .next_back()
            .unwrap_or(5)
    }
}

/// `Name value` lines; `#` starts a comment; a value may be quoted.
fn options(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(char::is_whitespace).unwrap_or((line, "")))
        .map(|(name, value)| (name.to_owned(), unquote(value.trim()).to_owned()))
        .collect()
}

fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value)
}

#[cfg(not(feature = "faults"))]
fn limits() -> Limits {
    Limits::default()
}

/// Test builds read shorter deadlines from `PMVMMANAGER6_LIMITS`, for example `asleep=1.5,panel=3`, in seconds.
#[cfg(feature = "faults")]
fn limits() -> Limits {
    let mut limits = Limits::default();
    let text = std::env::var("PMVMMANAGER6_LIMITS").unwrap_or_default();
    for (name, seconds) in text.split(',').filter_map(|pair| pair.split_once('=')) {
        let Some(value) = seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()) else { continue };
        match name {
            "answer" => limits.answer = value,
            "list" => limits.list = value,
            "asleep" => limits.asleep = value,
            "panel" => limits.panel = value,
            "call" => limits.call = value,
            "database" => limits.database = value,
            "button" => limits.button = value,
            "create" => limits.create = value,
            "change" => limits.change = value,
            "disk" => limits.disk = value,
            "unlisted" => limits.unlisted = value,
            "address" => limits.address = value,
            "appear" => limits.appear = value,
            _ => {}
        }
    }
    limits
}

/// The day by this server's clock; test builds may choose it (`PMVMMANAGER6_TODAY=2025-06-30`).
pub fn today() -> Date {
    #[cfg(feature = "faults")]
    if let Some(chosen) = std::env::var("PMVMMANAGER6_TODAY").ok().and_then(|text| text.parse().ok()) {
        return chosen;
    }
    now().date()
}

/// The time by this server's clock in its zone.
///
/// The zone comes from `/etc/localtime`. To find out what the zone is called, which jiff's own search does, all of
/// `/usr/share/zoneinfo` would be walked at the first line of the log.
pub fn now() -> Zoned {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let local = || TimeZone::tzif("", &std::fs::read("/etc/localtime").ok()?).ok();
    let chosen = std::env::var_os("TZ").is_some_and(|zone| !zone.is_empty());
    let zone = ZONE.get_or_init(|| if chosen { None } else { local() }.unwrap_or_else(TimeZone::system));
    Timestamp::now().to_zoned(zone.clone())
}

/// The fault point chosen by a test.
#[cfg(feature = "faults")]
pub fn fault() -> Option<&'static str> {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("PMVMMANAGER6_FAULT").ok().filter(|v| !v.is_empty())).as_deref()
}

/// Test builds may pretend that the state directories are on another filesystem: `statfs` magic in hexadecimal.
#[cfg(feature = "faults")]
pub fn filesystem_magic() -> Option<u64> {
    let text = std::env::var("PMVMMANAGER6_FILESYSTEM").ok()?;
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}
