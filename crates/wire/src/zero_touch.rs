use serde::{Deserialize, Serialize};

/// What a group takes in place of a provisioning secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ZeroTouch {
    /// The proofs that let a device in.
    #[serde(default)]
    pub accept: Vec<AttestationKind>,
    /// The name of the manifest that a proved identity has to be on. A TPM whose key is on it needs no
    /// certificate of its manufacturer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// What becomes of a device that proves nothing.
    #[serde(default)]
    pub without_proof: WithoutProof,
}

/// How hardware proves what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttestationKind {
    /// By the endorsement key of a TPM 2.0.
    Tpm,
    /// By a manufacturer's certificate (IEEE 802.1AR).
    Idevid,
}

/// What becomes of a device that brings neither a secret nor a proof that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WithoutProof {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits for a person.
    Approve,
}

/// What is to be different about what a group takes in place of a provisioning secret; what is left out
/// stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ZeroTouchChange {
    /// The proofs that let a device in; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Vec<AttestationKind>>,
    /// The name of the manifest that a proved identity has to be on; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// What becomes of a device that proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_proof: Option<WithoutProof>,
}
