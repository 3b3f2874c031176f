use enlist_core::{DeviceId, Name, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Statement;

/// Desired values for a group, or for one device of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The group's tenant.
    pub tenant: Name,
    /// The group.
    pub group: Name,
    /// For whom in the group.
    pub target: Target,
    /// The number of this layer. It only rises, and a device takes none that is lower than the last; going
    /// back is a new, higher number.
    pub version: u64,
    /// The schema version that the values are of.
    pub schema_version: u32,
    /// The values: an object with some of the fields, or none.
    pub values: Map<String, Value>,
    /// When it was stated.
    pub at: Timestamp,
}

/// For whom a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// For every device of the group.
    Group,
    /// For this one, over what the group says.
    Device(DeviceId),
}

impl Statement for Layer {
    const TYPE: &'static str = "application/vnd.enlist.config-layer+json";
}
