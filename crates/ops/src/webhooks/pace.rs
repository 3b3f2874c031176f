//! When something is tried again.

use std::time::Duration;

/// How long an event is tried before it is given up.
pub(super) const TRIED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// A receiver that was down for longer than this gets all that waits as soon as it is back.
pub(super) const DOWN: Duration = Duration::from_secs(60);

const FIRST: Duration = Duration::from_secs(1);
/// The longest pause before one event is tried again.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The longest pause before it is found out whether a receiver is back: that costs one request.
pub(super) const A_PROBE: Duration = Duration::from_secs(30);
/// The shortest pause where as many events wait as may, and none can be tried.
pub(super) const A_PAUSE: Duration = Duration::from_secs(5);

/// The pause after an event was tried so often. `jitter` is any number, to keep many from being tried at
/// the same moment.
pub(super) fn retry(attempts: u32, jitter: u32) -> Duration {
    pause(attempts, LONGEST, jitter)
}

/// The pause after so many rounds in which nothing could be told.
pub(super) fn probe(failures: u32, jitter: u32) -> Duration {
    pause(failures, A_PROBE, jitter)
}

/// Doubles each time up to `longest`; between half of that and all of it, but a second at least.
fn pause(times: u32, longest: Duration, jitter: u32) -> Duration {
    let doubled = 1u32
        .checked_shl(times.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let full = FIRST.saturating_mul(doubled.max(1)).min(longest);
    let share = f64::from(jitter) / f64::from(u32::MAX);
    full.mul_f64(0.5 + share / 2.0).max(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_an_hour() {
        let s = Duration::from_secs;
        assert_eq!(retry(1, 0), s(1));
        assert_eq!(retry(1, u32::MAX), s(1));
        assert_eq!((retry(4, 0), retry(4, u32::MAX)), (s(4), s(8)));
        for times in [13, 32, 33, 100, u32::MAX] {
            assert_eq!(
                (retry(times, 0), retry(times, u32::MAX)),
                (s(1800), s(3600))
            );
            assert_eq!(probe(times, u32::MAX), s(30));
        }
        assert_eq!(retry(0, 0), s(1));
    }
}
