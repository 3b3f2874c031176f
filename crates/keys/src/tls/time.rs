//! The program's clock, as rustls asks for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

pub(super) struct ClockTime(pub Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        // Before 1970 everything is not valid yet, as at its beginning.
        let secs = u64::try_from(self.0.now().as_secs()).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(secs)))
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}
