//! Why a TPM's evidence is refused.

use std::fmt;

use enlist_pki::KeyError;

use super::reader::Unreadable;

/// One of the three keys that an attestation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TpmKey {
    /// The endorsement key.
    Endorsement,
    /// The attestation key.
    Attestation,
    /// The device's key.
    Device,
}

impl TpmKey {
    pub(super) fn structure(self) -> &'static str {
        match self {
            Self::Endorsement => "ek_public",
            Self::Attestation => "ak_public",
            Self::Device => "key_public",
        }
    }
}

impl fmt::Display for TpmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endorsement => "endorsement key",
            Self::Attestation => "attestation key",
            Self::Device => "device's key",
        })
    }
}

/// A property of a key in a TPM (`TPMA_OBJECT`, Part 2, section 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// It can't leave its TPM.
    FixedTpm,
    /// It can't be put under another parent.
    FixedParent,
    /// The TPM has made it.
    SensitiveDataOrigin,
    /// Its administration goes by its policy alone.
    AdminWithPolicy,
    /// It works on what the TPM has made alone.
    Restricted,
    /// It decrypts.
    Decrypt,
    /// It signs.
    Sign,
}

impl Attribute {
    pub(super) fn bit(self) -> u32 {
        1 << match self {
            Self::FixedTpm => 1,
            Self::FixedParent => 4,
            Self::SensitiveDataOrigin => 5,
            Self::AdminWithPolicy => 7,
            Self::Restricted => 16,
            Self::Decrypt => 17,
            Self::Sign => 18,
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FixedTpm => "fixedTPM",
            Self::FixedParent => "fixedParent",
            Self::SensitiveDataOrigin => "sensitiveDataOrigin",
            Self::AdminWithPolicy => "adminWithPolicy",
            Self::Restricted => "restricted",
            Self::Decrypt => "decrypt",
            Self::Sign => "sign",
        })
    }
}

/// Why a TPM's evidence is refused.
#[derive(Debug, thiserror::Error)]
pub enum TpmRefusal {
    /// A structure of the TPM's does not read.
    #[error("`{what}` does not read")]
    Unreadable {
        /// Which one.
        what: &'static str,
        /// Where.
        #[source]
        source: Unreadable,
    },
    /// A key is of a kind or size that is not taken.
    #[error("the {which} is not one that is taken")]
    Key {
        /// Which one.
        which: TpmKey,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// A key lacks what it has to be.
    #[error("the {which} is not `{attribute}`")]
    Lacks {
        /// Which one.
        which: TpmKey,
        /// What it is not.
        attribute: Attribute,
    },
    /// A key is what it must not be.
    #[error("the {which} is `{attribute}`, which it must not be")]
    Has {
        /// Which one.
        which: TpmKey,
        /// What it is.
        attribute: Attribute,
    },
    /// The endorsement key is not made after one of TCG's templates.
    #[error(
        "the endorsement key is not made after one of TCG's default templates: its {0} is another"
    )]
    Template(&'static str),
    /// The attestation key has no scheme of its own that it signs by, or another.
    #[error(
        "the attestation key has no scheme that is taken: RSASSA or RSAPSS, or ECDSA with the curve's own hash"
    )]
    Scheme,
    /// More certificates, or larger ones, than an endorsement key has.
    #[error("there are more than {most} certificates, or one has more than {bytes} bytes", most = super::evidence::MOST_CERTIFICATES, bytes = super::evidence::LARGEST_CERTIFICATE)]
    TooMuch,
    /// A certificate of the endorsement key's does not read.
    #[error("a certificate of the endorsement key does not read")]
    Certificate(#[source] enlist_pki::CertificateError),
    /// The certificate is another key's.
    #[error("the certificate is not that of the endorsement key")]
    OtherEndorsementKey,
    /// The TPM has certified something else, or nothing.
    #[error("`certify_info` does not say that the TPM certified a key: its {0} is another")]
    NotCertified(&'static str),
    /// The certification was made for another challenge or another CSR.
    #[error("the key was certified for another challenge or another CSR")]
    OtherChallenge,
    /// The certified key is not the one that was shown.
    #[error("the TPM has certified another key than the one that is shown")]
    OtherKey,
    /// The CSR asks for another key.
    #[error("the CSR's key is not the one that the TPM has certified")]
    OtherCsr,
    /// Signed in another way than the attestation key signs.
    #[error("the certification is signed by another scheme than that of the attestation key")]
    OtherScheme,
    /// The attestation key did not sign it.
    #[error("the signature over the certification is not that of the attestation key")]
    WrongSignature,
    /// The library could not encrypt for the endorsement key.
    #[error("nothing can be encrypted for this endorsement key")]
    NoCredential,
}
