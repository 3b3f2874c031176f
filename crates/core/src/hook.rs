//! Whom the server asks before it lets a newcomer into a group.

use std::fmt;
use std::time::Duration;

use crate::{DeviceId, GroupId, HardwareIdentity, Name, TenantId, Timestamp};

/// The hook of a group: it is asked about each newcomer, and without its yes nobody gets in.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// The group's tenant.
    pub tenant: TenantId,
    /// The group that newcomers ask at.
    pub group: GroupId,
    /// Where it is asked.
    pub url: String,
    /// The CAs that it is believed by, PEM; `None` for those of the server's system.
    pub anchors: Option<String>,
    /// What requests to it are signed with, sealed.
    pub sealed_secret: Vec<u8>,
    /// The secret before, sealed, and until when requests are signed with it, too.
    pub secret_before: Option<(Vec<u8>, Timestamp)>,
    /// The most time for an answer.
    pub timeout: Duration,
    /// When it was made.
    pub created_at: Timestamp,
}

/// That a device came by one group and is in another, or goes by another name than it came with: so
/// that it is known again when it asks again where it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// The tenant of both groups.
    pub tenant: TenantId,
    /// The device.
    pub device: DeviceId,
    /// The group that it asked at.
    pub entry: GroupId,
    /// The name that it said.
    pub name: Option<Name>,
    /// The hardware that it claimed.
    pub hardware: Option<HardwareIdentity>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold what only the receiver should know.
        f.debug_struct("Hook")
            .field("tenant", &self.tenant)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
