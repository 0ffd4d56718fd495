//! A clock that all processes of this boot share and that nobody can set, and a name for the boot.
//!
//! `CLOCK_BOOTTIME` counts suspended time too and ignores changes of the date. A moment is worth something only
//! together with [`id`]: after a reboot the count starts again.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the machine started.
pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Milliseconds since the machine started, as they are stored.
pub(crate) fn now_ms() -> i64 {
    i64::try_from(now().as_millis()).unwrap_or(i64::MAX)
}

/// Time since the stored moment; a moment of the future counts as now.
pub(crate) fn since_ms(moment: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms().saturating_sub(moment)).unwrap_or(0))
}

/// The kernel's random name of this boot; empty where the kernel has none, so that nothing outlives a process.
pub(crate) fn id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned())
}
