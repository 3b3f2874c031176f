//! A clock that tests turn.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use enlist_core::{Clock, SystemClock, Timestamp};

/// Stands still until it is turned.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// Starts at the real time, so that other programs agree with it.
    pub fn now() -> Self {
        Self(AtomicI64::new(SystemClock.now().as_millis()))
    }

    /// Turns it forward.
    pub fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).expect("a span that fits");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
