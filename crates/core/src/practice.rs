//! How a group wants its devices to go about things.

use serde::{Deserialize, Serialize};

/// How a group wants its devices to go about things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Practice {
    /// Whether each renewal is onto a new key.
    pub key_rotation: KeyRotation,
    /// What a device does that finds itself on other hardware than it enrolled on.
    pub on_hardware_change: OnHardwareChange,
}

/// Whether each renewal is onto a new key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRotation {
    /// Each time; a renewal onto the same key is refused.
    #[default]
    Rotate,
    /// The key may stay.
    Keep,
}

/// What a device does that finds itself on other hardware than it enrolled on: its disk sits in another
/// board, or was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnHardwareChange {
    /// It goes on reporting and renews nothing, until an operator accepts the hardware.
    #[default]
    Ask,
    /// It stops using its credentials.
    Refuse,
    /// It puts its credentials aside and enrolls anew, as the hardware that it is.
    Reenroll,
}
