//! How long to wait before trying again.

use std::time::Duration;

use enlist_core::{Rng, Timestamp};

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(300);
/// Never at once, however the dice fall.
const LEAST: Duration = Duration::from_millis(200);
/// A server can't send a device to sleep for longer than this.
const LONGEST_WISH: Duration = Duration::from_secs(86_400);

/// Full jitter: each time a random share of a bound that doubles, from a second to five minutes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// When to try again after one more failure.
    pub(super) fn next(&mut self, now: Timestamp, rng: &dyn Rng) -> Timestamp {
        let bound = FIRST.saturating_mul(1 << self.attempts.min(20)).min(LAST);
        self.attempts = self.attempts.saturating_add(1);
        now + random_below(bound, rng).max(LEAST)
    }

    /// When to try again after one more failure, where the server has said how long to wait. It says the same
    /// to everybody: who has failed often stays away for longer, so that the many who were told to come back
    /// become fewer each time.
    pub(super) fn next_from(&mut self, now: Timestamp, wish: Duration, rng: &dyn Rng) -> Timestamp {
        at_least(now, wish, rng).max(self.next(now, rng))
    }
}

/// When to try again where the server has said how long to wait: up to a quarter, and up to a minute,
/// later than that, so that not all come back at once.
pub(super) fn at_least(now: Timestamp, wish: Duration, rng: &dyn Rng) -> Timestamp {
    let wish = wish.clamp(LEAST, LONGEST_WISH);
    let spread = (wish / 4).min(Duration::from_secs(60));
    now + wish + random_below(spread, rng)
}

/// A random time from nothing to `bound`.
pub(crate) fn random_below(bound: Duration, rng: &dyn Rng) -> Duration {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    bound.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Rng for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_from_a_second_to_five_minutes() {
        let mut backoff = Backoff::default();
        let now = Timestamp::from_secs(0);
        let waits: Vec<i64> = (0..12)
            .map(|_| backoff.next(now, &Always(255)).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_wait_is_never_nothing() {
        let mut backoff = Backoff::default();
        let now = Timestamp::from_secs(0);
        assert!(backoff.next(now, &Always(0)) > now);
        assert!(at_least(now, Duration::ZERO, &Always(0)) > now);
    }

    #[test]
    fn whoever_is_told_to_wait_again_and_again_comes_back_seldomer_and_never_sooner() {
        let now = Timestamp::from_secs(0);
        let (mut late, mut soon) = (Backoff::default(), Backoff::default());
        let wish = Duration::from_secs(3);
        let waits = |backoff: &mut Backoff, dice| -> Vec<i64> {
            (0..7)
                .map(|_| backoff.next_from(now, wish, &Always(dice)).as_secs())
                .collect()
        };
        assert_eq!(waits(&mut late, 255), [3, 3, 4, 8, 16, 32, 64]);
        assert_eq!(waits(&mut soon, 0), [3; 7]);
    }

    #[test]
    fn a_servers_wish_is_a_lower_bound_and_has_an_upper_one() {
        let now = Timestamp::from_secs(0);
        let wish = Duration::from_secs(40);
        assert_eq!(at_least(now, wish, &Always(0)).as_secs(), 40);
        assert_eq!(at_least(now, wish, &Always(255)).as_secs(), 50);
        let forever = Duration::from_secs(u64::MAX);
        assert!(at_least(now, forever, &Always(255)).as_secs() <= 86_460);
    }
}
