//! Which requests are traced.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Traces that are begun in a second at most. A stranger may say of each request that it is traced.
const MOST_A_SECOND: u32 = 100;

/// Decides it.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Numbers up to this are taken.
    up_to: u64,
    second: Mutex<(Option<Instant>, u32)>,
}

impl Sampler {
    pub(super) fn new(ratio: f64) -> Self {
        Self {
            // Out of range it is as far as it goes.
            up_to: (ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64,
            second: Mutex::default(),
        }
    }

    /// Whether a request is traced: as its caller says where that says anything, or else by what is drawn.
    pub(super) fn takes(&self, caller: Option<bool>, draw: impl FnOnce() -> u64) -> bool {
        let wanted = caller.unwrap_or_else(|| draw() <= self.up_to && self.up_to > 0);
        wanted && self.has_room(Instant::now())
    }

    fn has_room(&self, now: Instant) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = &mut *second;
        if since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            *since = Some(now);
            *count = 0;
        }
        *count += 1;
        *count <= MOST_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_word_counts_before_the_ratio() {
        let none = Sampler::new(0.0);
        assert!(!none.takes(None, || 0) && none.takes(Some(true), || u64::MAX));
        let all = Sampler::new(1.0);
        assert!(all.takes(None, || u64::MAX) && !all.takes(Some(false), || 0));
        let half = Sampler::new(0.5);
        assert!(half.takes(None, || u64::MAX / 4) && !half.takes(None, || u64::MAX / 4 * 3));
    }

    #[test]
    fn however_many_ask_for_it_only_so_many_are_traced_in_a_second() {
        let sampler = Sampler::new(1.0);
        let now = Instant::now();
        let taken = (0..1000).filter(|_| sampler.has_room(now)).count();
        assert_eq!(taken, MOST_A_SECOND as usize);
        assert!(sampler.has_room(now + Duration::from_secs(1)));
    }
}
