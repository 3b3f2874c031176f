//! Where the time comes from.

use std::time::Duration;

use crate::Timestamp;

/// A moment in the record that something is to wait for, and that lies further ahead than this beyond
/// what anybody waits, was written by a server whose clock was wrong: it is not waited for. Servers whose
/// clocks differ by less wait for each other.
pub const FAR_AHEAD: Duration = Duration::from_secs(2 * 3600);

/// Tells the time. Everything that needs it is given one, so that tests can turn it.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that may ask")]
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        let millis = match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
            }
        };
        Timestamp::from_millis(millis)
    }
}
