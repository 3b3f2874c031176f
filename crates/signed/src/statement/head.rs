use enlist_core::{Digest, Name, Seal, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Statement;
use crate::hex_digest;

/// A statement about a tenant's events: that there were so many, and what the hash of all of them was. It
/// is signed with the tenant's audit key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The tenant.
    pub tenant: Name,
    /// Its id, which stands in each of its events too.
    pub tenant_id: TenantId,
    /// How many events there were: the number of the last one.
    pub events: u64,
    /// The hash of that one and all before it.
    #[serde(with = "hex_digest")]
    pub hash: Digest,
    /// When it was signed.
    pub at: Timestamp,
}

impl Head {
    /// The place in the chain that it is about.
    #[must_use]
    pub fn seal(&self) -> Seal {
        Seal {
            seq: self.events,
            hash: self.hash,
        }
    }
}

impl Statement for Head {
    const TYPE: &'static str = "application/vnd.enlist.audit-head+json";
}
