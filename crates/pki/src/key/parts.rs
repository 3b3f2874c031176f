//! Public keys put together from their numbers, as devices give them.

use der::Encode;
use der::asn1::{AnyRef, UintRef};
use spki::AlgorithmIdentifierRef;

use super::{KeyError, KeyKind, PublicKey};
use crate::encode;
use crate::oid;

impl PublicKey {
    /// A key on P-256 or P-384, from the two coordinates of its point, big-endian. Leading zeros may
    /// be missing.
    ///
    /// # Errors
    /// The kind is another, a coordinate too long, or the point not on the curve.
    pub fn from_point(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let (length, curve) = match kind {
            KeyKind::P256 => (32, oid::P256),
            KeyKind::P384 => (48, oid::P384),
            KeyKind::Ed25519 | KeyKind::Rsa(_) => return Err(KeyError::UnsupportedCurve),
        };
        let mut point = vec![4];
        for coordinate in [x, y] {
            let missing = usize::checked_sub(length, coordinate.len()).ok_or(KeyError::Invalid)?;
            point.extend(std::iter::repeat_n(0, missing));
            point.extend_from_slice(coordinate);
        }
        let algorithm = AlgorithmIdentifierRef {
            oid: oid::EC_PUBLIC_KEY,
            parameters: Some(AnyRef::from(&curve)),
        };
        Self::from_spki_der(&spki(&algorithm, &point).map_err(KeyError::Malformed)?)
    }

    /// An RSA key from its modulus, big-endian, and its exponent.
    ///
    /// # Errors
    /// Says which rule the key breaks.
    pub fn from_modulus(modulus: &[u8], exponent: u32) -> Result<Self, KeyError> {
        let key = rsa(modulus, exponent).map_err(KeyError::Malformed)?;
        let algorithm = AlgorithmIdentifierRef {
            oid: oid::RSA,
            parameters: Some(AnyRef::NULL),
        };
        Self::from_spki_der(&spki(&algorithm, &key).map_err(KeyError::Malformed)?)
    }

    /// The point of an elliptic-curve key, uncompressed (SEC 1 section 2.3.3); `None` of other keys.
    pub fn point(&self) -> Option<&[u8]> {
        match self.kind {
            KeyKind::P256 | KeyKind::P384 => Some(self.bits()),
            KeyKind::Ed25519 | KeyKind::Rsa(_) => None,
        }
    }
}

/// `RSAPublicKey` of RFC 8017 appendix A.1.1.
fn rsa(modulus: &[u8], exponent: u32) -> der::Result<Vec<u8>> {
    let exponent = exponent.to_be_bytes();
    let modulus = UintRef::new(modulus)?.to_der()?;
    encode::sequence(&[&modulus, &UintRef::new(&exponent)?.to_der()?])
}

fn spki(algorithm: &AlgorithmIdentifierRef<'_>, bits: &[u8]) -> der::Result<Vec<u8>> {
    encode::sequence(&[&algorithm.to_der()?, &encode::bit_string(bits)?])
}
