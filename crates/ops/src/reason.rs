//! Why somebody did something, in their own words.

use enlist_core::Event;

use crate::poll::words;

/// The most characters that are kept.
const LONGEST: usize = 256;

/// Adds the reason to an event, where there is one: cut to a bound, without what steers a terminal.
pub(crate) fn on(event: Event, reason: Option<&str>) -> Event {
    let kept = words(reason.unwrap_or_default(), LONGEST);
    if kept.is_empty() {
        return event;
    }
    event.with("reason", kept)
}
