//! Progress on a terminal; nothing at all elsewhere.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

/// A bar over many `things`, with their speed; a mere counter where nobody knows how many there are.
pub fn bar(total: Option<u64>, things: &'static str) -> ProgressBar {
    match total {
        Some(total) => styled(
            ProgressBar::new(total),
            "{wide_bar} {human_pos}/{human_len} {msg}, {speed}, {eta} left",
            things,
        ),
        None => styled(
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} {msg}, {speed}",
            things,
        ),
    }
}

/// A bar over a few `things`.
#[cfg(unix)]
pub fn short_bar(total: u64, things: &'static str) -> ProgressBar {
    styled(
        ProgressBar::new(total),
        "{wide_bar} {pos}/{len} {msg}",
        things,
    )
}

/// A sign that something is waited for.
pub fn spinner(what: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}", what)
}

fn styled(bar: ProgressBar, template: &str, things: &'static str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("speed", speed));
    }
    bar.set_message(things);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a speed is positive, and nobody reads its fractions"
)]
fn speed(state: &ProgressState, out: &mut dyn Write) {
    // Writing into the line that is being built does not fail.
    let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
}
