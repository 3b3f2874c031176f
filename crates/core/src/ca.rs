//! The certificate authorities of an installation.

use crate::{CaId, TenantId, Timestamp};

/// What a CA signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaKind {
    /// CAs only.
    Root,
    /// Server certificates.
    Service,
    /// The device certificates of one tenant.
    Issuing,
}

impl CaKind {
    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Service => "service",
            Self::Issuing => "issuing",
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Root, Self::Service, Self::Issuing]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A CA as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaRecord {
    /// Its id.
    pub id: CaId,
    /// Its tenant; `None` for root and service CA.
    pub tenant: Option<TenantId>,
    /// What it signs.
    pub kind: CaKind,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, wrapped; `None` where the key is kept elsewhere.
    pub wrapped_key: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
}
