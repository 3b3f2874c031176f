//! Whose hardware is believed.

use crate::{Digest, Name, TenantId, Timestamp};

/// A manufacturer as a tenant has imported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManufacturerRecord {
    /// The tenant that believes it.
    pub tenant: TenantId,
    /// What the tenant calls it.
    pub name: Name,
    /// Its roots and the CAs between, PEM.
    pub certificates: String,
    /// SHA-256 of that text.
    pub digest: Digest,
    /// When it was imported first.
    pub created_at: Timestamp,
}
