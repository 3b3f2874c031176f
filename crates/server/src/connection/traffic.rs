//! What goes on on one connection.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// What goes on on one connection. One task at a time writes it down and reads it.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// How often something was read.
    reads: AtomicU64,
    /// How often something had been read when the last answer was there.
    reads_at_answer: AtomicU64,
    answered: AtomicU64,
    /// From the beginning of a request to its answer.
    is_asked: AtomicBool,
    /// While a write waits for the other side.
    is_writing: AtomicBool,
}

impl Traffic {
    /// The other side has sent something.
    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// Whether a write waits for the other side.
    pub(crate) fn writing(&self, waits: bool) {
        self.is_writing.store(waits, Relaxed);
    }

    /// A request has begun.
    pub(crate) fn asked(&self) {
        self.is_asked.store(true, Relaxed);
    }

    /// Its answer is there, as a `whole`: not made while it is sent.
    pub(crate) fn answered(&self, whole: bool) {
        self.answered.fetch_add(1, Relaxed);
        self.reads_at_answer
            .store(self.reads.load(Relaxed), Relaxed);
        self.is_asked.store(!whole, Relaxed);
    }

    /// How many requests were answered, where all of that has been sent and nothing has come since.
    pub(crate) fn at_rest(&self) -> Option<u64> {
        let rests = !self.is_asked.load(Relaxed)
            && !self.is_writing.load(Relaxed)
            && self.reads.load(Relaxed) == self.reads_at_answer.load(Relaxed);
        let answered = self.answered.load(Relaxed);
        (rests && answered > 0).then_some(answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_rests_between_a_whole_answer_and_what_comes_next() {
        let traffic = Traffic::default();
        traffic.read();
        assert_eq!(traffic.at_rest(), None, "nothing was asked yet");
        traffic.asked();
        traffic.answered(true);
        assert_eq!(traffic.at_rest(), Some(1));
        traffic.writing(true);
        assert_eq!(traffic.at_rest(), None, "the answer is on its way");
        traffic.writing(false);
        assert_eq!(traffic.at_rest(), Some(1));
        traffic.read();
        assert_eq!(traffic.at_rest(), None, "half a request");
        traffic.asked();
        traffic.answered(false);
        assert_eq!(traffic.at_rest(), None, "the answer is being made");
        traffic.asked();
        assert_eq!(traffic.at_rest(), None);
        traffic.answered(true);
        assert_eq!(traffic.at_rest(), Some(3));
    }
}
