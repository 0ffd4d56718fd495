//! Named points at which a test may kill the program or make it fail.
//!
//! Compiled in only with the feature `faults`; otherwise [`point`] is empty and the release binary has no trace of it.
//! A test names one point in `PMVMMANAGER6_FAULT`: `name` or `name:kill` dies there as by `kill -9`, `name:panic`
//! panics, `name:stop` sleeps there until it is killed, so that a test can look at a process held in a known place.
//! [`POINTS`] lists every name; the test that kills at each of them walks over that list, so a new point is covered
//! without new test code.

macro_rules! points {
    ($($name:literal,)*) => {
        /// Every point there is.
        pub const POINTS: &[&str] = &[$($name,)*];
    };
}

points! {
    "account.before_request",
    "account.after_request",
    "account.recorded",
    "ssh_key.before_request",
    "ssh_key.after_request",
    "create.before_intent",
    "create.after_intent",
    "create.before_request",
    "create.after_request",
    "create.recorded",
    "create.waited",
    "metrics.storing",
    "open.params_saved",
    "open.slot_added",
    "open.slots_filled",
    "open.called_back",
    "power.before_request",
    "power.after_request",
    "power.waited",
    "delete.before_intent",
    "delete.after_intent",
    "delete.after_request",
    "delete.waited",
    "close.slots_freed",
    "resize.before_request",
    "resize.after_request",
    "resize.before_restart",
    "resize.after_restart",
    "resize.waited",
    "addresses.before_request",
    "addresses.after_request",
    "schedule.before_request",
    "schedule.after_request",
    "schedule.changed",
    "password.after_request",
    "callback.before",
    "callback.after",
    "queue.before_insert",
    "queue.after_insert",
    "queue.after_file",
    "queue.after_commit",
    "queue.wait",
    "queue.woken",
    "queue.before_start",
    "queue.started",
    "queue.before_delete",
    "queue.after_delete",
    "queue.after_unlink",
    "queue.resume_opened",
    "queue.resume_unlinked",
    "session.before_login",
    "session.after_login",
    "session.stored",
    "statistics.rows_written",
    "statistics.meters_saved",
}

/// Marks a line at which a test may interrupt the program. `name` is one of [`POINTS`].
#[cfg(feature = "faults")]
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "fault point {name} is missing from the list");
    let Some(wanted) = crate::config::fault() else { return };
    let (at, action) = wanted.split_once(':').unwrap_or((wanted, "kill"));
    if at != name {
        return;
    }
    match action {
        "panic" => panic!("a test asked for it"),
        "stop" => loop {
            std::thread::park();
        },
        _ => {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}

/// Marks a line at which a test may interrupt the program.
#[cfg(not(feature = "faults"))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "nothing of it must stay in a release")]
pub fn point(_name: &'static str) {}
