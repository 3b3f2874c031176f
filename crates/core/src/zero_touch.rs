//! Letting devices in that bring no secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{HardwareIdentity, HardwareKind, ManifestId};

/// What a group takes in place of a provisioning secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZeroTouch {
    /// The proofs that let a device in.
    pub accept: Vec<AttestationKind>,
    /// The manifest that a proved identity has to be on, where it has to be on one. A TPM whose key is
    /// on it needs no certificate of its manufacturer's.
    pub manifest: Option<ManifestId>,
    /// What becomes of a device that proves nothing.
    pub without_proof: WithoutProof,
}

/// How hardware proves what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttestationKind {
    /// By the endorsement key of a TPM 2.0.
    Tpm,
    /// By a manufacturer's certificate (IEEE 802.1AR).
    Idevid,
}

/// What becomes of a device that brings neither a secret nor a proof that counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutProof {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits for a person.
    Approve,
}

impl ZeroTouch {
    /// Whether a device that has proved to be `identity` may come in by that. Whether it is on the
    /// manifest is for the store to say.
    pub fn accepts(&self, identity: &HardwareIdentity) -> bool {
        self.accept
            .iter()
            .any(|kind| kind.identity() == identity.kind())
    }
}

impl AttestationKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tpm, Self::Idevid];

    /// The kind of identity that it proves.
    pub fn identity(self) -> HardwareKind {
        match self {
            Self::Tpm => HardwareKind::TpmEk,
            Self::Idevid => HardwareKind::Idevid,
        }
    }

    /// The text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tpm => "tpm",
            Self::Idevid => "idevid",
        }
    }
}

impl fmt::Display for AttestationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AttestationKind {
    type Err = UnknownAttestation;

    fn from_str(text: &str) -> Result<Self, UnknownAttestation> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownAttestation)
    }
}

/// A text that names no attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an attestation: use tpm or idevid")]
pub struct UnknownAttestation;
