//! `manual DIRECTORY`: writes man pages (`man/`) and shell completions (`bash/`, `zsh/`, `fish/`) below a directory.
//!
//! They come from the definitions in `src/cli.rs`, so they say what the program does. An example and not part of the
//! program: the shipped binary stays free of it, and every `cargo test` compiles it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, line_break, roman};
use pmvmmanager6::cli::{
    self,
    topic::{TOPICS, Topic},
};

const SECTION: &str = "8";
/// Section of the pages of topics.
const TOPIC_SECTION: &str = "7";
const SOURCE: &str = concat!("pmvmmanager6 ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "BILLmanager modules";

/// What an administrator looks for at the end of the first page.
const FILES: &[(&str, &str)] = &[
    ("/usr/local/mgr5/processing/pmvmmanager6", "The program; BILLmanager starts it from there."),
    ("/usr/local/mgr5/etc/xml/billmgr_mod_pmvmmanager6.xml", "Form and texts."),
    ("/usr/local/mgr5/var/pmvmmanager6.log", "The log. A line \"pmvmmanager6.* 9\" in etc/debug.conf sets its level."),
    ("/usr/local/mgr5/var/pmvmmanager6/", "The journal of what was asked of VMmanager. Back it up with BILLmanager."),
    ("/run/pmvmmanager6/", "Queue, metrics, sealed sessions and passwords; may be lost at any time."),
    ("pmvmmanager6-audit.timer", "The daily audit. Off until systemctl enable --now pmvmmanager6-audit.timer."),
];

const STATUS: &[(&str, &str)] = &[
    ("0", "Success."),
    ("1", "Failure; the reason is on standard error and in the log, for BILLmanager on standard output. Or findings."),
    ("2", "Wrong usage."),
];

fn main() -> Result<()> {
    let directory = PathBuf::from(std::env::args_os().nth(1).context("usage: manual DIRECTORY")?);
    // Pages name no commit and no machine: they are made on any.
    let mut command = cli::definition().version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    let made = |name: &str| -> Result<PathBuf> {
        let path = directory.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    };
    for (shell, name) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        clap_complete::generate_to(shell, &mut command.clone(), command.get_name(), made(name)?)?;
    }
    command.build();
    let man = made("man")?;
    TOPICS.iter().try_for_each(|topic| topic_page(topic, &man))?;
    pages(&command, &man)
}

/// One page for a command and for each command below it.
fn pages(command: &Command, directory: &Path) -> Result<()> {
    let page = Man::new(command.clone()).section(SECTION).source(SOURCE).manual(MANUAL);
    let mut text = Vec::new();
    page.render(&mut text)?;
    if command.is_subcommand_required_set() {
        lists().to_writer(&mut text)?;
    } else {
        see_also(command).to_writer(&mut text)?;
    }
    let file = directory.join(page.get_filename());
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    command.get_subcommands().try_for_each(|below| pages(below, directory))
}

/// The page of a topic: `src/cli/topic.rs` says what its text looks like.
fn topic_page(topic: &Topic, directory: &Path) -> Result<()> {
    let name = format!("pmvmmanager6-{}", topic.name);
    let mut page = Roff::new();
    page.control("TH", [name.as_str(), TOPIC_SECTION, "", SOURCE, MANUAL]);
    page.control("SH", ["NAME"]).text([roman(format!("{name} - {}", topic.title()))]);
    for part in topic.text.split("\n\n").skip(1).map(str::trim_end) {
        let is_heading = !part.contains(char::is_lowercase);
        if is_heading {
            page.control("SH", [part]);
        } else if part.starts_with("    ") {
            let lines: Vec<Inline> = part.lines().flat_map(|line| [roman(line.trim_start()), line_break()]).collect();
            page.control("PP", [])
                .control("RS", ["4"])
                .control("nf", [])
                .text(lines)
                .control("fi", [])
                .control("RE", []);
        } else {
            page.control("PP", []).text([roman(part)]);
        }
    }
    page.control("SH", ["SEE ALSO"]).text([bold("pmvmmanager6"), roman(format!("({SECTION})"))]);
    let file = directory.join(format!("{name}.{TOPIC_SECTION}"));
    fs::write(&file, page.to_roff()).with_context(|| format!("cannot write {}", file.display()))
}

/// FILES and EXIT STATUS.
fn lists() -> Roff {
    let mut page = Roff::new();
    for (heading, entries) in [("FILES", FILES), ("EXIT STATUS", STATUS)] {
        page.control("SH", [heading]);
        for (term, meaning) in entries {
            page.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
        }
    }
    page
}

/// The way back to the first page.
fn see_also(command: &Command) -> Roff {
    let mut page = Roff::new();
    let display = command.get_display_name().unwrap_or_default();
    if let Some((first, _)) = display.split_once('-') {
        page.control("SH", ["SEE ALSO"]).text([bold(first), roman(format!("({SECTION})"))]);
    }
    page
}
