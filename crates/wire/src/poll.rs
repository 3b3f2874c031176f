use serde::{Deserialize, Serialize};

use crate::{DeviceSelf, Envelope, Hardware, Time};

/// What a device says of itself now and then. Body of `POST /v1/device/poll`, over its certificate.
///
/// It is the first use of a new certificate, as `GET /v1/device` is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PollRequest {
    /// The agent's name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// SHA-256 of each root that the device believes, lowercase hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
    /// The numbers of the newest configuration statements that it has taken or refused.
    #[serde(default)]
    pub holds: ConfigurationNumbers,
    /// What configuration is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ConfigurationReport>,
    /// The number of the last command that it has taken; 0 for none.
    #[serde(default)]
    pub last_command: u64,
    /// Commands that it has carried out, and that it has not yet been told are on record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Acknowledgement>,
    /// Set where the device finds itself on other hardware than it enrolled on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_hardware: Option<Hardware>,
}

/// The numbers of a device's configuration statements; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationNumbers {
    /// Of the schema.
    #[serde(default)]
    pub schema: u64,
    /// Of the group's layer.
    #[serde(default)]
    pub group: u64,
    /// Of the device's own layer.
    #[serde(default)]
    pub device: u64,
}

/// What configuration is in force on a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationReport {
    /// The statements that it came of; all 0 for the defaults alone.
    pub in_force: ConfigurationNumbers,
    /// The version of the schema in force.
    pub schema_version: u32,
    /// SHA-256 of the configuration in force, as the JSON file that programs read; lowercase hexadecimal.
    pub digest: String,
    /// Since when, by the device's clock.
    pub since: Time,
    /// Why it is in force: `applied`, `reset`, `rolled-back`.
    pub because: String,
    /// The newest statements that were not put into force, where there are such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ConfigurationRefusal>,
}

/// Configuration that a device has not put into force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationRefusal {
    /// Which statements.
    pub numbers: ConfigurationNumbers,
    /// What is wrong: a slug such as `not-signed`, `invalid`, `hook-failed`.
    pub reason: String,
    /// The same in words.
    pub detail: String,
    /// When, by the device's clock.
    pub at: Time,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    /// The command's number.
    pub number: u64,
    /// Whether it was carried out.
    pub done: bool,
    /// Why not, or what is worth knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What there is for a device. Reply to `POST /v1/device/poll`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PollReply {
    /// What the server knows of the device, and its time.
    pub device: DeviceSelf,
    /// How the group wants its devices to go about things.
    #[serde(default)]
    pub policy: DevicePolicy,
    /// Configuration statements with numbers above those that the device holds.
    #[serde(default)]
    pub configuration: ConfigurationOffer,
    /// Commands with numbers above the last that the device has taken, in order.
    #[serde(default)]
    pub commands: Vec<Envelope>,
    /// Roots that the device does not hold yet.
    #[serde(default)]
    pub roots: Vec<RootOffer>,
}

/// How a group wants its devices to go about things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DevicePolicy {
    /// Whether each renewal is onto a new key.
    #[serde(default)]
    pub key_rotation: KeyRotation,
    /// What a device does that finds itself on other hardware than it enrolled on.
    #[serde(default)]
    pub on_hardware_change: OnHardwareChange,
}

/// Whether each renewal is onto a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum KeyRotation {
    /// Each time.
    #[default]
    Rotate,
    /// The key stays, unless a command says otherwise.
    Keep,
}

/// What a device does that finds itself on other hardware than it enrolled on: its disk sits in another
/// board, or was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OnHardwareChange {
    /// It goes on reporting and renews nothing, until an operator accepts the hardware.
    #[default]
    Ask,
    /// It stops using its credentials.
    Refuse,
    /// It puts its credentials aside and enrolls anew, as the hardware that it is.
    Reenroll,
}

/// Configuration statements; each as it was signed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationOffer {
    /// The schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Envelope>,
    /// The group's layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Envelope>,
    /// The device's own layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Envelope>,
}

/// A root to be believed from now on, beside those that are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootOffer {
    /// The new root, PEM.
    pub root: String,
    /// Name and key of the new root, signed by a root that devices believe already, PEM.
    pub cross: String,
    /// The group's own yes to it, where it signs its configuration itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Envelope>,
}
