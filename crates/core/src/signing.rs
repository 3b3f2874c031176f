//! Who signs what devices and auditors are to believe.

use serde::{Deserialize, Serialize};

use crate::{Digest, TenantId, Timestamp};

/// Who signs the configuration of a group's devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// How it is signed.
    pub method: SigningMethod,
    /// The public keys that may sign, PEM (`PUBLIC KEY`). Empty where the server signs: then they are the
    /// tenant's.
    pub keys: Vec<String>,
}

/// How configuration is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SigningMethod {
    /// By the server, with the tenant's key.
    #[default]
    Remote,
    /// By the operators, with a key file. The server can't forge it.
    Local,
    /// By the operators, with a command of theirs. The server can't forge it.
    External,
}

impl Signing {
    /// The server signs.
    pub const fn remote() -> Self {
        Self {
            method: SigningMethod::Remote,
            keys: Vec::new(),
        }
    }
}

/// What a signing key of a tenant's signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningPurpose {
    /// Configuration for devices.
    Configuration,
    /// Commands to devices.
    Command,
    /// Heads of the tenant's chain of events, for auditors.
    Audit,
}

impl SigningPurpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Configuration, Self::Command, Self::Audit];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Command => "command",
            Self::Audit => "audit",
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A signing key of a tenant's, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What it signs.
    pub purpose: SigningPurpose,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub key: Digest,
    /// Its `SubjectPublicKeyInfo`, DER.
    pub spki: Vec<u8>,
    /// Its private key, wrapped.
    pub wrapped_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}
