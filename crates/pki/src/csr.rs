//! Certificate signing requests (PKCS#10, RFC 2986).

mod build;
mod read;

use crate::certificate::Certificate;
use crate::key::{KeyError, PublicKey};
use crate::name::{self, DistinguishedName};
use crate::oid::Oid;
use crate::pem::{self, PemError};
use crate::signed::Signed;
use crate::subject::SubjectName;

pub use build::{BuildError, build, build_for};

/// The longest CSR that is looked at, in bytes of DER. RSA 4096 with names needs 2 KiB.
pub const MAX_CSR_LEN: usize = 16 * 1024;

/// A CSR whose sender has proved to hold the private key.
#[derive(Debug, Clone)]
pub struct Csr {
    der: Box<[u8]>,
    subject: Box<[u8]>,
    public_key: PublicKey,
    requested: Requested,
}

/// What a CSR asks for beyond a certificate over its key. All of it is wishes: a profile
/// ignores them or refuses the CSR, and never grants them unseen. A challenge password
/// (RFC 2985 section 5.4.1) is passed over and counts as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requested {
    /// The common name in its subject, which most tools insist on filling.
    pub common_name: Option<String>,
    /// The extensions it wants.
    pub extensions: Vec<Oid>,
    /// It wants to be a CA.
    pub ca: bool,
    /// The names it wants (subjectAltName).
    pub names: Vec<SubjectName>,
    /// A key that is made for it is to be encrypted for another of its keys (RFC 7030 section
    /// 4.4.1).
    pub encrypted_key: bool,
}

impl Requested {
    /// Whether it asks for nothing but its key. What its subject says is not counted.
    pub fn is_plain(&self) -> bool {
        self.extensions.is_empty() && !self.ca && self.names.is_empty()
    }

    /// What it asks for beyond its names.
    #[must_use]
    pub fn beyond_names(&self) -> Self {
        let others = self.extensions.iter();
        Self {
            extensions: others
                .filter(|extension| **extension != crate::oid::SUBJECT_ALT_NAME)
                .copied()
                .collect(),
            ca: self.ca,
            ..Self::default()
        }
    }
}

impl Csr {
    /// Reads a CSR in strict DER and checks its signature.
    ///
    /// # Errors
    /// Each way to fail has a variant of its own; size is checked before all else.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_CSR_LEN {
            return Err(CsrError::TooLarge(der.len()));
        }
        let (signed, rest) = Signed::read(der)?;
        if !rest.is_empty() {
            return Err(CsrError::TrailingBytes);
        }
        let info = read::info(signed.body)?;
        let public_key = PublicKey::from_spki_der(info.spki)?;
        public_key
            .verify_as(&signed.algorithm, signed.body, signed.signature)
            .ok_or(CsrError::UnsupportedSignature)?
            .map_err(|_| CsrError::WrongSignature)?;
        Ok(Self {
            der: der.into(),
            subject: info.subject.into(),
            public_key,
            requested: info.requested,
        })
    }

    /// Reads the first CSR in a PEM text.
    ///
    /// # Errors
    /// As [`Csr::from_der`].
    pub fn from_pem(text: &str) -> Result<Self, CsrError> {
        // Base64 makes three bytes four; the rest is room for line ends and labels.
        if text.len() > MAX_CSR_LEN * 2 {
            return Err(CsrError::TooLarge(text.len()));
        }
        Self::from_der(&pem::request(text)?)
    }

    /// The DER it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The CSR as one PEM block.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der)
    }

    /// The key to certify. Its holder signed this CSR.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject it proposes. A wish like the rest.
    pub fn subject(&self) -> DistinguishedName {
        DistinguishedName::from_encoded(&self.subject)
    }

    /// The common name it proposes. A wish like the rest.
    pub fn subject_common_name(&self) -> Option<&str> {
        self.requested.common_name.as_deref()
    }

    /// Whether each name that it gives stands in `certificate`: every attribute of its subject
    /// in the subject there, every subjectAltName among those there. It need give none.
    pub fn names_stand_in(&self, certificate: &Certificate) -> bool {
        let there = certificate.names();
        let names = &self.requested.names;
        name::is_within(&self.subject, certificate.subject_der())
            && names.iter().all(|name| there.contains(name))
    }

    /// What it asks for beyond its key.
    pub fn requested(&self) -> &Requested {
        &self.requested
    }
}

/// A CSR that is refused.
#[derive(Debug, thiserror::Error)]
pub enum CsrError {
    /// Longer than [`MAX_CSR_LEN`].
    #[error("the CSR is {0} bytes long; {MAX_CSR_LEN} are taken at most")]
    TooLarge(usize),
    /// Not strict DER of the right shape.
    #[error("the CSR is not well-formed DER")]
    Malformed(#[from] der::Error),
    /// Bytes after its end.
    #[error("the CSR is followed by other bytes")]
    TrailingBytes,
    /// A version other than 1 (encoded 0).
    #[error("the CSR is not of version 1")]
    Version,
    /// It asks for the same extension twice.
    #[error("the CSR repeats an extension")]
    RepeatedExtension,
    /// The key is one we do not take.
    #[error("the key in the CSR is not taken")]
    Key(#[from] KeyError),
    /// Signed in a way that is unknown or does not fit the key.
    #[error("the CSR is signed with an algorithm that is not taken for its key")]
    UnsupportedSignature,
    /// The sender does not hold the private key, or the CSR was changed on its way.
    #[error("the signature of the CSR does not verify: it was not made by the CSR's own key")]
    WrongSignature,
    /// The text is no PEM.
    #[error("no CSR in the text: expected -----BEGIN CERTIFICATE REQUEST-----")]
    Pem(#[from] PemError),
}
