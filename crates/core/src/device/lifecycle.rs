//! The transitions of a device's life: each consumes the old state and says what happened,
//! or what was attempted.

use crate::{
    Actor, ApprovalCode, Device, Event, Name, State, StateKind, Timestamp, device::NewDevice,
};

/// A transition that the state of the device does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't {} `{device}`: it is {}", attempted.as_str(), from.as_str())]
pub struct InvalidTransition {
    /// The device.
    pub device: Name,
    /// The state it is in.
    pub from: StateKind,
    /// What was attempted.
    pub attempted: Transition,
}

/// What can happen to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// created → active.
    Enroll,
    /// pending → active.
    Approve,
    /// pending → gone, by a person or by time.
    Reject,
    /// active → suspended.
    Suspend,
    /// suspended → active.
    Resume,
    /// active, suspended → created.
    Deprovision,
    /// active, suspended → decommissioning.
    Decommission,
    /// decommissioning → decommissioned.
    FinishDecommission,
    /// decommissioned → created.
    AllowReenroll,
    /// created → gone.
    Delete,
}

impl Transition {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Enroll,
        Self::Approve,
        Self::Reject,
        Self::Suspend,
        Self::Resume,
        Self::Deprovision,
        Self::Decommission,
        Self::FinishDecommission,
        Self::AllowReenroll,
        Self::Delete,
    ];

    /// The verb, as a sentence needs it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Deprovision => "deprovision",
            Self::Decommission => "decommission",
            Self::FinishDecommission => "finish decommissioning",
            Self::AllowReenroll => "allow re-enrollment of",
            Self::Delete => "delete",
        }
    }
}

/// Why a device's decommissioning is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Its receipt was verified.
    Receipt,
    /// An operator gave up waiting for it.
    GivenUp,
}

type Outcome = Result<(Device, Event), InvalidTransition>;

impl Device {
    /// – → created, by an operator or an import.
    pub fn create(new: NewDevice, by: Actor) -> (Self, Event) {
        let at = new.at;
        let device = Self::restore(new, State::Created, false, at);
        let event = Event::new("device-created", device.subject(), by, at);
        (device, event)
    }

    /// – → active in one step: an `open` group creates a device by its enrollment.
    pub fn create_enrolled(new: NewDevice) -> (Self, Event) {
        let at = new.at;
        let device = Self::restore(new, State::Active, true, at);
        let event = Event::new("device-enrolled", device.subject(), Actor::Newcomer, at)
            .with("created", true);
        (device, event)
    }

    /// – → pending: an `approve` group keeps the application until a person has spoken.
    pub fn apply(new: NewDevice, code: ApprovalCode, until: Timestamp) -> (Self, Event) {
        let at = new.at;
        let pending = State::Pending {
            code: code.clone(),
            until,
        };
        let device = Self::restore(new, pending, false, at);
        let event =
            Event::new("device-applied", device.subject(), Actor::Newcomer, at).with("code", code);
        (device, event)
    }

    /// created → active: it enrolled, or took a key of its own after pre-enrollment.
    ///
    /// # Errors
    /// From any other state.
    pub fn enroll(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(Transition::Enroll, &[StateKind::Created])?;
        Ok(device.enter(State::Active, "device-enrolled", by, at))
    }

    /// pending → active: a person said yes.
    ///
    /// # Errors
    /// From any other state.
    pub fn approve(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(Transition::Approve, &[StateKind::Pending])?;
        Ok(device.enter(State::Active, "device-approved", by, at))
    }

    /// pending → gone: a person said no, or nobody said anything in time.
    ///
    /// # Errors
    /// From any other state.
    pub fn reject(self, by: Actor, at: Timestamp) -> Result<Event, InvalidTransition> {
        let device = self.leave(Transition::Reject, &[StateKind::Pending])?;
        Ok(Event::new("device-rejected", device.subject(), by, at))
    }

    /// active → suspended.
    ///
    /// # Errors
    /// From any other state.
    pub fn suspend(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(Transition::Suspend, &[StateKind::Active])?;
        Ok(device.enter(State::Suspended, "device-suspended", by, at))
    }

    /// suspended → active.
    ///
    /// # Errors
    /// From any other state.
    pub fn resume(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(Transition::Resume, &[StateKind::Suspended])?;
        Ok(device.enter(State::Active, "device-resumed", by, at))
    }

    /// active, suspended → created: the credentials go, the name stays.
    ///
    /// # Errors
    /// From any other state.
    pub fn deprovision(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(
            Transition::Deprovision,
            &[StateKind::Active, StateKind::Suspended],
        )?;
        Ok(device.enter(State::Created, "device-deprovisioned", by, at))
    }

    /// active, suspended → decommissioning.
    ///
    /// # Errors
    /// From any other state.
    pub fn decommission(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(
            Transition::Decommission,
            &[StateKind::Active, StateKind::Suspended],
        )?;
        Ok(device.enter(State::Decommissioning, "device-decommissioning", by, at))
    }

    /// decommissioning → decommissioned.
    ///
    /// # Errors
    /// From any other state.
    pub fn finish_decommission(self, why: Farewell, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(
            Transition::FinishDecommission,
            &[StateKind::Decommissioning],
        )?;
        let (device, event) = device.enter(State::Decommissioned, "device-decommissioned", by, at);
        let why = match why {
            Farewell::Receipt => "receipt",
            Farewell::GivenUp => "given-up",
        };
        Ok((device, event.with("by", why)))
    }

    /// decommissioned → created, once.
    ///
    /// # Errors
    /// From any other state.
    pub fn allow_reenroll(self, by: Actor, at: Timestamp) -> Outcome {
        let device = self.leave(Transition::AllowReenroll, &[StateKind::Decommissioned])?;
        Ok(device.enter(State::Created, "device-reenroll-allowed", by, at))
    }

    /// created → gone.
    ///
    /// # Errors
    /// From any other state.
    pub fn delete(self, by: Actor, at: Timestamp) -> Result<Event, InvalidTransition> {
        let device = self.leave(Transition::Delete, &[StateKind::Created])?;
        Ok(Event::new("device-deleted", device.subject(), by, at))
    }

    fn leave(self, attempted: Transition, from: &[StateKind]) -> Result<Self, InvalidTransition> {
        let state = self.state().kind();
        if from.contains(&state) {
            return Ok(self);
        }
        Err(InvalidTransition {
            device: self.name,
            from: state,
            attempted,
        })
    }

    fn enter(
        mut self,
        state: State,
        what: &'static str,
        by: Actor,
        at: Timestamp,
    ) -> (Self, Event) {
        self.enrolled |= state == State::Active;
        self.state = state;
        self.changed_at = at;
        let event = Event::new(what, self.subject(), by, at);
        (self, event)
    }
}
