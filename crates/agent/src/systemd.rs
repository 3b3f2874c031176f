//! What systemd is told. Without systemd, all of it does nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service is at work, or knows what it waits for. Saying so again does nothing.
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// The service is about to end.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

/// What the service is at, for `systemctl status`.
pub(crate) fn status(words: &str) {
    tell(NotifyState::Status(words));
}

/// The service is alive.
pub(crate) fn alive() {
    tell(NotifyState::Watchdog);
}

/// How often [`alive`] must be called at least; `None` when nobody is watching.
pub(crate) fn pulse() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|within| within / 2)
}

fn tell(state: NotifyState<'_>) {
    // A manager that does not listen is no reason to stop.
    let _ = sd_notify::notify(&[state]);
}
