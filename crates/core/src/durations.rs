//! How long things took, counted in classes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The bounds of the classes, in microseconds; what took longer than the last is in a class of its own.
const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// Counts durations, from any thread, without a lock.
#[derive(Debug, Default)]
pub struct Durations {
    classes: [AtomicU64; BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

/// What was counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DurationsCounted {
    /// How many took at most so long, those that took less included: (bound, count).
    pub up_to: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long all of them took together.
    pub sum: Duration,
}

impl Durations {
    /// Counts one.
    pub fn count(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let class = BOUNDS_US.partition_point(|bound| bound * 1_000 < nanos);
        self.classes[class].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(nanos, Relaxed);
    }

    /// What was counted so far. What is counted meanwhile is in it or not.
    pub fn counted(&self) -> DurationsCounted {
        let mut count = 0;
        let mut up_to = Vec::with_capacity(BOUNDS_US.len());
        for (class, bound) in self.classes.iter().zip(BOUNDS_US) {
            count += class.load(Relaxed);
            up_to.push((Duration::from_micros(bound), count));
        }
        DurationsCounted {
            up_to,
            count: count + self.classes[BOUNDS_US.len()].load(Relaxed),
            sum: Duration::from_nanos(self.sum_ns.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_class_that_it_just_fits_and_in_all_above() {
        let durations = Durations::default();
        for micros in [100, 101, 20_000_000] {
            durations.count(Duration::from_micros(micros));
        }
        let counted = durations.counted();
        assert_eq!(counted.up_to[0], (Duration::from_micros(100), 1));
        assert_eq!(counted.up_to[1], (Duration::from_micros(250), 2));
        assert_eq!(counted.up_to[13], (Duration::from_secs(10), 2));
        assert_eq!(counted.count, 3);
        assert_eq!(counted.sum, Duration::from_micros(20_000_201));
    }
}
