//! What keeps a device that is gone from coming back unasked.

use crate::{DeviceId, Digest, GroupId, HardwareIdentity, Name, TenantId, Timestamp};

/// One identity or key that may not enroll again until an operator allows it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What may not come back.
    pub of: TombstoneOf,
    /// The device that is gone.
    pub device: DeviceId,
    /// Since when.
    pub at: Timestamp,
}

/// What a tombstone keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TombstoneOf {
    /// A name in a group.
    Name(GroupId, Name),
    /// A public key, by the SHA-256 of its SubjectPublicKeyInfo.
    Key(Digest),
    /// A hardware identity.
    Hardware(HardwareIdentity),
}

impl TombstoneOf {
    /// One hash by which the store finds it, whatever it is of.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Name(group, name) => Digest::of(format!("name\0{group}\0{name}").as_bytes()),
            Self::Key(key) => {
                let mut bytes = b"key\0".to_vec();
                bytes.extend(key.as_bytes());
                Digest::of(&bytes)
            }
            Self::Hardware(hardware) => Digest::of(format!("hardware\0{hardware}").as_bytes()),
        }
    }

    /// What it is of, in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Name(..) => "name",
            Self::Key(_) => "key",
            Self::Hardware(_) => "hardware",
        }
    }
}
