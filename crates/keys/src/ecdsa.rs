//! ECDSA in pieces, as devices give it, put together as everybody else wants it.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme};
use pkcs8::der::asn1::{AnyRef, BitStringRef, UintRef};
use pkcs8::der::{self, Encode};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// The hash of `message` that a key of this kind signs (RFC 5758 section 3.2).
pub(crate) fn hash(
    kind: KeyKind,
    scheme: SignatureScheme,
    message: &[u8],
) -> Result<Vec<u8>, SignError> {
    let algorithm = match (kind, scheme) {
        (KeyKind::P256, SignatureScheme::EcdsaP256Sha256) => &SHA256,
        (KeyKind::P384, SignatureScheme::EcdsaP384Sha384) => &SHA384,
        _ => return Err(SignError::Unsupported { kind, scheme }),
    };
    Ok(digest(algorithm, message).as_ref().to_vec())
}

/// `Ecdsa-Sig-Value` of RFC 3279 section 2.2.3.
pub(crate) fn signature(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    // A sequence of two integers is, on the wire, a sequence of integers.
    vec![UintRef::new(r).ok()?, UintRef::new(s).ok()?]
        .to_der()
        .ok()
}

/// A public key from its uncompressed point, without the leading 4. Coordinates that lost
/// leading zeros get them back.
pub(crate) fn public_key(kind: KeyKind, x: &[u8], y: &[u8]) -> Option<PublicKey> {
    let (length, curve) = match kind {
        KeyKind::P256 => (32, P256),
        KeyKind::P384 => (48, P384),
        KeyKind::Ed25519 | KeyKind::Rsa(_) => return None,
    };
    let mut point = vec![4];
    for coordinate in [x, y] {
        let missing = usize::checked_sub(length, coordinate.len())?;
        point.extend(std::iter::repeat_n(0, missing));
        point.extend_from_slice(coordinate);
    }
    PublicKey::from_spki_der(&spki(curve, &point).ok()?).ok()
}

/// The DER of a curve's name, `ECParameters` of RFC 3279 section 2.3.5.
#[cfg(feature = "pkcs11")]
pub(crate) fn curve_der(kind: KeyKind) -> Option<Vec<u8>> {
    match kind {
        KeyKind::P256 => P256.to_der().ok(),
        KeyKind::P384 => P384.to_der().ok(),
        KeyKind::Ed25519 | KeyKind::Rsa(_) => None,
    }
}

fn spki(curve: ObjectIdentifier, point: &[u8]) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid: EC_PUBLIC_KEY,
            parameters: Some(AnyRef::from(&curve)),
        },
        subject_public_key: BitStringRef::from_bytes(point)?,
    }
    .to_der()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileKey;
    use enlist_pki::Signer;

    #[test]
    fn a_key_put_together_from_its_point_is_the_key() {
        for (kind, length) in [(KeyKind::P256, 32), (KeyKind::P384, 48)] {
            // Every 128th or so has a coordinate with a leading zero.
            for _ in 0..300 {
                let key = FileKey::generate(kind).unwrap();
                let spki = key.public_key().spki_der();
                let (x, y) = spki[spki.len() - 2 * length..].split_at(length);
                let strip = |bytes: &[u8]| match bytes.iter().position(|byte| *byte != 0) {
                    Some(first) => bytes[first..].to_vec(),
                    None => Vec::new(),
                };
                let whole = public_key(kind, x, y).unwrap();
                let stripped = public_key(kind, &strip(x), &strip(y)).unwrap();
                assert_eq!(&whole, key.public_key());
                assert_eq!(&stripped, key.public_key());
                assert!(public_key(kind, &[x, &[1]].concat(), y).is_none());
            }
        }
    }

    #[test]
    fn integers_are_encoded_as_der_has_them() {
        let der = signature(&[0, 0, 0x80], &[0x7f]).unwrap();
        assert_eq!(der, [0x30, 7, 2, 2, 0, 0x80, 2, 1, 0x7f]);
    }
}
