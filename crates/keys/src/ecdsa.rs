//! ECDSA in pieces, as devices give it, put together as everybody else wants it.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use enlist_pki::{KeyKind, SignError, SignatureScheme};
use pkcs8::der::Encode;
use pkcs8::der::asn1::UintRef;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_encoded_as_der_has_them() {
        let der = signature(&[0, 0, 0x80], &[0x7f]).unwrap();
        assert_eq!(der, [0x30, 7, 2, 2, 0, 0x80, 2, 1, 0x7f]);
    }
}
