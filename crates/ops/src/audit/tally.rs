//! How many events of each kind this server has given their places.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use enlist_core::{EVENT_KINDS, EventRecord};

use crate::Ops;

/// Counts events by their kind, in the order of [`EVENT_KINDS`]. Whoever seals one counts it, so that of
/// several servers on one database exactly one does.
pub(super) struct Tally([AtomicU64; EVENT_KINDS.len()]);

impl Default for Tally {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Tally {
    pub(super) fn count<'a>(&self, events: impl Iterator<Item = &'a EventRecord>) {
        for event in events {
            // What is none of ours was recorded by somebody else.
            if let Ok(at) = EVENT_KINDS.binary_search(&event.kind.as_str()) {
                self.0[at].fetch_add(1, Relaxed);
            }
        }
    }
}

impl Ops {
    /// How many events of each kind this server has given their places since its start. The sum over all
    /// servers counts each event once.
    pub fn events_counted(&self) -> Vec<(&'static str, u64)> {
        let counts = self.inner.audit.tally.0.iter();
        let counts = counts.map(|count| count.load(Relaxed));
        EVENT_KINDS.iter().copied().zip(counts).collect()
    }
}
