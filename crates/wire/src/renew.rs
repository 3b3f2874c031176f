use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, SecretText, Time};

/// Asks for a nonce to sign. Body of `POST /v1/device/nonce`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NonceRequest {
    /// The device that will sign it.
    pub device_id: Uuid,
}

/// A nonce, to be signed soon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NonceReply {
    /// The nonce; opaque to the device.
    pub nonce: Binary,
    /// When it stops being good.
    pub expires_at: Time,
}

/// Asks for a certificate over a new key. Body of `POST /v1/device/renew`.
///
/// What proves the device is the client certificate of the connection, or else `proof`. The device
/// keeps counter, request id and key durably before it asks: asking again with the same counter and
/// request id yields the same recorded answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewRequest {
    /// The device.
    pub device_id: Uuid,
    /// PKCS#10 request over the new key (RFC 2986), DER.
    pub csr: Binary,
    /// One more than with the renewal before; the server takes a lower one for a clone's.
    pub counter: u64,
    /// Names this renewal.
    pub request_id: Uuid,
    /// Hours that the certificate should last; absent means what the group's profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ttl_h: Option<u32>,
    /// What proves the device when its certificate can't, having expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<RenewProof>,
}

/// Proof by token and key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewProof {
    /// The device's token, `edt_…`.
    pub device_token: SecretText,
    /// The server's nonce.
    pub nonce: Binary,
    /// Signature by the key of the current certificate (or of the previous one, while the current one
    /// is unused) over device id, counter, request id, nonce and CSR.
    pub signature: Binary,
}
