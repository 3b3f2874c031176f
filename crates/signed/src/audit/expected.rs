//! Signed heads that the events have to fit, and that are still ahead.

use enlist_core::{Seal, Timestamp};

use super::Finding;

/// A head that the events have to fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) place: Seal,
    /// When it was signed.
    pub(super) at: Timestamp,
    /// It stands in the file itself, too early.
    pub(super) misplaced: bool,
}

/// Heads that are met one after another; the next one last.
#[derive(Debug, Default)]
pub(super) struct ToMeet {
    heads: Vec<Expected>,
    /// The last one that fitted.
    fitted: u64,
    /// When the last one to be signed was, of those that fitted.
    signed: Option<Timestamp>,
    /// One did not: then none after it does, and it is told once.
    rewritten: bool,
}

impl ToMeet {
    pub(super) fn add(&mut self, head: Expected) {
        let at = self
            .heads
            .partition_point(|other| other.place.seq > head.place.seq);
        self.heads.insert(at, head);
    }

    /// Looks at those that are about events up to `place`. True where one fits exactly there.
    pub(super) fn meet(&mut self, place: Seal, mut find: impl FnMut(Finding)) -> bool {
        let mut fits = false;
        while let Some(head) = self.heads.last() {
            if head.place.seq > place.seq {
                break;
            }
            let head = *head;
            self.heads.pop();
            if head.place.seq < place.seq {
                // Its event is missing, which is told by itself.
                continue;
            }
            if head.misplaced {
                find(Finding::Reordered {
                    seq: head.place.seq,
                });
            }
            if head.place.hash == place.hash {
                fits = true;
                self.fitted = place.seq;
                self.pass(head.at);
            } else if !self.rewritten {
                self.rewritten = true;
                find(Finding::Rewritten {
                    since: self.fitted,
                    until: place.seq,
                });
            }
        }
        fits
    }

    /// Takes note of when a head that fits was signed.
    pub(super) fn pass(&mut self, at: Timestamp) {
        self.signed = self.signed.max(Some(at));
    }

    /// When the last head to be signed was, of those that were passed.
    pub(super) fn passed(&self) -> Option<Timestamp> {
        self.signed
    }

    /// The last event that a head says there was, if that is still ahead.
    pub(super) fn furthest(&self) -> Option<u64> {
        self.heads.first().map(|head| head.place.seq)
    }
}
