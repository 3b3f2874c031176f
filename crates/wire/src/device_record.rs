use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ConfigurationReport, Envelope, Hardware, Time};

/// What a device last said of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceReport {
    /// When it was last written down: a device that keeps saying the same has been seen for up to ten
    /// minutes longer.
    pub seen_at: Time,
    /// The agent's name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// SHA-256 of each root that it believes, lowercase hexadecimal.
    #[serde(default)]
    pub roots: Vec<String>,
    /// What configuration is in force on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ConfigurationReport>,
    /// The number of the last command that it has taken.
    pub last_command: u64,
    /// The hardware that it finds itself on, where that is another than it enrolled on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_hardware: Option<Hardware>,
}

/// The receipt of a wiped device, with what it takes to verify it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceReceipt {
    /// The device.
    pub device_id: Uuid,
    /// Serial number of the certificate whose key has signed it, lowercase hexadecimal.
    pub serial: String,
    /// When it came in.
    pub received_at: Time,
    /// Whether nobody waited for it any more: the device had been given up, or its credentials
    /// withdrawn.
    pub late: bool,
    /// The receipt, as the device has signed it.
    pub receipt: Envelope,
    /// The certificate whose key has signed it, PEM.
    pub certificate: String,
}
