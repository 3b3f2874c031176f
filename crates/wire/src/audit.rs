use serde::{Deserialize, Serialize};

/// Which part of a tenant's record of events is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ExportQuery {
    /// Only the events after this number; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// So many at most. Where there are more, no head comes at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// The key that a tenant's record of events is signed with, and how that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditKey {
    /// The tenant.
    pub tenant: String,
    /// The public key, PEM.
    pub public_key: String,
    /// SHA-256 of its `SubjectPublicKeyInfo`, 64 lowercase hexadecimal digits.
    pub fingerprint: String,
    /// How many events are sealed.
    pub events: u64,
    /// The record was cut or rewritten, as this server has found: this event, which it had seen, is not
    /// there any more or is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<u64>,
}
