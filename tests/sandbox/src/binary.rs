//! Finds the programs of this crate beside the running test, and builds them when they are missing or out of date.
//!
//! `cargo test` of another package builds this library but not its programs. A program older than a source of this
//! crate would make tests pass or fail for yesterday's reasons, so it is built again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

/// Set once the programs have been brought up to date by this process.
static FRESH: Mutex<bool> = Mutex::new(false);

/// The path of a program of this crate, e.g. `mgrctl`.
///
/// # Errors
/// When it is missing or out of date and cannot be built.
pub fn binary(name: &str) -> Result<PathBuf> {
    let directory = directory()?;
    let program = directory.join(name);
    let mut fresh = FRESH.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !*fresh && chosen().is_none() && is_stale(&program)? {
        build(&directory)?;
    }
    *fresh = true;
    if program.is_file() {
        return Ok(program);
    }
    bail!("there is no {}; run `cargo build -p sandbox --bins`", program.display())
}

/// A directory for things that are expensive to make, shared by all runs: `target/tmp/sandbox/<name>`.
pub(crate) fn cache(name: &str) -> Result<PathBuf> {
    let directory = directory()?;
    let target = directory.parent().unwrap_or(&directory);
    let cache = target.join("tmp/sandbox").join(name);
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    Ok(cache)
}

/// Where somebody else has built them: a fuzzer runs with compiler flags of its own, with which no program can be built.
fn chosen() -> Option<PathBuf> {
    std::env::var_os("SANDBOX_PROGRAMS").map(PathBuf::from)
}

/// `target/<profile>` of the running program, unless another was chosen.
fn directory() -> Result<PathBuf> {
    if let Some(chosen) = chosen() {
        return Ok(chosen);
    }
    let program = std::env::current_exe().context("cannot find the running program")?;
    let directory = program.parent().context("the running program has no directory")?;
    let above = directory.parent().filter(|_| directory.ends_with("deps"));
    Ok(above.unwrap_or(directory).to_owned())
}

fn is_stale(program: &Path) -> Result<bool> {
    let Ok(about) = fs::metadata(program) else {
        return Ok(true);
    };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !sources.is_dir() {
        return Ok(false);
    }
    Ok(newest(&sources.join("src"))? > about.modified()?)
}

fn newest(directory: &Path) -> Result<SystemTime> {
    let mut latest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        let time = if about.is_dir() { newest(&entry.path())? } else { about.modified()? };
        latest = latest.max(time);
    }
    Ok(latest)
}

fn build(directory: &Path) -> Result<()> {
    let guard = File::create(cache("build")?.join("lock"))?;
    guard.lock()?;
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let target = directory.parent().unwrap_or(directory);
    let built = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(["build", "--quiet", "--package", "sandbox", "--bins", "--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("cannot start cargo to build the programs of the sandbox")?;
    if built.status.success() {
        return Ok(());
    }
    bail!(
        "the programs of the sandbox do not build (`cargo build -p sandbox --bins`):\n{}",
        String::from_utf8_lossy(&built.stderr)
    )
}
