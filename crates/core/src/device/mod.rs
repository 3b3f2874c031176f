//! A device and its life.

mod lifecycle;
mod state;

use std::collections::BTreeMap;

pub use lifecycle::{Farewell, InvalidTransition, Transition};
pub use state::{State, StateKind};

use crate::{DeviceId, GroupId, HardwareIdentity, Name, Subject, TenantId, Timestamp};

/// Labels of a device, such as product type, region or fleet id.
pub type Labels = BTreeMap<String, String>;

/// A device, wherever it is in its life. Its state changes through transitions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, for as long as it lives.
    pub id: DeviceId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The group it belongs to.
    pub group: GroupId,
    /// Its name, unique in the group.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// What it claims to be, or was announced as.
    pub hardware: Option<HardwareIdentity>,
    /// What it has proved to be.
    pub attested: Option<HardwareIdentity>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    state: State,
    enrolled: bool,
}

impl Device {
    /// A device as the store kept it.
    pub fn restore(new: NewDevice, state: State, enrolled: bool, changed_at: Timestamp) -> Self {
        Self {
            id: new.id,
            tenant: new.tenant,
            group: new.group,
            name: new.name,
            labels: new.labels,
            hardware: new.hardware,
            attested: new.attested,
            created_at: new.at,
            changed_at,
            state,
            enrolled,
        }
    }

    /// Where it is in its life.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it ever held credentials; such a device leaves a tombstone.
    pub fn was_enrolled(&self) -> bool {
        self.enrolled
    }

    /// What its events are about.
    pub fn subject(&self) -> Subject {
        Subject {
            tenant: self.tenant,
            group: Some(self.group),
            device: Some(self.id),
            name: self.name.to_string(),
        }
    }
}

/// What there is to say of a device that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// Its id.
    pub id: DeviceId,
    /// The tenant it will belong to.
    pub tenant: TenantId,
    /// The group it will belong to.
    pub group: GroupId,
    /// Its name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// What it claims to be.
    pub hardware: Option<HardwareIdentity>,
    /// What it has proved to be.
    pub attested: Option<HardwareIdentity>,
    /// When it is made.
    pub at: Timestamp,
}
