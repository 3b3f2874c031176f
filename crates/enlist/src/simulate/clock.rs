//! The clock that a virtual device goes by.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use enlist_core::{Clock, SystemClock, Timestamp};

/// A clock that runs as fast as the simulation wants it to.
///
/// The server's does not, and it is the server that dates certificates. So whoever gets a certificate is
/// set back to the server's time, and lives through the certificate's lifetime from there.
#[derive(Debug, Default)]
pub struct DeviceClock {
    /// What it showed at `since`, in milliseconds since the epoch.
    from: AtomicI64,
    /// The system's time then.
    since: AtomicI64,
    /// How many times as fast as the system's clock it runs.
    factor: AtomicU32,
}

impl DeviceClock {
    /// A clock that shows the system's time.
    pub fn new() -> Self {
        let clock = Self::default();
        clock.run(Duration::ZERO, 1);
        clock
    }

    /// Shows the system's time and `ahead` from now on, and runs `factor` times as fast.
    pub fn run(&self, ahead: Duration, factor: u32) {
        let now = SystemClock.now();
        self.since.store(now.as_millis(), Ordering::Relaxed);
        let from = (now + ahead).as_millis();
        self.from.store(from, Ordering::Relaxed);
        self.factor.store(factor.max(1), Ordering::Relaxed);
    }

    /// Shows the system's time again, and runs on as fast as before.
    pub fn set_back(&self) {
        self.run(Duration::ZERO, self.factor.load(Ordering::Relaxed));
    }

    /// How long it takes until this clock has gone on by `time`.
    pub fn real(&self, time: Duration) -> Duration {
        time / self.factor.load(Ordering::Relaxed).max(1)
    }
}

impl Clock for DeviceClock {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().as_millis() - self.since.load(Ordering::Relaxed);
        let factor = i64::from(self.factor.load(Ordering::Relaxed));
        let gone = passed.max(0).saturating_mul(factor);
        Timestamp::from_millis(self.from.load(Ordering::Relaxed).saturating_add(gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_is_set_back_to_the_systems_and_keeps_its_speed() {
        let clock = DeviceClock::new();
        clock.run(Duration::from_secs(3600), 60);
        let ahead = clock.now().since(SystemClock.now());
        assert!(ahead >= Duration::from_secs(3599), "{ahead:?}");
        assert_eq!(
            clock.real(Duration::from_secs(60)),
            Duration::from_secs(1),
            "a minute of the device's takes a second"
        );
        clock.set_back();
        let ahead = clock.now().since(SystemClock.now());
        assert!(ahead < Duration::from_secs(600), "{ahead:?}");
        assert_eq!(clock.real(Duration::from_secs(60)), Duration::from_secs(1));
    }
}
