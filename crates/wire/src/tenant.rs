use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Time;

/// Asks for a tenant. Body of `POST /v1/tenants`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewTenant {
    /// Its name: lowercase letters and digits, words separated by single dashes, 1 to 63 characters.
    pub name: String,
}

/// A tenant: an organisation or project, with its groups, issuing CA and API tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Its id.
    pub tenant_id: Uuid,
    /// Whether it can issue yet.
    pub state: TenantState,
    /// When it was made.
    pub created_at: Time,
}

/// Whether a tenant can issue certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TenantState {
    /// It has an issuing CA.
    Active,
    /// The root is offline, and the issuing CA's certificate is still to be imported.
    AwaitingCa,
}

/// The CA that issues a tenant's device certificates. Reply to `GET /v1/tenants/{tenant}/issuing-ca`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuingCa {
    /// Its certificate, PEM, as the root signed it.
    pub certificate: String,
    /// The same CA signed by itself, PEM: what a broker or proxy of this tenant's anchors at, so
    /// that it takes this tenant's devices and no other's.
    pub anchor: String,
    /// The root that signed it, PEM.
    pub root: String,
}
