use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Counts time, from some point on, without ever being set.
pub trait Uptime: Send + Sync {
    /// How long it has been counting; it never goes back.
    fn elapsed(&self) -> Duration;
}

/// Since the machine was started, the time in which it slept included.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootTime;

/// The clock that goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const AWAKE_OR_NOT: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const AWAKE_OR_NOT: ClockId = ClockId::Monotonic;

impl Uptime for BootTime {
    fn elapsed(&self) -> Duration {
        let time = clock_gettime(AWAKE_OR_NOT);
        let secs = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(secs, nanos)
    }
}
