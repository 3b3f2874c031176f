//! Which events are looked at, and when.
//!
//! Their ids are made when they are written, and begin with the time at which they happened, so what is
//! new has mostly the greatest ids. Mostly: several servers commit in whatever order, and no clock is like
//! the other. So there is a short look every time, a longer one now and then, and one at all there is at
//! the start and each hour.

use std::time::{Duration, Instant};

use enlist_core::{EventId, Timestamp};

/// How far back from the newest sealed event each look goes.
pub(super) const LOOK_BACK: Duration = Duration::from_secs(2);
/// How far back one goes every now and then.
pub(super) const LOOK_FAR_BACK: Duration = Duration::from_secs(120);
/// How often that is, where it takes no time; it takes a twentieth of it at most.
const FAR_LOOK: Duration = Duration::from_secs(10);
/// For so long after something was new it is looked far back.
const WARM: Duration = Duration::from_secs(300);
/// How often all there is is looked at.
const SWEEP: Duration = Duration::from_secs(3600);
/// For so long a server leaves a chain to another one that was quicker.
const AWAY: Duration = Duration::from_secs(3);

/// The greatest id of a tenant's events, and the greatest of those that are not of the future.
pub(super) type Newest = [Option<EventId>; 2];

/// What was looked at so far.
#[derive(Debug, Default)]
pub(super) struct Looks {
    newest: Option<Newest>,
    warm_until: Option<Instant>,
    far_at: Option<Instant>,
    sweep: Sweep,
    away_until: Option<Instant>,
}

/// The look at all there is.
#[derive(Debug)]
enum Sweep {
    /// Has come so far.
    At(EventId),
    /// Begins again then.
    Due(Instant),
}

impl Default for Sweep {
    fn default() -> Self {
        Self::At(EventId::from_bytes([0; 16]))
    }
}

impl Looks {
    /// Whether another server is at it.
    pub(super) fn is_away(&self, now: Instant) -> bool {
        self.away_until.is_some_and(|until| now < until)
    }

    /// Another server was quicker.
    pub(super) fn stay_away(&mut self, now: Instant) {
        self.away_until = Some(now + AWAY);
    }

    /// Whether there are other newest events than at the last look.
    pub(super) fn is_new(&self, newest: Newest) -> bool {
        self.newest != Some(newest)
    }

    /// All that was new has been looked at.
    pub(super) fn has_looked(&mut self, newest: Newest, now: Instant) {
        self.newest = Some(newest);
        self.warm_until = Some(now + WARM);
    }

    pub(super) fn is_far_look_due(&self, now: Instant) -> bool {
        self.warm_until.is_some_and(|until| now < until) && self.far_at.is_none_or(|at| now >= at)
    }

    pub(super) fn has_looked_far(&mut self, now: Instant, took: Duration) {
        self.far_at = Some(now + FAR_LOOK.max(took * 20));
    }

    /// Where the look at all there is goes on, if one is due.
    pub(super) fn sweep_from(&self, now: Instant) -> Option<EventId> {
        match self.sweep {
            Sweep::At(id) => Some(id),
            Sweep::Due(at) if now < at => None,
            Sweep::Due(_) => Some(EventId::from_bytes([0; 16])),
        }
    }

    /// How far it has come; `None` at the end.
    pub(super) fn has_swept(&mut self, to: Option<EventId>, now: Instant) {
        self.sweep = to.map_or(Sweep::Due(now + SWEEP), Sweep::At);
    }
}

/// The time that an event's id begins with.
pub(super) fn time_of(id: EventId) -> Timestamp {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id.as_bytes()[..6]);
    Timestamp::from_millis(i64::from_be_bytes(millis))
}

/// No event after `at` has a smaller id.
pub(super) fn first_id(at: Timestamp) -> EventId {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis[2..]);
    EventId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_their_time() {
        let at = Timestamp::from_millis(1_790_000_000_123);
        assert_eq!(time_of(first_id(at)), at);
        assert!(first_id(at) < first_id(at + Duration::from_millis(1)));
        assert_eq!(
            first_id(Timestamp::from_millis(-5)),
            first_id(Timestamp::from_millis(0))
        );
    }

    #[test]
    fn all_there_is_is_looked_at_at_the_start_and_each_hour() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let (zero, some) = (EventId::from_bytes([0; 16]), EventId::from_bytes([1; 16]));
        assert_eq!(looks.sweep_from(start), Some(zero));
        looks.has_swept(Some(some), start);
        assert_eq!(looks.sweep_from(start), Some(some));
        looks.has_swept(None, start);
        assert_eq!(looks.sweep_from(start + SWEEP / 2), None);
        assert_eq!(looks.sweep_from(start + SWEEP), Some(zero));
    }

    #[test]
    fn what_is_quiet_is_left_alone() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let newest = [Some(EventId::from_bytes([1; 16])); 2];
        assert!(looks.is_new(newest) && !looks.is_far_look_due(start));
        looks.has_looked(newest, start);
        assert!(!looks.is_new(newest) && looks.is_far_look_due(start));
        looks.has_looked_far(start, Duration::from_secs(1));
        assert!(
            !looks.is_far_look_due(start + FAR_LOOK),
            "that would be too much of the time"
        );
        assert!(looks.is_far_look_due(start + FAR_LOOK * 2));
        assert!(!looks.is_far_look_due(start + WARM));
    }
}
