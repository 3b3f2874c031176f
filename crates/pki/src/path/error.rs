//! Why a path does not hold.

use crate::certificate::CertificateError;
use crate::key::{BadSignature, KeyError};

/// A path that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// No path leads to anything trusted.
    #[error("the certificate does not chain to a trusted CA")]
    UntrustedIssuer,
    /// A certificate on the path is past its time.
    #[error("a certificate in the chain has expired")]
    Expired,
    /// A certificate on the path is before its time.
    #[error("a certificate in the chain is not valid yet")]
    NotYetValid,
    /// A signature on the path does not verify.
    #[error("a signature in the chain does not verify")]
    WrongSignature(#[from] BadSignature),
    /// Signed in a way we do not take.
    #[error("a certificate in the chain is signed with an algorithm that is not taken")]
    UnsupportedSignature,
    /// The key of a CA on the path is one we do not take.
    #[error("the key of a CA in the chain is not taken")]
    Key(#[from] KeyError),
    /// The certificate is for another name.
    #[error("the certificate is not valid for the name of the server")]
    WrongName,
    /// The certificate is not for this use.
    #[error("the certificate is not meant for this use")]
    WrongUsage,
    /// A certificate does not read.
    #[error("a certificate in the chain is malformed")]
    Malformed(#[from] CertificateError),
    /// Something else, said by the source.
    #[error("the certificate chain is not valid")]
    Other(#[source] webpki::Error),
}

impl ChainError {
    /// Whether the time is what it failed at: it may hold at another.
    pub fn is_about_dates(&self) -> bool {
        matches!(self, Self::Expired | Self::NotYetValid)
    }

    pub(super) fn from_webpki(error: webpki::Error) -> Self {
        match error {
            webpki::Error::UnknownIssuer => Self::UntrustedIssuer,
            webpki::Error::CertExpired { .. } => Self::Expired,
            webpki::Error::CertNotValidYet { .. } => Self::NotYetValid,
            webpki::Error::InvalidSignatureForPublicKey => Self::WrongSignature(BadSignature),
            webpki::Error::CertNotValidForName(_) => Self::WrongName,
            webpki::Error::RequiredEkuNotFoundContext(_) => Self::WrongUsage,
            other => Self::Other(other),
        }
    }
}
