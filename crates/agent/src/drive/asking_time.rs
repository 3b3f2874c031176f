//! The time, as servers say it.

use std::time::Duration;

use enlist_core::{Clock, Timestamp};

use super::{Agent, Progress};
use crate::disk::Disk;
use crate::machine::{Failure, Note};
use crate::net::Net;

/// How far the floor may rise before it is kept: it is written once an hour at most.
const KEPT_WITHIN: Duration = Duration::from_secs(3600);
/// How long no more is asked after one request for the time.
const LEAST_BETWEEN: Duration = Duration::from_secs(5 * 60);

/// How wrong a clock has to be for anybody to hear of it.
const WORTH_TELLING: Duration = Duration::from_secs(5 * 60);

/// Where asking for the time stands.
#[derive(Debug, Default)]
pub(super) struct AskingTime {
    /// Ask before anything else.
    wanted: bool,
    /// The uptime at which it was asked last.
    asked: Option<Duration>,
    /// The floor as it was kept last.
    kept: Option<Timestamp>,
    /// How far ahead the system's clock was by what was kept last, in seconds.
    ahead: i64,
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// Goes by the floor that was kept, and asks for the time first where the clock can't be right, or
    /// where by the clock alone the certificate has run out.
    pub(super) fn start_clock(&mut self, kept: Option<Timestamp>) {
        let Some(clock) = &self.world.device_clock else {
            return;
        };
        if let Some(floor) = kept {
            clock.raise(floor);
        }
        let validity = self
            .machine
            .identity()
            .and_then(|own| own.validity.as_ref());
        let is_over = validity.is_some_and(|validity| validity.is_over(clock.now()));
        self.asking_time = AskingTime {
            wanted: clock.needs_asking() || is_over,
            asked: None,
            kept,
            ahead: 0,
        };
    }

    /// A server that is believed says that it is `time`.
    pub(super) fn hear(&mut self, time: Timestamp) {
        if let Some(clock) = &self.world.device_clock
            && !clock.hear(time)
        {
            self.want_time();
        }
    }

    /// A step failed over the dates of the server's certificates: whether it is worth asking for the time
    /// and trying again.
    pub(super) fn mends_dates(&mut self, failure: &Failure) -> bool {
        failure.is_about_dates() && self.want_time()
    }

    /// The time is to be asked for, unless that was just done.
    fn want_time(&mut self) -> bool {
        let Some(clock) = &self.world.device_clock else {
            return false;
        };
        let now = clock.uptime();
        let just_asked = |asked: Duration| now.saturating_sub(asked) < LEAST_BETWEEN;
        if self.asking_time.asked.is_some_and(just_asked) {
            return false;
        }
        self.asking_time.wanted = true;
        true
    }

    /// Asks for the time, or keeps the floor, where that is due.
    pub(super) fn clock_step(&mut self) -> Option<Progress> {
        let clock = self.world.device_clock.clone()?;
        if std::mem::take(&mut self.asking_time.wanted) {
            self.asking_time.asked = Some(clock.uptime());
            let was = clock.now();
            let note = match self.net.time() {
                Ok(time) => match clock.set(time) {
                    Ok(()) => self.clock_set(was, clock.now()),
                    Err(below) => Some(not_taken(below.to_string())),
                },
                Err(failure) => Some(not_taken(failure.message)),
            };
            return Some(Progress::Went(note.map(Box::new)));
        }
        let floor = clock.floor();
        let ahead = clock.system_ahead();
        let kept = self.asking_time.kept;
        let is_due = kept.is_none_or(|kept| kept + KEPT_WITHIN <= floor);
        // Of a clock that was wrong or was put right those are to know who only look.
        let is_other = (ahead == 0) != (self.asking_time.ahead == 0);
        if clock.is_sure() && (is_due || is_other) {
            // On a full disk it is tried again an hour later.
            self.asking_time.kept = Some(floor);
            self.asking_time.ahead = ahead;
            if self.vault.save_floor(floor, ahead).is_ok() {
                return Some(Progress::Went(None));
            }
        }
        None
    }

    /// The clock was put right; a person is told where it was wrong.
    fn clock_set(&mut self, was: Timestamp, is: Timestamp) -> Option<Note> {
        if was.since(is).max(is.since(was)) <= WORTH_TELLING {
            return None;
        }
        self.machine.clock_was_set();
        Some(Note::ClockSet { was, is })
    }
}

fn not_taken(why: String) -> Note {
    Note::NotTaken {
        what: "the server's time",
        why,
    }
}
