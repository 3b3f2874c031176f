//! The ids of events: UUIDv7 (RFC 9562, section 6.2, method 1) that keep the order in which
//! they were made.

use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::{EventId, Rng, Timestamp};

/// Makes the ids of the events that one store appends, whichever of its threads does.
pub(crate) struct EventIds {
    rng: Arc<dyn Rng>,
    last: Mutex<Last>,
}

/// What the last one began with.
#[derive(Default)]
struct Last {
    millis: u64,
    counter: u32,
}

impl EventIds {
    pub(crate) fn new(rng: Arc<dyn Rng>) -> Self {
        Self {
            rng,
            last: Mutex::default(),
        }
    }

    /// The id of the next event, which happened at `at`.
    ///
    /// Layout: 48 bits of milliseconds, version, the counter's upper 12 bits, variant, its lower
    /// 12 bits, 50 random bits. The counter starts again with each millisecond that is later than
    /// all before it, so that two events of one time are in the order of their making.
    pub(crate) fn next(&self, at: Timestamp) -> EventId {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        let counter = self.counter(millis);
        let mut random = [0; 8];
        self.rng.fill(&mut random);
        let random = u64::from_be_bytes(random) >> 14;
        let upper = (millis << 16) | 0x7000 | (counter >> 12);
        let lower = (0b10 << 62) | ((counter & 0xfff) << 50) | random;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&upper.to_be_bytes());
        bytes[8..].copy_from_slice(&lower.to_be_bytes());
        EventId::from_bytes(bytes)
    }

    fn counter(&self, millis: u64) -> u64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if millis > last.millis {
            (last.millis, last.counter) = (millis, 0);
        } else {
            last.counter = (last.counter + 1) & 0x00ff_ffff;
        }
        u64::from(last.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Same(u8);

    impl Rng for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn ids_of_one_time_keep_their_order_and_are_version_7() {
        let ids = EventIds::new(Arc::new(Same(0xff)));
        let at = Timestamp::from_millis(1_700_000_000_123);
        let made: Vec<_> = (0..10_000).map(|_| ids.next(at)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        for id in &made {
            let bytes = id.as_bytes();
            assert_eq!(bytes[..6], 1_700_000_000_123_u64.to_be_bytes()[2..]);
            assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10));
        }
        let later = ids.next(Timestamp::from_millis(1_700_000_000_124));
        assert!(later > made[9_999]);
        let before_the_epoch = ids.next(Timestamp::from_millis(-5));
        assert_eq!(before_the_epoch.as_bytes()[..6], [0; 6]);
    }
}
