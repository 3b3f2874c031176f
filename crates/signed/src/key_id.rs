use std::fmt;

use enlist_core::Digest;
use enlist_pki::PublicKey;
use serde::{Deserialize, Serialize};

/// Names a key: the SHA-256 of its `SubjectPublicKeyInfo`, 64 lowercase hexadecimal digits. It helps to
/// find a key; it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The name of `key`.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        Self(Digest::of(key.spki_der()).to_hex())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
