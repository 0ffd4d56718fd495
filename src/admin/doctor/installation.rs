//! The files of BILLmanager and of the module.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::plugin;
use crate::admin::finding::{Finding, Section};
use crate::config::{Config, MODULE};

/// What was found there.
pub(super) fn section(config: &Config) -> Section {
    let mut findings = vec![
        Finding::ok("root", config.root.display().to_string()),
        executable(config),
        plugin::installed(config),
        key(config),
        log(config),
    ];
    if config.do_nothing() {
        let text = "etc/billmgr.DoNothing exists: every changing command does nothing and reports success";
        findings.push(Finding::note("DoNothing", text));
    }
    Section { about: "installation".to_owned(), handler: None, findings }
}

fn executable(config: &Config) -> Finding {
    let path = config.root.join("processing").join(MODULE);
    let shown = path.display();
    let Ok(found) = std::fs::metadata(&path) else {
        return Finding::error("executable", format!("{shown} is not there"), "install the module again");
    };
    let mode = found.mode() & 0o7777;
    let cure = format!("chmod 0755 {shown}");
    if !found.is_file() {
        return Finding::error("executable", format!("{shown} is not a file"), "install the module again");
    }
    if mode & 0o100 == 0 {
        return Finding::error("executable", format!("{shown} cannot be run (mode {mode:04o})"), cure);
    }
    others_may_write("executable", &path, &found, &cure).unwrap_or_else(|| match mode {
        0o755 => Finding::ok("executable", shown.to_string()),
        _ => Finding::warning("executable", format!("{shown} has mode {mode:04o}, not 0755"), cure),
    })
}

/// Who changes a file of ours acts as root.
fn others_may_write(check: &'static str, path: &Path, found: &Metadata, cure: &str) -> Option<Finding> {
    let us = rustix::process::geteuid().as_raw();
    let shown = path.display();
    if found.uid() != us {
        let text = format!("{shown} belongs to user {}, not to user {us}", found.uid());
        return Some(Finding::error(check, text, format!("chown {us} {shown}")));
    }
    let text = format!("{shown} may be changed by other users (mode {:04o})", found.mode() & 0o7777);
    (found.mode() & 0o022 != 0).then(|| Finding::error(check, text, cure))
}

/// Whether it fits the panel's data is a question of its own.
fn key(config: &Config) -> Finding {
    let path = config.root.join("etc/billmgr.pem");
    let shown = path.display();
    match std::fs::metadata(&path) {
        Err(_) => Finding::note("key file", format!("{shown} is not there: CryptKey may name another")),
        Ok(found) if found.mode() & 0o006 != 0 => {
            let text = format!("{shown} is open to every user (mode {:04o})", found.mode() & 0o7777);
            Finding::warning("key file", text, format!("chmod 0600 {shown}"))
        }
        Ok(_) => Finding::ok("key file", shown.to_string()),
    }
}

fn log(config: &Config) -> Finding {
    let path = config.log();
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => others_may_write("log", &path, &found, &format!("chmod 0600 {shown}"))
            .unwrap_or_else(|| Finding::ok("log", format!("{shown}, level {}", config.log_level()))),
        Ok(_) => Finding::error("log", format!("{shown} is not a file"), "remove it, the log is then created"),
        Err(error) => {
            let cure = format!("make it possible to create files in {}", config.root.join("var").display());
            Finding::error("log", format!("{shown} cannot be created: {error}"), cure)
        }
    }
}
