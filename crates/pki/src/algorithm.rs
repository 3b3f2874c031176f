//! Signature algorithms: which fit which keys, and how X.509 names them.

use aws_lc_rs::signature as lc;
use der::asn1::AnyRef;
use spki::AlgorithmIdentifierRef;

use crate::key::KeyKind;
use crate::oid;

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// ECDSA over P-256 with SHA-256; DER-encoded (RFC 3279 section 2.2.3).
    EcdsaP256Sha256,
    /// ECDSA over P-384 with SHA-384; DER-encoded.
    EcdsaP384Sha384,
    /// Ed25519 (RFC 8032), 64 octets.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what certificates and CSRs use.
    RsaPkcs1Sha256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 octets: what TLS 1.3 demands of RSA keys.
    RsaPssSha256,
}

impl SignatureScheme {
    /// The scheme that keys of this kind sign certificates with.
    pub fn of(kind: KeyKind) -> Self {
        match kind {
            KeyKind::P256 => Self::EcdsaP256Sha256,
            KeyKind::P384 => Self::EcdsaP384Sha384,
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::Rsa(_) => Self::RsaPkcs1Sha256,
        }
    }

    /// The `AlgorithmIdentifier` of certificates and CSRs that keys of this kind sign.
    pub(crate) fn identifier(kind: KeyKind) -> AlgorithmIdentifierRef<'static> {
        let (oid, parameters) = match kind {
            KeyKind::P256 => (oid::ECDSA_SHA256, None),
            KeyKind::P384 => (oid::ECDSA_SHA384, None),
            KeyKind::Ed25519 => (oid::ED25519, None),
            KeyKind::Rsa(_) => (oid::RSA_SHA256, Some(AnyRef::NULL)),
        };
        AlgorithmIdentifierRef { oid, parameters }
    }

    pub(crate) fn verifier(self) -> &'static dyn lc::VerificationAlgorithm {
        match self {
            Self::EcdsaP256Sha256 => &lc::ECDSA_P256_SHA256_ASN1,
            Self::EcdsaP384Sha384 => &lc::ECDSA_P384_SHA384_ASN1,
            Self::Ed25519 => &lc::ED25519,
            Self::RsaPkcs1Sha256 => &lc::RSA_PKCS1_2048_8192_SHA256,
            Self::RsaPssSha256 => &lc::RSA_PSS_2048_8192_SHA256,
        }
    }
}

/// How to verify what `algorithm` names with a key of this kind; `None` where the two do
/// not fit. Clients choose the hash freely (OpenSSL signs P-384 requests with SHA-256).
pub(crate) fn verifier(
    kind: KeyKind,
    algorithm: &AlgorithmIdentifierRef<'_>,
) -> Option<&'static dyn lc::VerificationAlgorithm> {
    let no_parameters = algorithm.parameters.is_none();
    // RFC 4055 section 5 writes NULL and wants an absent one taken too.
    let rsa_parameters = algorithm.parameters.is_none_or(AnyRef::is_null);
    Some(match (kind, algorithm.oid) {
        (KeyKind::P256, oid::ECDSA_SHA256) if no_parameters => &lc::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P256, oid::ECDSA_SHA384) if no_parameters => &lc::ECDSA_P256_SHA384_ASN1,
        (KeyKind::P256, oid::ECDSA_SHA512) if no_parameters => &lc::ECDSA_P256_SHA512_ASN1,
        (KeyKind::P384, oid::ECDSA_SHA256) if no_parameters => &lc::ECDSA_P384_SHA256_ASN1,
        (KeyKind::P384, oid::ECDSA_SHA384) if no_parameters => &lc::ECDSA_P384_SHA384_ASN1,
        (KeyKind::P384, oid::ECDSA_SHA512) if no_parameters => &lc::ECDSA_P384_SHA512_ASN1,
        (KeyKind::Ed25519, oid::ED25519) if no_parameters => &lc::ED25519,
        (KeyKind::Rsa(_), oid::RSA_SHA256) if rsa_parameters => &lc::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa(_), oid::RSA_SHA384) if rsa_parameters => &lc::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa(_), oid::RSA_SHA512) if rsa_parameters => &lc::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}
