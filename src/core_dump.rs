//! This process holds passwords: its memory goes neither into a core file nor to another process of the same user.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids both, as early as possible. The limit is inherited: `mgrctl` gets secrets in its environment.
pub(crate) fn forbid() {
    // Neither can fail for a process that gives up a right of its own.
    _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
