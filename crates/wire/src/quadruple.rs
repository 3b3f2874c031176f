use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{SecretText, Time};

/// Asks for a pre-enrolled identity. Body of `POST …/devices/{name}/pre-enroll`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreEnroll {
    /// Hours that the certificate lasts; absent means what the group's profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ttl_h: Option<u32>,
}

/// The identity of a pre-enrolled device, to be loaded at the factory. Shown this once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quadruple {
    /// Its id.
    pub device_id: Uuid,
    /// `edt_…`.
    pub device_token: SecretText,
    /// Its certificate, PEM.
    pub device_certificate_pem: String,
    /// The key of that certificate, PKCS#8 as PEM; the server has forgotten it.
    pub device_private_key_pem: SecretText,
    /// The CA that issued the certificate, PEM.
    pub issuing_ca_pem: String,
    /// What stands above that CA, PEM, up to the outermost, where a root from outside has signed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain_pem: Vec<String>,
    /// The root, PEM: whom the device is to believe.
    pub root_pem: String,
    /// When the certificate expires.
    pub not_after: Time,
}
