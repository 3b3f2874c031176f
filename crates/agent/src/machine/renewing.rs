//! From one certificate to the next.

use std::time::Duration;

use enlist_core::{Clock, RequestId, Rng, Timestamp};

use super::{
    Ask, Identity, Machine, Moment, Note, Proof, Renewal, Stage, State, Step, backoff::Backoff, due,
};

/// No two renewals follow each other faster than this, unless somebody wants it so.
const LEAST_BETWEEN_RENEWALS: Duration = Duration::from_secs(60);

impl Machine {
    pub(super) fn enrolled(
        &self,
        state: &State,
        identity: &Identity,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Step {
        let save = |identity| Step::save(state.with(Stage::Enrolled(identity)));
        match (&self.memory.moment, &identity.renewal) {
            (Moment::KeyMade(slot), None) => save(Identity {
                renewal: Some(Renewal {
                    slot: *slot,
                    counter: identity.counter.saturating_add(1),
                    request_id: RequestId::new(clock, rng),
                }),
                ..identity.clone()
            }),
            (Moment::Granted(granted), Some(renewal)) => {
                Step::Install(renewal.slot, granted.clone())
            }
            (Moment::Installed(granted), Some(renewal)) => {
                let next = granted.next_identity(identity, renewal);
                save(self.by_this_clock(next, clock.now()))
            }
            _ => self.in_line(identity, clock.now()),
        }
    }

    /// Brings everything in line with the state, then looks what is due.
    fn in_line(&self, identity: &Identity, now: Timestamp) -> Step {
        let is_expired = self.is_expired(identity, now);
        if identity.validity.is_some() && self.memory.active != Some(identity.slot) {
            Step::Activate(identity.slot)
        } else if identity.announce && self.memory.announced != Some(identity.slot) {
            Step::RunHooks(identity.slot)
        } else if !identity.confirmed && !is_expired {
            Step::Send(Ask::CheckIn)
        } else if !self.memory.tidy {
            Step::Tidy(identity.slots())
        } else if let Some(renewal) = &identity.renewal {
            self.renew(renewal, is_expired)
        } else if self.memory.forced {
            Step::MakeKey(identity.next_slot())
        } else if let Some(until) = self.just_granted(now) {
            Step::Wait(until)
        } else if is_expired || self.is_due(identity, now) {
            Step::MakeKey(identity.next_slot())
        } else {
            self.idle(identity, now)
        }
    }

    /// Whether the current certificate proves nothing any more.
    pub(super) fn is_expired(&self, identity: &Identity, now: Timestamp) -> bool {
        let validity = identity.validity.as_ref();
        self.memory.expired || validity.is_none_or(|validity| validity.is_over(now))
    }

    /// The end of the time in which a new certificate is let be, whatever clocks and servers say of it:
    /// they may disagree without end.
    pub(super) fn just_granted(&self, now: Timestamp) -> Option<Timestamp> {
        let granted = self.memory.granted?;
        let until = granted + LEAST_BETWEEN_RENEWALS;
        (granted <= now && now < until).then_some(until)
    }

    fn is_due(&self, identity: &Identity, now: Timestamp) -> bool {
        due::renewal(&self.settings, identity, now).is_none_or(|due| now >= due)
    }

    fn renew(&self, renewal: &Renewal, is_expired: bool) -> Step {
        let proof = match &self.memory.moment {
            Moment::Nonce(nonce) => Proof::Signature(nonce.clone()),
            _ if is_expired => return Step::Send(Ask::Nonce),
            _ => Proof::Connection,
        };
        Step::Send(Ask::Renew(renewal.clone(), proof))
    }

    /// Nothing is due: asks the server once in a while, and waits until it is time for either.
    fn idle(&self, identity: &Identity, now: Timestamp) -> Step {
        let check_in = match self.memory.heard {
            // A clock that was set back must not put this off.
            Some(heard) if heard <= now => heard + self.settings.polling_interval,
            _ => now,
        };
        if now >= check_in {
            return Step::Send(Ask::CheckIn);
        }
        let renewal = due::renewal(&self.settings, identity, now);
        Step::Wait(renewal.map_or(check_in, |renewal| renewal.min(check_in)))
    }

    /// Notes how far the clock here is off, where the certificate that was issued this very moment would be
    /// due for renewal by it, or not be valid yet.
    pub(super) fn by_this_clock(&self, mut identity: Identity, now: Timestamp) -> Identity {
        let due = due::renewal(&self.settings, &identity, now);
        if let Some(validity) = &mut identity.validity
            && self.memory.is_first_answer
            && (now.as_secs() < validity.not_before || due.is_some_and(|due| now >= due))
        {
            validity.skew = now.as_secs() - validity.not_before;
        }
        identity
    }

    /// The server has answered for the current certificate: its predecessor is not needed any more.
    pub(super) fn seen(&mut self, now: Timestamp) -> Option<Note> {
        let recovered = self.memory.trouble.take().is_some();
        self.memory.heard = Some(now);
        self.memory.backoff = Backoff::default();
        let state = self.state.as_ref()?;
        let identity = state.identity()?;
        if !identity.confirmed {
            self.memory.tidy = false;
            self.memory.owed = Some(state.with(Stage::Enrolled(Identity {
                confirmed: true,
                previous: None,
                announce: false,
                ..identity.clone()
            })));
        }
        recovered.then_some(Note::Recovered)
    }
}
