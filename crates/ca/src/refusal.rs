//! Why a certificate is not issued.

use enlist_pki::{EncodeError, IssueError, KeyError};

/// A certificate that is not issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueRefusal {
    /// The lifetime is less than a second.
    #[error("a certificate of no lifetime is not issued")]
    NoLifetime,
    /// The CA's own certificate has expired.
    #[error("the certificate of the CA has expired: renew the CA")]
    IssuerExpired,
    /// The CSR asks for things beyond its key, and the profile refuses that.
    #[error(
        "the CSR asks for more than a certificate over its key, which the profile of the group refuses: leave out extensions and any other name"
    )]
    Extras,
    /// A server certificate without names.
    #[error("a server certificate needs a name")]
    NoNames,
    /// The certificate is no CA's, so nothing can be issued under it.
    #[error("the certificate is not a CA's")]
    NotACa,
    /// A CA asked for what another one is there for: root, service CA and issuing CAs each
    /// sign their own kind of certificate and no other.
    #[error("this CA does not sign certificates of this kind")]
    WrongCa,
    /// Certificate and key of a CA do not belong together.
    #[error("the private key is not that of the CA's certificate")]
    KeyMismatch,
    /// The key in a CA's certificate is of a kind we do not take.
    #[error("the key of the CA is not taken")]
    Key(#[from] KeyError),
    /// It could not be built or signed.
    #[error("the certificate could not be made")]
    Failed(#[from] IssueError),
}

impl From<EncodeError> for IssueRefusal {
    fn from(error: EncodeError) -> Self {
        Self::Failed(error.into())
    }
}
