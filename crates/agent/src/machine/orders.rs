//! What a device was told to do, and how far it has come with it.

use enlist_core::{DeviceToken, Rng, Timestamp};
use enlist_signed::Order;
use enlist_wire::{Acknowledgement, DevicePolicy, DeviceState, KeyRotation, OnHardwareChange};
use serde::{Deserialize, Serialize};

use super::{
    Ask, Failure, Identity, Machine, Memory, Note, Polled, Stage, State, Step, backoff::Backoff,
};

/// Why nothing is renewed on other hardware.
const ON_OTHER_HARDWARE: &str =
    "the device is on other hardware than it enrolled on: accept the hardware first";

/// The orders of one device: taken once, in the order of their numbers, carried out one at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// The number of the last one that was taken; 0 for none.
    #[serde(default)]
    pub last: u64,
    /// The one that was taken and is not done with yet.
    #[serde(default)]
    pub under_way: Option<UnderWay>,
    /// What came of those before, until the server has it on record.
    #[serde(default)]
    pub done: Vec<Acknowledgement>,
}

/// An order that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// Its number.
    pub number: u64,
    /// What to do.
    pub order: Order,
}

/// An order to this device whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub number: u64,
    /// What to do.
    pub order: Order,
    /// Why it is not to be done all the same.
    pub refused: Option<String>,
}

impl Orders {
    /// Takes what is new of `told`, until there is one to carry out. The number is kept with it, so that
    /// no order is ever taken twice.
    fn take(&mut self, told: Vec<Told>, unfit: impl Fn(Order) -> Option<String>) {
        for one in told {
            if one.number <= self.last {
                continue;
            }
            if self.under_way.is_some() {
                // A wipe ends whatever else is under way; the rest waits its turn on the server.
                if one.order != Order::Wipe || one.refused.is_some() {
                    continue;
                }
                self.finish(false, Some("given up for the wipe".into()));
            }
            self.last = one.number;
            match one.refused.or_else(|| unfit(one.order)) {
                Some(why) => self.acknowledge(one.number, false, Some(why)),
                None => {
                    self.under_way = Some(UnderWay {
                        number: one.number,
                        order: one.order,
                    });
                }
            }
        }
    }

    /// The one under way is done with.
    pub(super) fn finish(&mut self, done: bool, detail: Option<String>) {
        if let Some(under_way) = self.under_way.take() {
            self.acknowledge(under_way.number, done, detail);
        }
    }

    /// The one under way is done with, if it is one of these.
    pub(super) fn finish_if(&mut self, is: impl FnOnce(Order) -> bool) {
        if self.under_way.is_some_and(|one| is(one.order)) {
            self.finish(true, None);
        }
    }

    pub(super) fn is(&self, order: Order) -> bool {
        self.under_way.is_some_and(|one| one.order == order)
    }

    fn acknowledge(&mut self, number: u64, done: bool, detail: Option<String>) {
        self.done.push(Acknowledgement {
            number,
            done,
            detail,
        });
    }
}

impl Machine {
    /// The server has answered for the current certificate: its predecessor is not needed any more, and
    /// what there is for the device is taken, and kept before anything of it is done.
    pub(super) fn polled(&mut self, polled: Polled, now: Timestamp, rng: &dyn Rng) -> Option<Note> {
        let mut state = self.state.clone()?;
        self.memory.poll_first = false;
        self.memory.expired = false;
        if let Some(policy) = polled.policy {
            state.policy = policy;
            // They went with the poll, and are on record.
            state.orders.done.clear();
        }
        let before = state.orders.under_way;
        let policy = state.policy;
        state
            .orders
            .take(polled.commands, |order| self.unfit(policy, order));
        let ordered = state.orders.under_way.filter(|now| Some(*now) != before);
        let refusal = match polled.state {
            DeviceState::Suspended => Some(Failure::suspended()),
            DeviceState::Decommissioning if !state.orders.is(Order::Wipe) => {
                Some(Failure::decommissioning())
            }
            _ => None,
        };
        let note = match refusal {
            Some(failure) => Some(self.failed(failure, now, rng)),
            None => self.answered(&mut state, now),
        };
        if !self.state.as_ref()?.is_same_as(&state) {
            self.memory.owed = Some(state);
        }
        if let Some(under_way) = ordered {
            self.memory.wait = None;
            return Some(Note::Ordered(under_way));
        }
        note
    }

    fn answered(&mut self, state: &mut State, now: Timestamp) -> Option<Note> {
        let recovered = self.memory.trouble.take().is_some();
        self.memory.heard = Some(now);
        self.memory.backoff = Backoff::default();
        if let Stage::Enrolled(identity) = &mut state.stage
            && !identity.confirmed
        {
            identity.confirmed = true;
            identity.previous = None;
            identity.announce = false;
            state.aside = None;
            self.memory.tidy = false;
        }
        recovered.then_some(Note::Recovered)
    }

    /// Why an order can't be carried out now, however well it is signed.
    fn unfit(&self, policy: DevicePolicy, order: Order) -> Option<String> {
        let renews = matches!(order, Order::Renew | Order::RotateKey);
        (renews && self.holds_still(policy)).then(|| ON_OTHER_HARDWARE.into())
    }

    /// Whether nothing is renewed, because the hardware is another one.
    pub(super) fn holds_still(&self, policy: DevicePolicy) -> bool {
        self.settings.changed_hardware.is_some()
            && (policy.on_hardware_change != OnHardwareChange::Reenroll
                || !self.settings.may_enroll)
    }

    /// What an order under way asks for before anything else.
    pub(super) fn ordered_first(&self, state: &State, is_expired: bool) -> Option<Step> {
        let under_way = state.orders.under_way?;
        match under_way.order {
            Order::Wipe | Order::ResetConfiguration | Order::AcceptHardware => {
                Some(Step::CarryOut(under_way))
            }
            Order::Renew | Order::RotateKey | Order::RotateToken
                if self.holds_still(state.policy)
                    && (is_expired || under_way.order != Order::RotateToken) =>
            {
                // It must not stand in the way of the order that everything waits for.
                let mut state = state.clone();
                state.orders.finish(false, Some(ON_OTHER_HARDWARE.into()));
                Some(Step::save(state))
            }
            Order::Renew | Order::RotateKey | Order::RotateToken => None,
        }
    }

    /// The next step towards a new token.
    pub(super) fn new_token(&self, state: &State, rng: &dyn Rng) -> Option<Step> {
        if !state.orders.is(Order::RotateToken) {
            return None;
        }
        Some(match &state.next_token {
            Some(token) => Step::Send(Ask::NewToken(token.clone())),
            None => Step::save(State {
                next_token: Some(DeviceToken::generate(rng).expose().to_owned().into()),
                ..state.clone()
            }),
        })
    }

    /// The server has the new token; the old one is forgotten with this state.
    pub(super) fn token_taken(&mut self) -> Option<Note> {
        let mut state = self.state.clone()?;
        if let Some(token) = state.next_token.take() {
            state.token = token;
        }
        state.orders.finish_if(|order| order == Order::RotateToken);
        self.memory.owed = Some(state);
        Some(Note::Done {
            order: Order::RotateToken,
            done: true,
            detail: None,
        })
    }

    /// An order was carried out outside.
    pub(super) fn carried_out(&mut self, done: bool, detail: Option<String>) -> Option<Note> {
        let mut state = self.state.clone()?;
        let order = state.orders.under_way?.order;
        if done && order == Order::AcceptHardware {
            self.settings.changed_hardware = None;
        }
        state.orders.finish(done, detail.clone());
        self.memory.owed = Some(state);
        Some(Note::Done {
            order,
            done,
            detail,
        })
    }

    /// Where the key for the next certificate comes from.
    pub(super) fn next_key(&self, state: &State, identity: &Identity) -> Step {
        let keeps = state.policy.key_rotation == KeyRotation::Keep
            && !identity.pre_enrolled
            && !state.orders.is(Order::RotateKey);
        let to = state.next_slot();
        if keeps {
            let from = identity.slot;
            Step::KeepKey { from, to }
        } else {
            Step::MakeKey(to)
        }
    }
}

impl Memory {
    /// There is something to tell the server.
    pub(super) fn owes_answer(&self, state: &State) -> bool {
        !self.checks_in && !state.orders.done.is_empty()
    }
}
