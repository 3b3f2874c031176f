//! Configuration of devices, as it was stated.

use serde::{Deserialize, Serialize};

use crate::{Actor, DeviceId, GroupId, TenantId, Timestamp};

/// What a statement of configuration is about, within a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigurationTarget {
    /// The schema of the group's configuration.
    Schema,
    /// The values for every device of the group.
    Group,
    /// The values for one device, over those of the group.
    Device(DeviceId),
}

impl ConfigurationTarget {
    /// The text form of what kind it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Group => "group",
            Self::Device(_) => "device",
        }
    }

    /// The device, where it is about one.
    pub const fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Schema | Self::Group => None,
            Self::Device(device) => Some(*device),
        }
    }

    /// Puts kind and device together again.
    pub fn from_parts(kind: &str, device: DeviceId) -> Option<Self> {
        Some(match kind {
            "schema" => Self::Schema,
            "group" => Self::Group,
            "device" => Self::Device(device),
            _ => return None,
        })
    }
}

/// A statement of configuration without its content: who stated it, when, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationEntry {
    /// What it is about.
    pub target: ConfigurationTarget,
    /// Its number among those about the same, from 1. It only rises.
    pub version: u64,
    /// The version of the schema: the schema's own, or that of the values.
    pub schema_version: u32,
    /// What it changed, as a JSON array; secrets are masked.
    pub changes: String,
    /// Who stated it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// A statement of configuration, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationStatement {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The group it is for.
    pub group: GroupId,
    /// What it is about, by whom and when.
    pub entry: ConfigurationEntry,
    /// The statement as it was signed: an envelope as JSON.
    pub envelope: Vec<u8>,
    /// What it says, as JSON: the schema with its migrations, or the values. Secrets are in the clear.
    pub body: String,
}

/// The numbers of a device's configuration statements; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationNumbers {
    /// Of the schema.
    pub schema: u64,
    /// Of the group's values.
    pub group: u64,
    /// Of the device's own values.
    pub device: u64,
}
