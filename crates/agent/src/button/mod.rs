//! The device's button: held long enough, it resets the configuration or wipes the device.
//!
//! A thread of its own waits for it, so that nothing wakes up while nobody presses it. Held means that
//! the key went down and has not come up for as long as the configuration says, by the monotonic clock. A
//! key that was down already when the watch began does not count, nor does one of which events were lost.
//!
//! Keys and lines are those of Linux. Elsewhere there is nothing to watch, and [`Watch::new`] says so.

#[cfg(target_os = "linux")]
mod held;
#[cfg(target_os = "linux")]
mod input;
#[cfg(all(target_os = "linux", feature = "gpio"))]
mod line;
#[cfg(target_os = "linux")]
mod watch;
#[cfg(not(target_os = "linux"))]
#[path = "no_watch.rs"]
mod watch;

use std::io;

use crate::config::ButtonAction;

pub use watch::Watch;

/// What a watch has to say.
#[derive(Debug)]
pub enum Said {
    /// The button was held.
    Held(ButtonAction),
    /// The button can't be watched; it is tried again from time to time. Said once.
    Unwatched(io::Error),
}
