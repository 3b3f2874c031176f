use serde::{Deserialize, Serialize};

use crate::{Binary, Time};

/// Asks for a challenge that only the TPM with these keys can answer. Body of `POST
/// /v1/device/enroll/challenge`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChallengeRequest {
    /// The tenant to enroll into.
    #[serde(default = "crate::enroll::default_name")]
    pub tenant: String,
    /// The group to enroll into.
    #[serde(default = "crate::enroll::default_name")]
    pub group: String,
    /// The TPM.
    pub tpm: TpmEndorsement,
}

/// Whose TPM it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TpmEndorsement {
    /// The public area of the endorsement key, `TPMT_PUBLIC`.
    pub ek_public: Binary,
    /// The endorsement key's certificate and the CAs above it, DER each, its own first; empty where the
    /// TPM has none.
    #[serde(default)]
    pub ek_certificates: Vec<Binary>,
    /// The public area of the attestation key, `TPMT_PUBLIC`.
    pub ak_public: Binary,
}

/// A challenge, to be answered soon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChallengeReply {
    /// The challenge; opaque to the device.
    pub challenge: Binary,
    /// What `TPM2_ActivateCredential` takes as `credentialBlob`: `TPM2B_ID_OBJECT` with its size.
    pub credential_blob: Binary,
    /// What it takes as `secret`: `TPM2B_ENCRYPTED_SECRET` with its size.
    pub encrypted_secret: Binary,
    /// When it can't be answered any more.
    pub expires_at: Time,
}

/// What proves which hardware a device is: one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attestation {
    /// Its TPM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm: Option<TpmAttestation>,
    /// The client certificate of this connection, which its manufacturer has issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idevid: Option<IdevidAttestation>,
}

/// An answered challenge, and what the TPM says of the CSR's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TpmAttestation {
    /// The public area of the endorsement key, `TPMT_PUBLIC`.
    pub ek_public: Binary,
    /// The endorsement key's certificate and the CAs above it, DER each, its own first; empty where the
    /// TPM has none.
    #[serde(default)]
    pub ek_certificates: Vec<Binary>,
    /// The public area of the attestation key, `TPMT_PUBLIC`.
    pub ak_public: Binary,
    /// The challenge, as it came.
    pub challenge: Binary,
    /// The 32 bytes that `TPM2_ActivateCredential` gave out.
    pub activated: Binary,
    /// The public area of the CSR's key, `TPMT_PUBLIC`.
    pub key_public: Binary,
    /// What `TPM2_Certify` says of that key, `TPMS_ATTEST`; its `qualifyingData` is SHA-256 over
    /// `enlist tpm certify v1`, a zero byte, the challenge and the CSR (DER).
    pub certify_info: Binary,
    /// The attestation key's signature over that, `TPMT_SIGNATURE`.
    pub certify_signature: Binary,
}

/// The connection's client certificate says it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdevidAttestation {}
