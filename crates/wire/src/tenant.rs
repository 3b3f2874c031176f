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
    /// Whether a root from elsewhere is to sign its issuing CA, although the installation's could; the
    /// tenant waits for that, then. Where that one is offline it is so anyway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub request_ca: bool,
}

impl NewTenant {
    /// A tenant of that name, with an issuing CA as the installation makes them.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            request_ca: false,
        }
    }
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

/// The CAs that issue a tenant's device certificates. Reply to `GET /v1/tenants/{tenant}/issuing-ca`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuingCa {
    /// Its certificate, PEM, as the root signed it.
    pub certificate: String,
    /// The same CA signed by itself, PEM: what a broker or proxy of this tenant's anchors at, so
    /// that it takes this tenant's devices and no other's.
    pub anchor: String,
    /// The installation's root, PEM. It has signed the CA unless `chain` says otherwise.
    pub root: String,
    /// What stands above the CA, PEM, up to the outermost, where a root from outside has signed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// All that consumers anchor at, PEM: `anchor`, the CA that is to follow, and those that are retired
    /// and have certificates that are still valid. A server that does not say so is an earlier one.
    #[serde(default)]
    pub anchors: Vec<String>,
}
