//! Public keys that have passed our rules.

mod parts;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, UnparsedPublicKey};
use der::asn1::{AnyRef, UintRef};
use der::{Decode, Sequence};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::algorithm::{self, SignatureScheme};
use crate::oid;

/// The kinds of key we take and make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// ECDSA over NIST P-256.
    P256,
    /// ECDSA over NIST P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of this many bits, 2048 to 4096.
    Rsa(u32),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
        }
    }
}

/// A public key: a valid point on P-256 or P-384 (uncompressed), an Ed25519 key, or RSA
/// of 2048 to 4096 bits with a sane exponent. Nothing else becomes one.
///
/// Two are equal when their `SubjectPublicKeyInfo` is.
#[derive(Clone)]
pub struct PublicKey {
    spki: Box<[u8]>,
    /// The content of `subjectPublicKey` is the last part of `spki`, this long.
    bits_len: usize,
    kind: KeyKind,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// Says which rule the key breaks.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(KeyError::Malformed)?;
        let bits = info
            .subject_public_key
            .as_bytes()
            .ok_or(KeyError::Invalid)?;
        let kind = kind(&info.algorithm, bits)?;
        // The library takes RSA keys quickest bare, EC keys with what names their curve.
        let material = match kind {
            KeyKind::P256 | KeyKind::P384 => spki,
            KeyKind::Ed25519 | KeyKind::Rsa(_) => bits,
        };
        let parsed = ParsedPublicKey::new(SignatureScheme::of(kind).verifier(), material)
            .map_err(|_| KeyError::Invalid)?;
        Ok(Self {
            spki: spki.into(),
            bits_len: bits.len(),
            kind,
            parsed,
        })
    }

    /// Reads the first `PUBLIC KEY` block of a PEM text (RFC 7468 section 13).
    ///
    /// # Errors
    /// There is none, or the key breaks a rule.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = crate::pem::public_key(text).map_err(KeyError::Pem)?;
        Self::from_spki_der(&der)
    }

    /// Reads every `PUBLIC KEY` block of a PEM text; none where there is none.
    ///
    /// # Errors
    /// One of them breaks a rule.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        let blocks = crate::pem::public_keys(text).map_err(KeyError::Pem)?;
        blocks.iter().map(|der| Self::from_spki_der(der)).collect()
    }

    /// The key as one PEM block, `PUBLIC KEY`.
    pub fn to_pem(&self) -> String {
        crate::pem::encode("PUBLIC KEY", &self.spki)
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`: names the key wherever one is recorded.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.spki)
    }

    /// The key identifier that certificates carry: the leftmost 160 bits of SHA-256 of
    /// the key bits (RFC 7093 section 2, method 1).
    pub fn key_id(&self) -> [u8; 20] {
        let mut id = [0; 20];
        id.copy_from_slice(&sha256(self.bits())[..20]);
        id
    }

    /// Verifies a signature that [`crate::Signer::sign`] made over `message`: ECDSA with
    /// the curve's own hash and DER encoding, Ed25519, or RSA PKCS#1 v1.5 with SHA-256.
    ///
    /// # Errors
    /// The signature is not this key's over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.parsed
            .verify_sig(message, signature)
            .map_err(|_| BadSignature)
    }

    /// Verifies a signature made in the way `algorithm` names; `None` where that does not
    /// fit the key.
    pub(crate) fn verify_as(
        &self,
        algorithm: &AlgorithmIdentifierRef<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Option<Result<(), BadSignature>> {
        let verifier = algorithm::verifier(self.kind, algorithm)?;
        Some(
            if algorithm.oid == SignatureScheme::identifier(self.kind).oid {
                self.verify(message, signature)
            } else {
                UnparsedPublicKey::new(verifier, self.bits())
                    .verify(message, signature)
                    .map_err(|_| BadSignature)
            },
        )
    }

    /// The content of `subjectPublicKey`.
    pub(crate) fn bits(&self) -> &[u8] {
        &self.spki[self.spki.len() - self.bits_len..]
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, ", self.kind)?;
        for byte in &self.digest()[..8] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A public key that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No DER `SubjectPublicKeyInfo`.
    #[error("the public key is not well-formed DER")]
    Malformed(#[source] der::Error),
    /// No PEM of a public key.
    #[error("there is no PEM block `PUBLIC KEY`")]
    Pem(#[source] crate::pem::PemError),
    /// Neither EC, Ed25519 nor RSA.
    #[error("keys of algorithm {0} are not taken: use P-256, P-384, Ed25519 or RSA")]
    UnsupportedAlgorithm(oid::Oid),
    /// An elliptic curve other than P-256 and P-384.
    #[error("this elliptic curve is not taken: use P-256 or P-384")]
    UnsupportedCurve,
    /// An RSA modulus outside 2048 to 4096 bits.
    #[error("RSA keys of {0} bits are not taken: use 2048 to 4096")]
    RsaSize(u32),
    /// An RSA exponent that is even, below 65537 or of more than 32 bits.
    #[error("the exponent of this RSA key is not taken: use 65537")]
    RsaExponent,
    /// The bits are no key of the kind they claim to be.
    #[error("the public key is not a valid one of its kind")]
    Invalid,
}

/// A signature that is not the key's over the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

fn kind(algorithm: &AlgorithmIdentifierRef<'_>, bits: &[u8]) -> Result<KeyKind, KeyError> {
    match algorithm.oid {
        oid::EC_PUBLIC_KEY => {
            let curve = algorithm
                .parameters_oid()
                .map_err(|_| KeyError::UnsupportedCurve)?;
            let (kind, len) = match curve {
                oid::P256 => (KeyKind::P256, 65),
                oid::P384 => (KeyKind::P384, 97),
                _ => return Err(KeyError::UnsupportedCurve),
            };
            // Uncompressed points only: TLS knows no others (RFC 8446 section 4.2.8.2).
            if bits.len() != len || bits[0] != 4 {
                return Err(KeyError::Invalid);
            }
            Ok(kind)
        }
        oid::ED25519 if algorithm.parameters.is_none() && bits.len() == 32 => Ok(KeyKind::Ed25519),
        oid::RSA if algorithm.parameters.is_some_and(AnyRef::is_null) => rsa_kind(bits),
        oid::ED25519 | oid::RSA => Err(KeyError::Invalid),
        other => Err(KeyError::UnsupportedAlgorithm(other)),
    }
}

/// `RSAPublicKey` of RFC 8017 appendix A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn rsa_kind(bits: &[u8]) -> Result<KeyKind, KeyError> {
    let key = RsaPublicKey::from_der(bits).map_err(KeyError::Malformed)?;
    let modulus = key.modulus.as_bytes();
    let size = bit_len(modulus);
    if !(2048..=4096).contains(&size) {
        return Err(KeyError::RsaSize(size));
    }
    if modulus.last().is_none_or(|low| low % 2 == 0) {
        return Err(KeyError::Invalid);
    }
    let exponent = key
        .exponent
        .as_bytes()
        .iter()
        .try_fold(0u32, |sum, byte| {
            Some(sum.checked_mul(256)? | u32::from(*byte))
        })
        .ok_or(KeyError::RsaExponent)?;
    if exponent < 65537 || exponent % 2 == 0 {
        return Err(KeyError::RsaExponent);
    }
    Ok(KeyKind::Rsa(size))
}

fn bit_len(bytes: &[u8]) -> u32 {
    let bytes = match bytes.iter().position(|byte| *byte != 0) {
        Some(first) => &bytes[first..],
        None => return 0,
    };
    let whole = u32::try_from(bytes.len()).unwrap_or(u32::MAX / 8);
    whole.saturating_mul(8) - bytes[0].leading_zeros()
}
