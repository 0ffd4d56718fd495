//! The module's own directories and the journal.

use std::path::Path;

use crate::admin::finding::{Finding, Section};
use crate::config::Config;
use crate::id::ServiceId;
use crate::journal::Journal;
use crate::state::examine_directory;

/// Below this an operation may stop in the middle.
const LEAST_MIB: u64 = 16;
/// Below this somebody should look.
const FEW_MIB: u64 = 256;

/// What was found there.
pub(super) fn section(config: &Config) -> Section {
    let findings = vec![
        directory("durable state", &config.state_dir()),
        directory("runtime state", &config.runtime_dir()),
        journal(config),
    ];
    Section { about: "state of the module".to_owned(), handler: None, findings }
}

fn directory(check: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    if !path.exists() {
        return Finding::note(check, format!("{shown} is created by the first operation"));
    }
    if let Err(error) = examine_directory(path) {
        return Finding::failed(check, &error, "look at the directory and the log");
    }
    if let Err(error) = rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        return Finding::error(
            check,
            format!("{shown} cannot be written to: {error}"),
            "mount its filesystem read-write",
        );
    }
    let mode = std::fs::metadata(path).map(|found| std::os::unix::fs::MetadataExt::mode(&found) & 0o7777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        let text = format!("{shown} is open to other users (mode {mode:04o})");
        return Finding::warning(check, text, format!("chmod 0700 {shown}"));
    }
    space(check, path)
}

fn space(check: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    let free = match rustix::fs::statvfs(path) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize) >> 20,
        Err(error) => {
            return Finding::error(check, format!("{shown}: free space unknown: {error}"), "look at its disk");
        }
    };
    let (text, cure) = (format!("{shown} has {free} MiB left"), "free some space on this filesystem");
    match free {
        0..LEAST_MIB => Finding::error(check, text, cure),
        LEAST_MIB..FEW_MIB => Finding::warning(check, text, cure),
        _ => Finding::ok(check, text),
    }
}

fn journal(config: &Config) -> Finding {
    let path = config.state_dir().join("journal.db");
    if !path.exists() {
        return Finding::note("journal", "none yet: the first opening begins it");
    }
    // No service has the default id; what counts is that it can be read.
    match Journal::open(config).and_then(|journal| journal.find(ServiceId::default())) {
        Ok(_) => Finding::ok("journal", format!("{} can be read", path.display())),
        Err(error) => Finding::failed("journal", &error, "restore it from the backup of BILLmanager"),
    }
}
