use enlist_core::{DeviceId, Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::Statement;

/// An order to one device. It is signed with the tenant's command key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The device's tenant.
    pub tenant: Name,
    /// The device.
    pub device: DeviceId,
    /// The number of this order among those to the device, from 1. The device carries out each once, in
    /// order, and none that is not higher than the last.
    pub number: u64,
    /// What to do.
    pub order: Order,
    /// When it was given.
    pub at: Timestamp,
}

/// What a device is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Renew the certificate now, onto a new key whatever the policy says.
    RotateKey,
    /// Renew the certificate now, as the policy says.
    Renew,
    /// Take a new device token.
    RotateToken,
    /// Go back to the defaults of the configuration schema.
    ResetConfiguration,
    /// Take the hardware that the device finds itself on for its own.
    AcceptHardware,
    /// Erase everything and hand in the receipt.
    Wipe,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 6] = [
        Self::RotateKey,
        Self::Renew,
        Self::RotateToken,
        Self::ResetConfiguration,
        Self::AcceptHardware,
        Self::Wipe,
    ];

    /// Whether it destroys something that can't be had back. Where the group's configuration is signed by
    /// its operators' own key, such an order needs that signature too.
    #[must_use]
    pub const fn destroys(self) -> bool {
        matches!(self, Self::Wipe | Self::ResetConfiguration)
    }

    /// The text form, as it stands in the statement.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RotateKey => "rotate-key",
            Self::Renew => "renew",
            Self::RotateToken => "rotate-token",
            Self::ResetConfiguration => "reset-configuration",
            Self::AcceptHardware => "accept-hardware",
            Self::Wipe => "wipe",
        }
    }

    /// Reads the text form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }
}

impl Statement for Command {
    const TYPE: &'static str = "application/vnd.enlist.command+json";
}
