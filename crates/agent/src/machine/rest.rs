//! Machines that are put aside while they wait.

use enlist_core::Timestamp;

use super::{Machine, Memory, Moment};

/// What a machine that waits knows beyond its saved state. A machine that is made from the same state
/// later and takes this up goes on as if it had waited, where one that starts anew would ask the server
/// first.
///
/// It is for whoever has many more devices than memory: a simulator. It does not survive, and it is not
/// to: power that came back is a new start.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    slot: u64,
    granted: Option<Timestamp>,
    heard: Option<Timestamp>,
    checks_in: bool,
}

impl Machine {
    /// What to keep while this machine waits; `None` where it is in the middle of something, or something
    /// went wrong.
    #[must_use]
    pub fn rest(&self, now: Timestamp) -> Option<Rest> {
        let memory = &self.memory;
        let is_at_rest = self.is_settled(now)
            && matches!(memory.moment, Moment::Rest)
            && memory.trouble.is_none()
            && !memory.expired
            && !memory.poll_first
            && !memory.by_next_token;
        Some(Rest {
            slot: self.identity().filter(|_| is_at_rest)?.slot,
            granted: memory.granted,
            heard: memory.heard,
            checks_in: memory.checks_in,
        })
    }

    /// Takes up what [`Machine::rest`] gave. Without effect where the state is another one.
    pub fn take_up(&mut self, rest: Rest) {
        if self.identity().is_none_or(|own| own.slot != rest.slot) {
            return;
        }
        self.memory = Memory {
            active: Some(rest.slot),
            announced: Some(rest.slot),
            tidy: true,
            granted: rest.granted,
            heard: rest.heard,
            checks_in: rest.checks_in,
            ..Memory::default()
        };
    }
}
