//! A live line on standard error for the person who runs an operation by hand. The panel, which has no terminal, sees
//! nothing of it.

use std::io::{IsTerminal, Write};

use crate::text::clean;

const WIDEST: usize = 200;

/// The line; it is wiped when dropped.
pub(crate) struct Progress {
    watched: bool,
}

impl Progress {
    /// A line that is empty so far.
    pub(crate) fn new() -> Self {
        Progress { watched: std::io::stderr().is_terminal() }
    }

    /// Replaces the line.
    pub(crate) fn show(&self, text: &str) {
        if self.watched {
            _ = write!(std::io::stderr(), "\r\x1b[K{}", clean(text, WIDEST));
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.watched {
            _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
