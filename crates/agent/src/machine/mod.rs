//! What the agent does next: a state machine without I/O.
//!
//! [`Machine::next`] says the next [`Step`], whoever drives it carries it out, and [`Machine::on`] takes
//! what came of it. The daemon drives it with files and sockets, a simulator drives thousands in
//! memory, tests cut the power between any two steps. The rules it keeps:
//!
//! - What must survive is saved before anything is asked that depends on it: key and token before
//!   enrollment; key, counter and request id before a renewal.
//! - [`State`] is the only truth. It changes by [`Step::Save`] alone, and everything else (files of a
//!   slot, the `current` link, slots left over) is brought in line with it at every start.
//! - Nothing sleeps here, nothing is ever deleted because of what a server said, and every failure
//!   leads back to the last good state.

mod backoff;
mod due;
mod enrolling;
mod failure;
mod orders;
mod renewing;
mod rest;
mod settings;
mod state;
mod step;
mod trouble;

use enlist_core::{Clock, Rng, Timestamp};
use enlist_wire::Hardware;

pub(crate) use backoff::random_below;
pub use failure::{Failure, Verdict};
pub use orders::{Orders, Told, UnderWay};
pub use rest::Rest;
pub use settings::{Adoptable, Settings};
pub use state::{Aside, Enrolling, Identity, Renewal, Stage, State, UnknownState, Validity};
pub use step::{Ask, Challenge, Evidence, Granted, Note, Outcome, Polled, Proof, Step};

use backoff::Backoff;

/// The agent of one device.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: Settings,
    state: Option<State>,
    /// The slot for a first key.
    first_slot: u64,
    memory: Memory,
}

/// What does not have to survive.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Where it stands between two saved states.
    moment: Moment,
    /// The state that is being saved.
    saving: Option<State>,
    /// A state to be saved before anything else.
    owed: Option<State>,
    /// No step between these two times.
    wait: Option<(Timestamp, Timestamp)>,
    backoff: Backoff,
    /// The slot that `current` is known to point at.
    active: Option<u64>,
    /// The slot whose hooks have been run.
    announced: Option<u64>,
    /// No slots are left over.
    tidy: bool,
    /// The server has refused the certificate as expired, whatever the clock here says.
    expired: bool,
    /// Renew now, due or not.
    forced: bool,
    /// When the current certificate was granted.
    granted: Option<Timestamp>,
    /// Nothing was asked yet with the key that was saved last, so that what is granted for it is new.
    is_first_answer: bool,
    /// When the server last answered for the current certificate.
    heard: Option<Timestamp>,
    /// What last went wrong.
    trouble: Option<Failure>,
    /// What was asked last was asked over the current certificate, for no renewal.
    is_polling: bool,
    /// Ask the server what there is before trying again what it refused.
    poll_first: bool,
    /// The server knows no polls.
    checks_in: bool,
    /// The server takes the next token, not the one before.
    by_next_token: bool,
    /// Put everything aside and enroll anew.
    start_over: bool,
    /// How often a challenge that had gone stale was followed by another at once.
    stale_challenges: u32,
}

#[derive(Clone, Debug, Default)]
enum Moment {
    #[default]
    Rest,
    /// A key lies in this slot, on which no saved state depends yet.
    KeyMade(u64),
    /// The key of the current certificate lies in this slot too.
    KeyKept(u64),
    /// The pre-enrolled identity lies in this slot.
    Adopted(u64),
    /// The server's challenge, for the TPM to answer.
    Challenged(Box<Challenge>),
    /// What the TPM has answered.
    Attested(Box<Evidence>),
    /// The server's nonce, to be signed.
    Nonce(Vec<u8>),
    /// A good reply, to be written to its slot.
    Granted(Box<Granted>),
    /// The reply is written.
    Installed(Box<Granted>),
}

impl Machine {
    /// The agent that goes by `settings` and left off at `state`; `None` on a device that is new.
    #[must_use]
    pub fn new(settings: Settings, state: Option<State>) -> Self {
        let first_slot = state.as_ref().map_or(1, State::next_slot);
        // An enrollment under way that would now be another one starts over, with another key.
        let state = state.filter(|state| match &state.stage {
            Stage::Enrolling(enrolling) => settings.asks_the_same_as(enrolling),
            Stage::Enrolled(_) => true,
        });
        Self {
            settings,
            state,
            first_slot,
            memory: Memory::default(),
        }
    }

    /// The state as it is saved; `None` before there is any.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Who the device is, once it is enrolled.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.state.as_ref()?.identity()
    }

    /// The hardware that the device is on, where it enrolled on another and that was not accepted.
    #[must_use]
    pub fn changed_hardware(&self) -> Option<&Hardware> {
        self.settings.changed_hardware.as_ref()
    }

    /// What last went wrong, until something goes well.
    #[must_use]
    pub fn trouble(&self) -> Option<&Failure> {
        self.memory.trouble.as_ref()
    }

    /// Whether the device holds a good certificate over a key of its own, in place and confirmed, and
    /// nothing is under way.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.memory.tidy
            && !self.memory.forced
            && self.memory.owed.is_none()
            && !self.memory.start_over
            && self.state.as_ref().is_some_and(|state| {
                state.orders.under_way.is_none() && !self.memory.owes_answer(state)
            })
            && self.identity().is_some_and(|identity| {
                identity.confirmed
                    && !identity.pre_enrolled
                    && identity.renewal.is_none()
                    && !self.is_expired(identity, now)
                    && self.memory.active == Some(identity.slot)
            })
    }

    /// Whether the server has answered for the current certificate since this machine was made.
    #[must_use]
    pub fn has_checked_in(&self) -> bool {
        self.memory.heard.is_some()
    }

    /// Whether a refusal leaves something to do at once: to keep it, or to enroll as what the configuration
    /// says by now.
    #[must_use]
    pub fn goes_on(&self, now: Timestamp) -> bool {
        let waits = |(from, until)| from <= now && now < until;
        self.memory.owed.is_some() || (self.enrolls() && !self.memory.wait.is_some_and(waits))
    }

    /// When the current certificate is to be renewed, by a clock that reads `now`.
    #[must_use]
    pub fn renewal_due(&self, now: Timestamp) -> Option<Timestamp> {
        due::renewal(&self.settings, self.identity()?, now)
    }

    /// The clock was wrong, and is right from now on: how far it was off counts no more.
    pub fn clock_was_set(&mut self) {
        self.memory.wait = None;
        let state = self.memory.owed.as_ref().or(self.state.as_ref());
        let Some((state, identity)) = state.and_then(|state| Some((state, state.identity()?)))
        else {
            return;
        };
        let mut identity = identity.clone();
        if let Some(validity) = &mut identity.validity
            && validity.skew != 0
        {
            validity.skew = 0;
            self.memory.owed = Some(state.with(Stage::Enrolled(identity)));
        }
    }

    /// Asks the server at the next step, unless it is waited for something that went wrong.
    pub fn poll_now(&mut self) {
        self.memory.heard = None;
        if self.memory.trouble.is_none() {
            self.memory.wait = None;
        }
    }

    /// Renews at the next step, due or not, and waits no longer for anything.
    pub fn renew_now(&mut self) {
        self.memory.forced = true;
        self.memory.wait = None;
    }

    /// What to do next.
    #[must_use]
    pub fn next(&mut self, clock: &dyn Clock, rng: &dyn Rng) -> Step {
        let step = self.decide(clock, rng);
        match &step {
            Step::Save(state) => self.memory.saving = Some((**state).clone()),
            Step::Send(ask) => self.memory.is_polling = matches!(ask, Ask::Poll | Ask::CheckIn),
            _ => self.memory.is_polling = false,
        }
        step
    }

    /// Takes what came of the last step. Returns what is worth telling.
    pub fn on(&mut self, outcome: Outcome, clock: &dyn Clock, rng: &dyn Rng) -> Option<Note> {
        let memory = &mut self.memory;
        match outcome {
            Outcome::KeyMade(slot) => memory.moment = Moment::KeyMade(slot),
            Outcome::KeyKept(slot) => memory.moment = Moment::KeyKept(slot),
            Outcome::Adopted(slot) => memory.moment = Moment::Adopted(slot),
            Outcome::Challenged(challenge) => memory.moment = Moment::Challenged(challenge),
            Outcome::Attested(evidence) => memory.moment = Moment::Attested(evidence),
            Outcome::Nonce(nonce) => memory.moment = Moment::Nonce(nonce),
            Outcome::Granted(granted) => memory.moment = Moment::Granted(granted),
            Outcome::Installed => {
                if let Moment::Granted(granted) = std::mem::take(&mut memory.moment) {
                    memory.moment = Moment::Installed(granted);
                }
            }
            Outcome::Activated(slot) => memory.active = Some(slot),
            Outcome::HooksRun(slot) => memory.announced = Some(slot),
            Outcome::Tidied => memory.tidy = true,
            Outcome::Saved => return self.saved(clock.now()),
            Outcome::Pending { code, retry_after } => {
                let now = clock.now();
                memory.wait = Some((now, backoff::at_least(now, retry_after, rng)));
                // The next question takes another challenge.
                memory.moment = Moment::Rest;
                return self.pending(code);
            }
            Outcome::Polled(polled) => return self.polled(*polled, clock.now(), rng),
            Outcome::NoPolls => memory.checks_in = true,
            Outcome::TokenTaken => return self.token_taken(),
            Outcome::CarriedOut { done, detail } => return self.carried_out(done, detail),
            Outcome::Failed(failure) => return Some(self.failed(failure, clock.now(), rng)),
        }
        None
    }

    fn decide(&self, clock: &dyn Clock, rng: &dyn Rng) -> Step {
        if let Some(state) = &self.memory.owed {
            return Step::Save(Box::new(state.clone()));
        }
        let now = clock.now();
        match self.memory.wait {
            // A clock that was set back ends the wait, or it might last for years.
            Some((from, until)) if from <= now && now < until => return Step::Wait(until),
            _ => {}
        }
        match &self.state {
            None => self.first(rng),
            Some(state) => match &state.stage {
                Stage::Enrolling(enrolling) => self.enrolling(state, enrolling, now, rng),
                Stage::Enrolled(identity) => self.enrolled(state, identity, clock, rng),
            },
        }
    }

    fn saved(&mut self, now: Timestamp) -> Option<Note> {
        let memory = &mut self.memory;
        memory.owed = None;
        let before = self.state.replace(memory.saving.take()?);
        let moment = std::mem::take(&mut memory.moment);
        let was_refused = before.as_ref().is_some_and(
            |state| matches!(&state.stage, Stage::Enrolling(enrolling) if enrolling.refused),
        );
        let renewed = before.is_some_and(|state| state.identity().is_some());
        let is_enrolled = self
            .state
            .as_ref()
            .is_some_and(|state| state.identity().is_some());
        if is_enrolled && !renewed {
            // Whatever it enrolls on is its hardware.
            self.settings.changed_hardware = None;
        }
        match moment {
            Moment::Installed(_) => {
                self.memory = Memory {
                    active: memory.active,
                    announced: memory.announced,
                    granted: Some(now),
                    heard: Some(now),
                    ..Memory::default()
                };
                let identity = self.identity()?.clone();
                Some(if renewed {
                    Note::Renewed(identity)
                } else {
                    Note::Enrolled(identity)
                })
            }
            Moment::Adopted(_) => Some(Note::TakenUp(self.identity()?.clone())),
            Moment::KeyMade(_) | Moment::KeyKept(_) => {
                self.memory.start_over = false;
                self.memory.is_first_answer = true;
                self.memory.tidy &= !was_refused;
                None
            }
            _ => {
                // What was asked with this key before has come to nothing.
                self.memory.is_first_answer |= was_refused;
                None
            }
        }
    }
}
