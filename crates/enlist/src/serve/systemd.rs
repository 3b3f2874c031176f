//! What systemd is told. Without systemd, and elsewhere than on Linux, all of it does nothing.

/// What keeps telling systemd that the server is alive, until it is dropped.
#[must_use]
pub struct Heartbeat(Option<tokio::task::JoinHandle<()>>);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// The server listens at `url`. As long as its threads get round to it, the watchdog hears of it. Not
/// whether the database answers: a new start of the server would not help that.
#[cfg(target_os = "linux")]
pub fn ready(url: &str) -> Heartbeat {
    use sd_notify::NotifyState;
    let listening = format!("Listening at {url}");
    tell(&[NotifyState::Ready, NotifyState::Status(&listening)]);
    let pulse = sd_notify::watchdog_enabled().map(|within| within / 2);
    Heartbeat(pulse.map(|pulse| {
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(pulse);
            loop {
                beat.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        })
    }))
}

/// The server is about to end.
#[cfg(target_os = "linux")]
pub fn stopping() {
    tell(&[sd_notify::NotifyState::Stopping]);
}

#[cfg(target_os = "linux")]
fn tell(states: &[sd_notify::NotifyState<'_>]) {
    // A manager that does not listen is no reason to stop.
    let _ = sd_notify::notify(states);
}

#[cfg(not(target_os = "linux"))]
pub fn ready(_url: &str) -> Heartbeat {
    Heartbeat(None)
}

#[cfg(not(target_os = "linux"))]
pub fn stopping() {}
