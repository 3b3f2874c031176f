//! Numbers that no other server makes: for names of traces and spans, and no secrets.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use enlist_core::Rng;

/// Makes them, from any thread, without a lock.
#[derive(Debug)]
pub(super) struct Ids(AtomicU64);

impl Ids {
    pub(super) fn new(rng: &dyn Rng) -> Self {
        let mut seed = [0; 8];
        rng.fill(&mut seed);
        Self(AtomicU64::new(u64::from_be_bytes(seed)))
    }

    /// The next number, never 0: `SplitMix64` over a count that began at random.
    pub(super) fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut number = self.0.fetch_add(STEP, Relaxed);
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)).max(1)
    }

    /// The id of a new trace, 32 hexadecimal digits.
    pub(super) fn trace_id(&self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}
