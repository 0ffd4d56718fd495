//! The state of a VM [api 4.7.2].

use std::fmt;

use serde::Deserialize;

use crate::text::clean;

/// Characters of a word for a state; no build has longer ones.
const LONGEST_WORD: usize = 100;

/// What VMmanager says that a VM is doing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum HostState {
    /// `active`.
    Running,
    /// `stopped`: switched off.
    Stopped,
    /// `creating`: it is installed and cannot be changed yet.
    Creating,
    /// Another word: VMmanager works on it, or the build is newer than this module.
    Other(String),
}

impl HostState {
    /// VMmanager's own word.
    pub fn as_str(&self) -> &str {
        match self {
            HostState::Running => "active",
            HostState::Stopped => "stopped",
            HostState::Creating => "creating",
            HostState::Other(word) => word,
        }
    }
}

impl Default for HostState {
    fn default() -> Self {
        HostState::Other(String::new())
    }
}

impl From<String> for HostState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "active" => HostState::Running,
            "stopped" => HostState::Stopped,
            "creating" => HostState::Creating,
            _ => HostState::Other(clean(&word, LONGEST_WORD)),
        }
    }
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives() {
        for word in ["active", "stopped", "creating", "Active", "migrating", ""] {
            assert_eq!(HostState::from(word.to_owned()).to_string(), word);
        }
    }
}
