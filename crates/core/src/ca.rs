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
    /// How it stands among those of its kind.
    pub standing: CaStanding,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// The certificates above it, DER, one after the other up to the outermost, where a root from
    /// outside has signed it; empty where it stands under the installation's root.
    pub chain: Vec<u8>,
    /// Its private key.
    pub key: CaKey,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where the private key of a CA is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaKey {
    /// Here, wrapped by the installation's wrapping key.
    Wrapped(Vec<u8>),
    /// In a key store that does not hand it out: how that store calls it.
    Kept(String),
    /// Not within reach: taken offline.
    Offline,
}

/// How a CA stands among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaStanding {
    /// Made and made known; nothing is issued under it yet.
    Next,
    /// The one that issues.
    Current,
    /// It issues nothing more.
    Retired,
}

impl CaStanding {
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
    /// Its name and key, certified by the root before it; `None` for the first.
    pub cross: Option<Vec<u8>>,
    /// When it was retired.
    pub retired_at: Option<Timestamp>,
}

/// A certificate that is asked of a root from elsewhere, for a CA of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaRequestRecord {
    /// The id that its record is to have.
    pub ca: CaId,
    /// Its tenant.
    pub tenant: TenantId,
    /// PKCS#10, DER.
    pub csr: Vec<u8>,
    /// The private key that it is about.
    pub key: CaKey,
    /// When it was asked for.
    pub created_at: Timestamp,
}
