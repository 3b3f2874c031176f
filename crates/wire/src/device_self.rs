use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DeviceState, Time};

/// What the server knows of the device that asks. Reply to `GET /v1/device`.
///
/// Asking with a new certificate is its first use, by which the previous one is retired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceSelf {
    /// The device's id.
    pub device_id: Uuid,
    /// The tenant it belongs to.
    pub tenant: String,
    /// The group it belongs to.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Where it stands in its life.
    pub state: DeviceState,
    /// Serial number of the certificate it asked with, lowercase hexadecimal.
    pub serial: String,
    /// When that certificate expires.
    pub not_after: Time,
    /// The server's time.
    pub server_time: Time,
}
