//! What this server itself has changed, until it has read it back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use enlist_core::Timestamp;

/// Changes since the last look, each with a time that it does not bear an earlier one than.
#[derive(Debug, Default)]
pub(super) struct Nudges(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    open: Vec<(u64, Timestamp)>,
}

impl Nudges {
    /// Something was changed: the next one who asks is to know.
    pub(super) fn add(&self, since: Timestamp) {
        let mut kept = self.lock();
        kept.count += 1;
        let number = kept.count;
        kept.open.push((number, since));
    }

    /// How many there were by now.
    pub(super) fn count(&self) -> u64 {
        self.lock().count
    }

    /// How many there were by now, and how far back the next look has to go for them.
    pub(super) fn open(&self) -> (u64, Option<Timestamp>) {
        let kept = self.lock();
        (kept.count, kept.open.iter().map(|(_, since)| *since).min())
    }

    /// A look that began at this count has seen them.
    pub(super) fn seen(&self, count: u64) {
        self.lock().open.retain(|(number, _)| *number > count);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_looked_for_until_a_look_has_worked() {
        let nudges = Nudges::default();
        let at = Timestamp::from_secs;
        nudges.add(at(50));
        nudges.add(at(10));
        let (count, since) = nudges.open();
        assert_eq!((count, since), (2, Some(at(10))));
        // While that look is under way, another one; and a look that fails says nothing.
        nudges.add(at(60));
        assert_eq!(nudges.open(), (3, Some(at(10))));
        nudges.seen(count);
        assert_eq!(nudges.open(), (3, Some(at(60))));
        nudges.seen(3);
        assert_eq!(nudges.open(), (3, None));
    }
}
