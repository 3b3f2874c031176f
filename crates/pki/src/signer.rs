//! What can sign, wherever its key lives.

use crate::algorithm::SignatureScheme;
use crate::key::PublicKey;

/// A private key that signs: in a file, a TPM, an HSM.
///
/// Signing may block for as long as the device behind it takes, and may fail at any
/// time; what a caller does about that is its own affair.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`, whole and not yet hashed, with `scheme`.
    ///
    /// # Errors
    /// [`SignError::Unsupported`] where the scheme does not fit the key.
    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Signs `message` as certificates and proofs are signed: the scheme follows from
    /// the kind of key. [`PublicKey::verify`] is the other half.
    ///
    /// # Errors
    /// Whatever keeps the key from signing.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_with(SignatureScheme::of(self.public_key().kind()), message)
    }
}

/// A signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key cannot sign this way.
    #[error("a {kind} key cannot sign with {scheme:?}")]
    Unsupported {
        /// The kind of the key.
        kind: crate::key::KeyKind,
        /// What was asked of it.
        scheme: SignatureScheme,
    },
    /// What holds the key failed.
    #[error("the private key could not sign")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
