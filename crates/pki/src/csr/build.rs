//! Writing a CSR: what a device sends.

use crate::encode::{self, EncodeError};
use crate::name::{Attribute, DistinguishedName};
use crate::signed::{self, SealError};
use crate::signer::{SignError, Signer};

/// A DER CSR over `signer`'s key that proposes `common_name` and asks for nothing else.
///
/// # Errors
/// The name does not fit (1 to 64 characters), or the key could not sign.
pub fn build(signer: &dyn Signer, common_name: &str) -> Result<Vec<u8>, BuildError> {
    let subject = DistinguishedName::new(&[(Attribute::CommonName, common_name)])?;
    build_for(signer, &subject)
}

/// A DER CSR over `signer`'s key that proposes `subject` and asks for nothing else.
///
/// # Errors
/// The key could not sign.
pub fn build_for(signer: &dyn Signer, subject: &DistinguishedName) -> Result<Vec<u8>, BuildError> {
    let info = encode::sequence(&[
        &VERSION_1,
        subject.der(),
        signer.public_key().spki_der(),
        &NO_ATTRIBUTES,
    ])
    .map_err(EncodeError::from)?;
    signed::sign(&info, signer).map_err(|error| match error {
        SealError::Encode(source) => BuildError::Encode(source.into()),
        SealError::Sign(source) => BuildError::Sign(source),
    })
}

/// A CSR could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The name does not fit into X.509.
    #[error("the CSR cannot be encoded: a name has 1 to 64 characters")]
    Encode(#[from] EncodeError),
    /// The key failed.
    #[error("the CSR could not be signed")]
    Sign(#[source] SignError),
}

/// INTEGER 0.
const VERSION_1: [u8; 3] = [0x02, 0x01, 0x00];
/// `[0] IMPLICIT SET OF` nothing; not optional in PKCS#10.
const NO_ATTRIBUTES: [u8; 2] = [0xa0, 0x00];
