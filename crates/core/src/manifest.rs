//! Named sets of hardware identities.

use crate::{DeviceId, HardwareIdentity, ManifestId, Name, TenantId, Timestamp};

/// A tenant's named set of hardware identities: a batch that is known ahead. Each of its entries admits one
/// device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its id.
    pub id: ManifestId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What it is called.
    pub name: Name,
    /// How many entries it has.
    pub entries: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Whom it admits.
    pub identity: HardwareIdentity,
    /// Whom it has admitted: the device's id and name.
    pub device: Option<(DeviceId, Name)>,
}
