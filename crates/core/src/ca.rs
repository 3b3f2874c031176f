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

/// How a root stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootStanding {
    /// Made, vouched for by the current one, and offered to devices; nothing stands under it yet.
    Next,
    /// The CAs of the installation stand under it.
    Current,
    /// Nothing stands under it any more.
    Retired,
}

impl RootStanding {
    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Current, Self::Retired]
            .into_iter()
            .find(|standing| standing.as_str() == text)
    }
}

/// A root as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRecord {
    /// The CA.
    pub ca: CaRecord,
    /// How it stands.
    pub standing: RootStanding,
    /// Its name and key, certified by the root before it; `None` for the first.
    pub cross: Option<Vec<u8>>,
    /// When it was retired.
    pub retired_at: Option<Timestamp>,
}
