use std::time::Duration;

use enlist_core::DeviceId;
use enlist_wire::{Hardware, SecretText};

use super::{Enrolling, Validity};

/// What a machine goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant to enroll into.
    pub tenant: String,
    /// The group to enroll into.
    pub group: String,
    /// The name to ask for; without one, the server goes by the hardware.
    pub name: Option<String>,
    /// The hardware to claim.
    pub hardware: Option<Hardware>,
    /// Renew when less than this is left; absent means a third of the lifetime.
    pub refresh_threshold: Option<Duration>,
    /// How often to ask the server when there is nothing else to do, and after a refusal.
    pub polling_interval: Duration,
    /// The identity that was loaded at the factory.
    pub pre_enrolled: Option<Adoptable>,
    /// Whether the device may enroll anew where its credentials are gone for good: it holds a
    /// provisioning secret or can prove which hardware it is, and was not pre-enrolled.
    pub may_enroll: bool,
    /// Whether its TPM proves which hardware it is when it enrolls.
    pub attests: bool,
    /// The hardware that the device is on, where it enrolled on another.
    pub changed_hardware: Option<Hardware>,
}

/// A pre-enrolled identity in short.
#[derive(Clone, Debug)]
pub struct Adoptable {
    /// The device.
    pub device_id: DeviceId,
    /// Its name, as its certificate has it.
    pub name: String,
    /// Its token.
    pub token: SecretText,
    /// Its certificate.
    pub validity: Validity,
}

impl Settings {
    pub(super) fn enrolling(&self, slot: u64) -> Enrolling {
        Enrolling {
            slot,
            tenant: self.tenant.clone(),
            group: self.group.clone(),
            name: self.name.clone(),
            hardware: self.hardware.clone(),
            pending: false,
            code: None,
            turned_away: None,
            refused: false,
        }
    }

    /// Whether an enrollment under way is still what these settings want. The hardware claimed does
    /// not count while it is open: a card that is pulled out does not make another device.
    pub(super) fn asks_the_same_as(&self, under_way: &Enrolling) -> bool {
        self.pre_enrolled.is_none()
            && self.tenant == under_way.tenant
            && self.group == under_way.group
            && self.name == under_way.name
    }
}
