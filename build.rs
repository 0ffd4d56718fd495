//! Tells the program which commit it is made of, for `--version`.
//!
//! `PMVMMANAGER6_COMMIT` (for sources without git) goes before git; without both the commit is "unknown". Nothing else
//! enters the program, no time and no path, so one commit always gives the same bytes.

use std::env;
use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "PMVMMANAGER6_COMMIT";
/// Digits that are shown; git itself would choose as many as it has objects.
const SHOWN: usize = 7;

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let named = env::var(VARIABLE).ok().filter(|commit| !commit.is_empty());
    let commit = named.or_else(head).unwrap_or_else(|| "unknown".to_owned());
    let commit: String = commit.chars().filter(char::is_ascii_alphanumeric).take(SHOWN).collect();
    println!("cargo::rustc-env=PMVMMANAGER6_BUILT_FROM={commit}");
    println!("cargo::rustc-env=PMVMMANAGER6_BUILT_FOR={}", env::var("TARGET").unwrap_or_default());
}

/// The commit that is checked out; whatever says so is watched.
fn head() -> Option<String> {
    // A repository around an unpacked archive of ours says nothing about it.
    if !Path::new(".git").exists() {
        return None;
    }
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    // A branch may be in packed-refs until its next commit; the log of HEAD sees every one.
    for name in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(file) = git(&["rev-parse", "--git-path", name]).filter(|file| Path::new(file).exists()) {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
