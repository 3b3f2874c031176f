//! Which events are looked at, and when.
//!
//! Their ids are made when they are written, and begin with the time at which they happened, so what is
//! new has mostly the greatest ids. Mostly: several servers commit in whatever order, and no clock is like
//! the other. So there is a short look every time, a longer one now and then, one at a week each hour, and
//! one at all there is at the start and each day.

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
/// How often so much is looked at.
const SWEEP: Duration = Duration::from_secs(3600);
pub(super) const SWEEP_BACK: Duration = Duration::from_secs(7 * 86_400);
/// How long after the last time all there is is looked at: on a large record that takes its time.
const WHOLE_SWEEP: Duration = Duration::from_secs(86_400);
/// For so long a server leaves a chain to another one that was quicker.
const AWAY: Duration = Duration::from_secs(3);

/// The greatest id of a tenant's events, and the greatest of those that are not of the future.
pub(super) type Newest = [Option<EventId>; 2];

/// What was looked at so far.
#[derive(Debug, Default)]
pub(super) struct Looks {
    newest: Option<Newest>,
    /// Where the look at what is new goes on. It does not begin anew: of events that all have one time,
    /// those that are sealed could be more than it takes in.
    go_on: Option<EventId>,
    warm_until: Option<Instant>,
    far_at: Option<Instant>,
    far_from: Option<EventId>,
    sweep: Sweep,
    /// When all there is is due again; `None` while it is, and while it is looked at.
    whole_at: Option<Instant>,
    away_until: Option<Instant>,
}

/// The look at a week, or at all there is.
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

    /// Where the look at what is new goes on, if it was not at its end.
    pub(super) fn go_on(&self) -> Option<EventId> {
        self.go_on
    }

    /// It has come so far; `None` where it begins anew the next time.
    pub(super) fn goes_on(&mut self, from: Option<EventId>) {
        self.go_on = from;
    }

    pub(super) fn is_far_look_due(&self, now: Instant) -> bool {
        self.warm_until.is_some_and(|until| now < until) && self.far_at.is_none_or(|at| now >= at)
    }

    /// Where the look that begins with `far` goes on: where the last one has come to, if that was not the end.
    pub(super) fn far_from(&self, far: EventId) -> EventId {
        self.far_from.map_or(far, |from| from.max(far))
    }

    /// How far it has come; `None` at the end.
    pub(super) fn has_looked_far(&mut self, to: Option<EventId>, now: Instant, took: Duration) {
        self.far_from = to;
        self.far_at = Some(now + FAR_LOOK.max(took * 20));
    }

    /// Where the look at a week, which begins with `recent`, or at all there is goes on, if one is due.
    pub(super) fn sweep_from(&mut self, now: Instant, recent: EventId) -> Option<EventId> {
        match self.sweep {
            Sweep::At(id) => Some(id),
            Sweep::Due(at) if now < at => None,
            Sweep::Due(_) if self.whole_at.is_some_and(|at| now < at) => Some(recent),
            Sweep::Due(_) => {
                self.whole_at = None;
                Some(EventId::from_bytes([0; 16]))
            }
        }
    }

    /// How far it has come; `None` at the end.
    pub(super) fn has_swept(&mut self, to: Option<EventId>, now: Instant) {
        if to.is_none() {
            self.whole_at.get_or_insert(now + WHOLE_SWEEP);
        }
        self.sweep = to.map_or(Sweep::Due(now + SWEEP), Sweep::At);
    }
}

/// The time that an event's id begins with.
pub(crate) fn time_of(id: EventId) -> Timestamp {
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
    fn all_there_is_is_looked_at_at_the_start_and_each_day_and_a_week_each_hour() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let [zero, some, week] = [0, 1, 2].map(|byte| EventId::from_bytes([byte; 16]));
        assert_eq!(looks.sweep_from(start, week), Some(zero));
        looks.has_swept(Some(some), start);
        assert_eq!(looks.sweep_from(start, week), Some(some));
        looks.has_swept(None, start);
        assert_eq!(looks.sweep_from(start + SWEEP / 2, week), None);
        for hour in 1..24 {
            let now = start + SWEEP * hour;
            assert_eq!(looks.sweep_from(now, week), Some(week), "{hour}");
            looks.has_swept(None, now);
        }
        let day = start + WHOLE_SWEEP;
        assert_eq!(looks.sweep_from(day, week), Some(zero));
        assert_eq!(looks.sweep_from(day, week), Some(zero), "it failed");
        looks.has_swept(Some(some), day);
        assert_eq!(looks.sweep_from(day + SWEEP * 9, week), Some(some));
        looks.has_swept(None, day + SWEEP * 9);
        assert_eq!(looks.sweep_from(day + SWEEP * 10, week), Some(week));
    }

    #[test]
    fn what_is_quiet_is_left_alone() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let newest = [Some(EventId::from_bytes([1; 16])); 2];
        assert!(looks.is_new(newest) && !looks.is_far_look_due(start));
        looks.has_looked(newest, start);
        assert!(!looks.is_new(newest) && looks.is_far_look_due(start));
        looks.has_looked_far(None, start, Duration::from_secs(1));
        assert!(
            !looks.is_far_look_due(start + FAR_LOOK),
            "that would be too much of the time"
        );
        assert!(looks.is_far_look_due(start + FAR_LOOK * 2));
        assert!(!looks.is_far_look_due(start + WARM));
    }
}
