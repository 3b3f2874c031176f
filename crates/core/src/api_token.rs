//! What is kept of an API token.

use crate::{ApiTokenId, Digest, GroupId, Role, ShortId, TenantId, Timestamp};

/// An API token as the server knows it: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTokenRecord {
    /// Its id.
    pub id: ApiTokenId,
    /// The tenant it belongs to; `None` for one of the whole installation.
    pub tenant: Option<TenantId>,
    /// The one group of that tenant that it is good for; `None` for all that its tenant has.
    pub group: Option<GroupId>,
    /// By what it is looked up.
    pub short_id: ShortId,
    /// SHA-256 of the whole text.
    pub digest: Digest,
    /// What its makers call it.
    pub label: String,
    /// What it is good for.
    pub role: Role,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether an operator has withdrawn it.
    pub withdrawn: bool,
}

impl ApiTokenRecord {
    /// Whether it is good for anything at all now.
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.withdrawn && self.expires_at.is_none_or(|end| now < end)
    }
}
