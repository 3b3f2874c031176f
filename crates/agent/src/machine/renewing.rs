//! From one certificate to the next.

use std::time::Duration;

use enlist_core::{Clock, RequestId, Rng, Timestamp};
use enlist_signed::Order;
use enlist_wire::OnHardwareChange;

use super::{
    Ask, Failure, Granted, Identity, Machine, Moment, Proof, Renewal, Stage, State, Step, due,
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
        if let Some(step) = self.on_other_hardware(state, identity, rng) {
            return step;
        }
        if self.memory.start_over {
            return self.anew(state, identity, rng);
        }
        match (&self.memory.moment, &identity.renewal) {
            (Moment::KeyMade(slot) | Moment::KeyKept(slot), None) => save(Identity {
                renewal: Some(Renewal {
                    slot: *slot,
                    counter: identity.counter.saturating_add(1),
                    request_id: RequestId::new(clock, rng),
                    keeps_key: matches!(self.memory.moment, Moment::KeyKept(_)),
                }),
                ..identity.clone()
            }),
            (Moment::Granted(granted), Some(renewal)) => {
                Step::Install(renewal.slot, granted.clone())
            }
            (Moment::Installed(granted), Some(renewal)) => {
                let next = granted.next_identity(identity, renewal);
                let next = self.by_this_clock(next, clock.now());
                Step::save(next_state(state, granted, next, renewal))
            }
            _ => self.in_line(state, identity, clock.now(), rng),
        }
    }

    /// Where the hardware is another one, what the group wants comes before everything.
    fn on_other_hardware(&self, state: &State, identity: &Identity, rng: &dyn Rng) -> Option<Step> {
        let is = self.settings.changed_hardware.as_ref()?;
        match state.policy.on_hardware_change {
            OnHardwareChange::Refuse if !state.orders.is(Order::Wipe) => {
                Some(Step::Refuse(Failure::other_hardware(&is.value)))
            }
            OnHardwareChange::Reenroll if self.settings.may_enroll => {
                Some(self.anew(state, identity, rng))
            }
            _ => None,
        }
    }

    /// Brings everything in line with the state, then looks what is due.
    fn in_line(&self, state: &State, identity: &Identity, now: Timestamp, rng: &dyn Rng) -> Step {
        let is_expired = self.is_expired(identity, now);
        let holds_still = self.holds_still(state.policy);
        if let Some(step) = self.ordered_first(state, is_expired) {
            step
        } else if identity.validity.is_some() && self.memory.active != Some(identity.slot) {
            Step::Activate(identity.slot)
        } else if identity.announce && self.memory.announced != Some(identity.slot) {
            Step::RunHooks(identity.slot)
        } else if self.polls_first(identity) || (!identity.confirmed && !is_expired) {
            self.poll()
        } else if !self.memory.tidy {
            Step::Tidy(state.slots())
        } else if holds_still {
            self.idle(identity, now, true)
        } else if let Some(renewal) = &identity.renewal {
            self.renew(state, renewal, is_expired)
        } else if self.memory.forced || renews_by_order(state) {
            self.next_key(state, identity)
        } else if let Some(step) = self.new_token(state, rng).filter(|_| !is_expired) {
            step
        } else if self.memory.owes_answer(state) && !is_expired {
            self.poll()
        } else if is_expired || self.is_due(identity, now) {
            match self.just_granted(now) {
                None => self.next_key(state, identity),
                Some(until) if is_expired => Step::Wait(until),
                Some(until) => match self.idle(identity, now, true) {
                    Step::Wait(poll) => Step::Wait(poll.min(until)),
                    poll => poll,
                },
            }
        } else {
            self.idle(identity, now, false)
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

    fn renew(&self, state: &State, renewal: &Renewal, is_expired: bool) -> Step {
        let proof = match &self.memory.moment {
            Moment::Nonce(nonce) => Proof::Signature {
                nonce: nonce.clone(),
                token: match &state.next_token {
                    Some(next) if self.memory.by_next_token => next.clone(),
                    _ => state.token.clone(),
                },
            },
            _ if is_expired => return Step::Send(Ask::Nonce),
            _ => Proof::Connection,
        };
        Step::Send(Ask::Renew(renewal.clone(), proof))
    }

    /// Whether the server is asked what there is before it is asked again for what it refused.
    fn polls_first(&self, identity: &Identity) -> bool {
        self.memory.poll_first && identity.validity.is_some()
    }

    fn poll(&self) -> Step {
        Step::Send(if self.memory.checks_in {
            Ask::CheckIn
        } else {
            Ask::Poll
        })
    }

    /// Nothing is due: asks the server once in a while, and waits until it is time for either.
    fn idle(&self, identity: &Identity, now: Timestamp, holds_still: bool) -> Step {
        let poll = match self.memory.heard {
            // A clock that was set back must not put this off.
            Some(heard) if heard <= now => heard + self.settings.polling_interval,
            _ => now,
        };
        if now >= poll {
            return self.poll();
        }
        let renewal = due::renewal(&self.settings, identity, now).filter(|_| !holds_still);
        Step::Wait(renewal.map_or(poll, |renewal| renewal.min(poll)))
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
}

fn renews_by_order(state: &State) -> bool {
    state.orders.is(Order::Renew) || state.orders.is(Order::RotateKey)
}

/// The state with a new certificate, which may be all that an order asked for.
fn next_state(before: &State, granted: &Granted, next: Identity, renewal: &Renewal) -> State {
    let mut state = before.with(Stage::Enrolled(next));
    state.policy = granted.policy;
    let is_first = |own: &Identity| own.pre_enrolled || own.validity.is_none();
    if before.identity().is_some_and(is_first) {
        // Only now is it enrolled: with a certificate over a key of its own that it holds.
        state.enrolled_at = granted.issued_at;
    }
    if state.command_keys.is_empty() {
        // A device that was pre-enrolled, or that enrolled with an earlier agent, pins them now.
        state.command_keys.clone_from(&granted.command_keys);
    }
    state.orders.finish_if(|order| match order {
        Order::Renew => true,
        Order::RotateKey => !renewal.keeps_key,
        _ => false,
    });
    state
}
