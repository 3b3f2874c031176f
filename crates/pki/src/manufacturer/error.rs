//! Why a manufacturer does not vouch for a certificate.

use super::MAX_PATH;
use crate::key::KeyError;

/// A certificate that no imported manufacturer vouches for.
#[derive(Debug, thiserror::Error)]
pub enum NotVouched {
    /// There is no certificate.
    #[error("its manufacturer has given it no certificate, or it sends none")]
    NoCertificate,
    /// No path leads to a CA that was imported.
    #[error("it does not chain to an imported CA of a manufacturer")]
    UnknownIssuer,
    /// A certificate on the path is past its time.
    #[error("a certificate in its chain has expired")]
    Expired,
    /// A certificate on the path is before its time.
    #[error("a certificate in its chain is not valid yet")]
    NotYetValid,
    /// A signature on the path does not verify.
    #[error("a signature in its chain does not verify")]
    WrongSignature,
    /// Signed in a way we do not take.
    #[error("a certificate in its chain is signed with an algorithm that is not taken")]
    UnsupportedSignature,
    /// The key of a CA on the path is one we do not take.
    #[error("the key of a CA in its chain is not taken")]
    Key(#[source] KeyError),
    /// What stands over another may not sign certificates (basicConstraints, keyUsage).
    #[error("a certificate in its chain was issued by one that is not a CA's")]
    NotACa,
    /// More CAs stand under one than it allows (pathLenConstraint).
    #[error("a CA in its chain does not allow so many CAs under it")]
    PathLength,
    /// A critical extension that nobody here looks at; name constraints are one.
    #[error("a certificate in its chain has a critical extension that is not understood")]
    CriticalExtension,
    /// The certificate says that it is for something else, or does not say that it is for this.
    #[error("it is not the certificate of an endorsement key")]
    Purpose,
    /// The certificate is an endorsement key's, where that of a device is asked for.
    #[error("it is the certificate of a TPM's endorsement key and not that of a device")]
    IsEndorsement,
    /// The certificate in the hardware is a CA's.
    #[error("it is the certificate of a CA and not of a device")]
    IsACa,
    /// Longer than what is looked at, or with more branches.
    #[error("its chain is longer than {MAX_PATH} certificates, or has too many branches")]
    TooLong,
}
