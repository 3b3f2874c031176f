//! What a failure leads to.

use enlist_core::{Rng, Timestamp};
use enlist_wire::KeyRotation;

use super::{Failure, Machine, Moment, Note, Stage, State, Verdict, due};

impl Machine {
    /// Back to the last good state, and when to try again.
    pub(super) fn failed(&mut self, failure: Failure, now: Timestamp, rng: &dyn Rng) -> Note {
        let memory = &mut self.memory;
        let was_poll = std::mem::take(&mut memory.is_polling);
        let was_asked_first = std::mem::take(&mut memory.poll_first);
        memory.moment = Moment::Rest;
        let was_first = std::mem::take(&mut memory.is_first_answer);
        memory.owed = None;
        memory.saving = None;
        memory.checks_in = false;
        let until = match self.turn(&failure, now, was_poll, was_first) {
            Some(until) => until,
            // The wait for this one is over already.
            None if was_poll && was_asked_first && !failure.may_pass() => now,
            None => match &failure.verdict {
                Verdict::Retry(Some(after)) => self.memory.backoff.next_from(now, *after, rng),
                Verdict::Retry(None) | Verdict::Dates => self.memory.backoff.next(now, rng),
                Verdict::Expired | Verdict::Known(_) | Verdict::Gone | Verdict::GiveUp => {
                    now + due::polling(&self.settings, rng)
                }
            },
        };
        let again = self.memory.trouble.as_ref() == Some(&failure);
        self.memory.wait = Some((now, until));
        self.memory.trouble = Some(failure.clone());
        Note::Trouble {
            failure,
            again,
            until,
        }
    }

    /// Another way that is open at once, and from when; `None` where there is no other.
    fn turn(
        &mut self,
        failure: &Failure,
        now: Timestamp,
        was_poll: bool,
        was_first: bool,
    ) -> Option<Timestamp> {
        let is_new = self.just_granted(now).is_some();
        let slug = failure.slug.as_deref().unwrap_or_default();
        match failure.verdict {
            Verdict::Expired if !self.memory.expired && !is_new => self.memory.expired = true,
            Verdict::Retry(_)
                if STALE.contains(&slug)
                    && self.enrolls()
                    && self.memory.stale_challenges < MOST_STALE =>
            {
                self.memory.stale_challenges += 1;
            }
            Verdict::Known(device_id) if self.enrolls() => {
                self.memory.owed = self.recovering(device_id);
            }
            // Gone, or on hold? Token and key get the answer.
            Verdict::GiveUp
                if REVOKED.contains(&slug)
                    && self.may_start_over()
                    && !self.memory.expired
                    && !is_new =>
            {
                self.memory.expired = true;
            }
            Verdict::Gone if self.may_start_over() => self.memory.start_over = true,
            Verdict::GiveUp if slug == "wrong-device-token" && self.has_another_token() => {
                self.memory.by_next_token = true;
            }
            Verdict::GiveUp if slug == "key-not-new" && self.drops_kept_key() => {}
            Verdict::GiveUp if self.ends_attempt(slug, was_first) => {
                return self.refuse_attempt().then_some(now);
            }
            Verdict::GiveUp | Verdict::Gone if !was_poll && self.identity().is_some() => {
                self.memory.poll_first = true;
                // On its way out it may do nothing but ask what to do.
                return slug.starts_with("device-decommission").then_some(now);
            }
            _ => return None,
        }
        Some(now)
    }

    /// Whether this refusal says for certain that the server has not let the device in: it was the first
    /// answer of all, or one that only keys get that the server does not know.
    fn ends_attempt(&self, slug: &str, was_first: bool) -> bool {
        let Some(Stage::Enrolling(enrolling)) = self.state.as_ref().map(|state| &state.stage)
        else {
            return false;
        };
        let is_first = was_first && !enrolling.pending && !slug.is_empty();
        is_first || NEWCOMERS.contains(&slug)
    }

    /// Only who is enrolled, on the hardware it enrolled on, and holds a provisioning secret.
    fn may_start_over(&self) -> bool {
        self.settings.may_enroll
            && self.settings.changed_hardware.is_none()
            && self.identity().is_some()
    }

    fn has_another_token(&self) -> bool {
        let state = self.state.as_ref();
        !self.memory.by_next_token && state.is_some_and(|state| state.next_token.is_some())
    }

    /// The group wants a new key each time by now: a renewal onto the same one starts over.
    fn drops_kept_key(&mut self) -> bool {
        let Some(State {
            stage: Stage::Enrolled(identity),
            ..
        }) = &self.state
        else {
            return false;
        };
        if !identity.renewal.as_ref().is_some_and(|one| one.keeps_key) {
            return false;
        }
        let mut identity = identity.clone();
        identity.renewal = None;
        self.memory.owed = self.state.as_ref().map(|state| {
            let mut state = state.with(Stage::Enrolled(identity));
            state.policy.key_rotation = KeyRotation::Rotate;
            state
        });
        true
    }
}

/// Refusals of a challenge that has run out, or that a lost reply has used up: another one may do at once.
const STALE: [&str; 2] = ["challenge-invalid", "challenge-used"];
/// How often that is tried before it is waited as for everything else.
const MOST_STALE: u32 = 3;

/// Refusals that the server comes to only after it has looked for the key and not found it.
const NEWCOMERS: [&str; 11] = [
    "secret-expired",
    "secret-withdrawn",
    "secret-used-up",
    "secret-network",
    "manifest-not-listed",
    "manifest-entry-used",
    "hook-refused",
    "unknown-device",
    "device-already-enrolled",
    "hardware-conflict",
    "hardware-mismatch",
];

/// Refusals of a certificate that is gone for good, or on hold.
const REVOKED: [&str; 2] = ["certificate-revoked", "foreign-certificate"];
