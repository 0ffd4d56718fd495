//! What a check found: as a table for people, as JSON for programs.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::output::Verdict;
use super::table::{Cell, table};
use crate::error::Error;
use crate::id::HandlerId;

/// How serious it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing to do.
    Note,
    /// Works now, and will not for long, or not for everybody.
    Warning,
    /// Does not work.
    Error,
    /// Could not be checked, because an earlier check failed.
    Skipped,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Skipped => "skipped",
        }
    }

    fn style(self) -> Style {
        match self {
            Level::Ok => AnsiColor::Green.on_default(),
            Level::Note => AnsiColor::Cyan.on_default(),
            Level::Warning => AnsiColor::Yellow.on_default().bold(),
            Level::Error => AnsiColor::Red.on_default().bold(),
            Level::Skipped => Style::new().dimmed(),
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// How serious it is.
    pub level: Level,
    /// What was checked, one or two words.
    pub check: &'static str,
    /// What was seen.
    pub what: String,
    /// What to do about a warning or an error.
    pub cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Finding { level: Level::Ok, check, what: what.into(), cure: None }
    }

    pub(super) fn note(check: &'static str, what: impl Into<String>) -> Self {
        Finding { level: Level::Note, check, what: what.into(), cure: None }
    }

    /// Works now, and will not for long, or not for everybody.
    pub(super) fn warning(check: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Finding { level: Level::Warning, check, what: what.into(), cure: Some(cure.into()) }
    }

    /// Does not work.
    pub(super) fn error(check: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Finding { level: Level::Error, check, what: what.into(), cure: Some(cure.into()) }
    }

    /// An error of the program; `cure` is for those that do not say what to do.
    pub(super) fn failed(check: &'static str, error: &Error, cure: &str) -> Self {
        let what = format!("{}: {}", error.kind.name(), error.text);
        Self::error(check, what, error.cure.as_deref().unwrap_or(cure))
    }

    /// Could not be checked because `check` of an earlier finding failed.
    pub(super) fn skipped(check: &'static str, because: &str) -> Self {
        Finding { level: Level::Skipped, check, what: format!("not checked: {because} is not in order"), cure: None }
    }

    fn rows(&self) -> Vec<[Cell; 3]> {
        let word = Cell::styled(self.level.style(), self.level.word());
        let cure = self.cure.iter().map(|cure| ["".into(), "".into(), format!("→ {cure}").into()]);
        std::iter::once([word, self.check.into(), self.what.as_str().into()]).chain(cure).collect()
    }
}

/// Findings about one thing.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    /// What they are about.
    pub about: String,
    /// Handler id, when they are about one.
    pub handler: Option<HandlerId>,
    /// In the order of the checks.
    pub findings: Vec<Finding>,
}

impl Section {
    /// The table of the section.
    pub(super) fn text(&self) -> String {
        let rows: Vec<_> = self.findings.iter().flat_map(Finding::rows).collect();
        table(["", "CHECK", &self.about], &rows)
    }
}

/// Findings of this level.
pub(super) fn count(sections: &[Section], level: Level) -> usize {
    sections.iter().flat_map(|section| &section.findings).filter(|finding| finding.level == level).count()
}

/// Warnings and errors are something to look at.
pub(super) fn verdict(sections: &[Section]) -> Verdict {
    match count(sections, Level::Warning) + count(sections, Level::Error) {
        0 => Verdict::Fine,
        _ => Verdict::Findings,
    }
}
