//! OCSP answers that were given a while ago, and what is known to have been issued.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use enlist_core::{CaId, Serial, Timestamp};

use super::generations::Generations;
use super::state::Bad;

/// Answers, of about a kilobyte each.
const MOST_ANSWERS: usize = 10_000;
/// Serial numbers.
const MOST_ISSUED: usize = 200_000;

/// What was asked before.
pub(super) struct Answers {
    given: Mutex<Generations<Box<[u8]>, Given>>,
    issued: Mutex<Generations<(CaId, Serial), Timestamp>>,
}

/// An answer without a nonce.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) der: Arc<[u8]>,
    pub(super) bad: Option<Bad>,
    pub(super) at: Timestamp,
    pub(super) fresh_until: Timestamp,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            given: Mutex::new(Generations::new(MOST_ANSWERS)),
            issued: Mutex::new(Generations::new(MOST_ISSUED)),
        }
    }
}

impl Answers {
    /// The answer to the same question, where it still holds: nothing has changed, and it is not older
    /// than `at_most`.
    pub(super) fn given(
        &self,
        question: &[u8],
        bad: Option<Bad>,
        now: Timestamp,
        at_most: Duration,
    ) -> Option<Given> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given
            .find(question)
            .filter(|given| given.bad == bad && now >= given.at && now < given.at + at_most)
    }

    pub(super) fn give(&self, question: &[u8], given: Given) {
        let mut all = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(question.into(), given);
    }

    /// Whether this was issued, and is still valid. What has expired has to be looked up: what is in
    /// memory does not tell any more whether it was revoked.
    pub(super) fn was_issued(&self, ca: CaId, serial: Serial, now: Timestamp) -> bool {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued
            .find(&(ca, serial))
            .is_some_and(|not_after| now <= not_after)
    }

    pub(super) fn issued(&self, ca: CaId, serial: Serial, not_after: Timestamp) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.insert((ca, serial), not_after);
    }
}
