use serde::{Deserialize, Serialize};

use crate::Time;

/// Brings in the CAs of a manufacturer whose hardware is to be believed. Body of
/// `POST /v1/tenants/{tenant}/manufacturers`.
///
/// Where there is a manufacturer of this name, these take the place of its CAs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportManufacturer {
    /// What it is called from now on.
    pub name: String,
    /// Its roots and any CAs between, PEM, in any order: one root at least, 64 certificates and 256 KiB
    /// at most.
    pub certificates: String,
}

/// A manufacturer whose hardware is believed. Item of `GET /v1/tenants/{tenant}/manufacturers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Manufacturer {
    /// Its name.
    pub name: String,
    /// How many CAs of its were imported.
    pub cas: u32,
    /// When the first of them expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_expiry: Option<Time>,
    /// When it was imported first.
    pub created_at: Time,
}

/// A manufacturer with its CAs. Reply to `GET /v1/tenants/{tenant}/manufacturers/{manufacturer}` and to an
/// import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManufacturerInFull {
    /// Its name.
    pub name: String,
    /// Its CAs, as they were imported.
    pub cas: Vec<ManufacturerCa>,
    /// When it was imported first.
    pub created_at: Time,
}

/// One CA of a manufacturer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManufacturerCa {
    /// Its subject, as text (RFC 4514), cut off where it is long.
    pub subject: String,
    /// SHA-256 over the DER encoding of its certificate, lowercase hexadecimal.
    pub fingerprint: String,
    /// Whether it is trusted by itself: a root, or a CA of whose issuer none was imported.
    pub is_anchor: bool,
    /// Why nothing below it is believed, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Valid from.
    pub not_before: Time,
    /// Valid until.
    pub not_after: Time,
    /// Its certificate, PEM.
    pub certificate: String,
}
