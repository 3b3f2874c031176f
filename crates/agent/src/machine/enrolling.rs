//! From nothing to an identity.

use enlist_core::{DeviceId, DeviceToken, Rng, Timestamp};
use enlist_wire::SecretText;

use super::{
    Aside, Ask, Enrolling, Granted, Identity, Machine, Moment, Note, Orders, Stage, State, Step,
};

impl Machine {
    /// A device without any state takes up what it was given, or makes a key to enroll with.
    pub(super) fn first(&self, rng: &dyn Rng) -> Step {
        match (&self.settings.pre_enrolled, &self.memory.moment) {
            (Some(adopted), Moment::Adopted(slot)) => Step::save(State {
                enrolled_at: adopted.validity.not_before,
                ..State::new(
                    adopted.token.clone(),
                    Stage::Enrolled(Identity {
                        device_id: adopted.device_id,
                        tenant: self.settings.tenant.clone(),
                        group: self.settings.group.clone(),
                        name: adopted.name.clone(),
                        slot: *slot,
                        previous: None,
                        validity: Some(adopted.validity.clone()),
                        counter: 0,
                        confirmed: true,
                        pre_enrolled: true,
                        announce: false,
                        renewal: None,
                    }),
                )
            }),
            (Some(_), _) => Step::Adopt(self.first_slot),
            (None, Moment::KeyMade(slot)) => Step::save(State::new(
                new_token(rng),
                Stage::Enrolling(self.settings.enrolling(*slot)),
            )),
            (None, _) => Step::MakeKey(self.first_slot),
        }
    }

    pub(super) fn enrolling(
        &self,
        state: &State,
        enrolling: &Enrolling,
        now: Timestamp,
        rng: &dyn Rng,
    ) -> Step {
        if enrolling.refused {
            return self.after_refusal(state, enrolling, rng);
        }
        match &self.memory.moment {
            Moment::Granted(granted) => Step::Install(enrolling.slot, granted.clone()),
            Moment::Installed(granted) => {
                let identity = granted.first_identity(enrolling.slot);
                let identity = self.by_this_clock(identity, now);
                Step::save(first_state(state, granted, identity))
            }
            Moment::Attested(evidence) => {
                Step::Send(Ask::Enroll(enrolling.clone(), Some(evidence.clone())))
            }
            Moment::Challenged(challenge) => Step::Attest(enrolling.slot, challenge.clone()),
            _ if self.settings.attests => Step::Send(Ask::Challenge(enrolling.clone())),
            _ => Step::Send(Ask::Enroll(enrolling.clone(), None)),
        }
    }

    /// What was refused for certain is asked again, or asked as what the configuration says by now, with
    /// another key and another token. Before it is asked again it is open what comes of it.
    fn after_refusal(&self, state: &State, enrolling: &Enrolling, rng: &dyn Rng) -> Step {
        if enrolling.hardware == self.settings.hardware {
            return Step::save(state.with(Stage::Enrolling(Enrolling {
                refused: false,
                ..enrolling.clone()
            })));
        }
        match self.memory.moment {
            Moment::KeyMade(slot) => Step::save(State {
                token: new_token(rng),
                ..state.with(Stage::Enrolling(self.settings.enrolling(slot)))
            }),
            // Keys of attempts before this one don't pile up.
            _ if !self.memory.tidy => Step::Tidy(state.slots()),
            _ => Step::MakeKey(state.next_slot()),
        }
    }

    /// The attempt under way has come to nothing for certain, and that is kept. Whether it is another one
    /// by the configuration of now.
    pub(super) fn refuse_attempt(&mut self) -> bool {
        let Some(state) = &self.state else {
            return false;
        };
        let Stage::Enrolling(enrolling) = &state.stage else {
            return false;
        };
        self.memory.owed = Some(state.with(Stage::Enrolling(Enrolling {
            pending: false,
            code: None,
            refused: true,
            ..enrolling.clone()
        })));
        enrolling.hardware != self.settings.hardware
    }

    /// Puts who the device was aside and enrolls anew, with another key and another token.
    pub(super) fn anew(&self, state: &State, identity: &Identity, rng: &dyn Rng) -> Step {
        let Moment::KeyMade(slot) = self.memory.moment else {
            return Step::MakeKey(state.next_slot());
        };
        let aside = Aside {
            token: state.token.clone(),
            identity: identity.clone(),
        };
        Step::save(State {
            policy: state.policy,
            orders: Orders {
                last: state.orders.last,
                ..Orders::default()
            },
            aside: Some(Box::new(aside)),
            ..State::new(
                new_token(rng),
                Stage::Enrolling(self.settings.enrolling(slot)),
            )
        })
    }

    pub(super) fn enrolls(&self) -> bool {
        self.state
            .as_ref()
            .is_some_and(|state| matches!(state.stage, Stage::Enrolling(_)))
    }

    /// A person has to say yes first. The code is kept, to be shown to whoever asks.
    pub(super) fn pending(&mut self, code: Option<String>) -> Option<Note> {
        self.memory.trouble = None;
        let state = self.state.as_ref()?;
        let Stage::Enrolling(enrolling) = &state.stage else {
            return None;
        };
        if enrolling.pending && enrolling.code == code {
            return None;
        }
        // An application keeps its code: with another one, the one before is gone.
        let turned_away = enrolling.code.clone().filter(|_| code.is_some());
        let before = enrolling.turned_away.clone();
        self.memory.owed = Some(state.with(Stage::Enrolling(Enrolling {
            pending: true,
            code: code.clone(),
            turned_away: turned_away.clone().or(before),
            ..enrolling.clone()
        })));
        Some(Note::Pending { code, turned_away })
    }

    /// The server says that this very key and token are enrolled as `device_id`, with a certificate
    /// that has run out before its reply came through: from here on it is a renewal by token and key.
    pub(super) fn recovering(&self, device_id: DeviceId) -> Option<State> {
        let state = self.state.as_ref()?;
        let Stage::Enrolling(enrolling) = &state.stage else {
            return None;
        };
        Some(
            state.with(Stage::Enrolled(Identity {
                device_id,
                tenant: enrolling.tenant.clone(),
                group: enrolling.group.clone(),
                name: enrolling
                    .name
                    .clone()
                    .unwrap_or_else(|| device_id.to_string()),
                slot: enrolling.slot,
                previous: None,
                validity: None,
                counter: 0,
                confirmed: false,
                pre_enrolled: false,
                announce: false,
                renewal: None,
            })),
        )
    }
}

fn new_token(rng: &dyn Rng) -> SecretText {
    DeviceToken::generate(rng).expose().to_owned().into()
}

/// The state of a device that has just enrolled: from here on the keys that the server named now are the
/// only ones that may sign commands.
fn first_state(before: &State, granted: &Granted, identity: Identity) -> State {
    let mut state = before.with(Stage::Enrolled(identity));
    state.command_keys.clone_from(&granted.command_keys);
    state.enrolled_at = granted.issued_at;
    state.policy = granted.policy;
    let aside = state.aside.as_ref();
    if aside.is_none_or(|aside| aside.identity.device_id != granted.device_id) {
        // Another device's orders are numbered from 1.
        state.orders = Orders::default();
    }
    state
}
