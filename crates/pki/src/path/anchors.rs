//! Whom to trust.

use rustls_pki_types::{CertificateDer, TrustAnchor};

use super::ChainError;
use crate::certificate::CertificateError;
use crate::pem;

/// CAs that are believed without further proof.
#[derive(Debug, Clone, Default)]
pub struct Anchors(pub(super) Vec<TrustAnchor<'static>>);

impl Anchors {
    /// Reads anchors from DER certificates; version 1 roots are taken too.
    ///
    /// # Errors
    /// One of them does not read.
    pub fn from_der<'a>(
        certificates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, ChainError> {
        certificates
            .into_iter()
            .map(|der| {
                let der = CertificateDer::from(der);
                Ok(webpki::anchor_from_trusted_cert(&der)
                    .map_err(ChainError::Other)?
                    .to_owned())
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads every certificate in a PEM text as an anchor.
    ///
    /// # Errors
    /// There is none, or one does not read.
    pub fn from_pem(text: &str) -> Result<Self, ChainError> {
        let certificates = pem::certificates(text).map_err(CertificateError::from)?;
        if certificates.is_empty() {
            return Err(CertificateError::NoneInPem.into());
        }
        Self::from_der(certificates.iter().map(AsRef::as_ref))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds another's.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}
