//! Who a process is, also after its number was given to another one. For people, and for the one case in which a
//! ticket's file has disappeared; normally the lock alone says who lives.

use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::state::boot;

/// A process of this machine, now or in the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub pid: u32,
    /// When it started, in the kernel's ticks since the boot: a process id is reused, this pair is not.
    pub pid_start: u64,
    /// The boot it belongs to ([`boot::id`]).
    pub boot: String,
}

impl Process {
    pub(super) fn current() -> Self {
        static START: OnceLock<u64> = OnceLock::new();
        let pid = std::process::id();
        let pid_start = *START.get_or_init(|| stat(pid).map_or(0, |(_, start)| start));
        Process { pid, pid_start, boot: boot::id().to_owned() }
    }

    /// Whether it still runs. Where the kernel does not report it (no `/proc`), it does: nothing is taken from the living.
    pub(super) fn is_alive(&self) -> bool {
        if self.boot != boot::id() {
            return false;
        }
        match stat(self.pid) {
            Some((state, start)) => start == self.pid_start && !matches!(state, 'Z' | 'X'),
            None => !Path::new("/proc/self/stat").exists(),
        }
    }
}

/// State letter and start time from `/proc/<pid>/stat`. The name in brackets may hold anything, so we read after it.
fn stat(pid: u32) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_number_is_another_process() {
        let me = Process::current();
        assert!(me.is_alive());
        assert!(!Process { pid_start: me.pid_start + 1, ..me.clone() }.is_alive());
        assert!(!Process { boot: "another".to_owned(), ..me.clone() }.is_alive());
        assert!(!Process { pid: u32::MAX, ..me }.is_alive());
    }
}
