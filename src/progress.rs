//! A live line on standard error for the person who runs an operation by hand. The panel, which has no terminal, sees
//! nothing of it.

use std::io::{IsTerminal, Write};

/// The line; it is wiped when dropped.
pub struct Progress {
    watched: bool,
}

impl Progress {
    /// A line that is empty so far.
    pub fn new() -> Self {
        Progress { watched: std::io::stderr().is_terminal() }
    }

    /// Replaces the line.
    pub fn show(&self, text: &str) {
        if self.watched {
            let plain: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
            _ = write!(std::io::stderr(), "\r\x1b[K{plain}");
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
