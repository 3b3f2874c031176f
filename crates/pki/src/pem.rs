//! PEM text (RFC 7468).

use der::pem::LineEnding;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

/// Text that holds no readable PEM of the kind looked for.
#[derive(Debug, thiserror::Error)]
#[error("no readable PEM block of this kind")]
pub struct PemError(#[source] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Usual(#[from] rustls_pki_types::pem::Error),
    #[error(transparent)]
    Labelled(#[from] der::pem::Error),
}

impl<E: Into<Cause>> From<E> for PemError {
    fn from(cause: E) -> Self {
        Self(cause.into())
    }
}

/// Every certificate in `text`; other blocks and words between them are passed over.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError::from)
}

/// The first CSR in `text`.
pub(crate) fn request(text: &str) -> Result<CertificateSigningRequestDer<'static>, PemError> {
    CertificateSigningRequestDer::from_pem_slice(text.as_bytes()).map_err(PemError::from)
}

/// Every public key in `text`; other blocks and words between them are passed over.
pub(crate) fn public_keys(text: &str) -> Result<Vec<SubjectPublicKeyInfoDer<'static>>, PemError> {
    SubjectPublicKeyInfoDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError::from)
}

/// The first public key in `text`.
pub(crate) fn public_key(text: &str) -> Result<SubjectPublicKeyInfoDer<'static>, PemError> {
    SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(PemError::from)
}

/// The content of the first block of this label in `text`, where there is one; what stands around it is
/// passed over.
///
/// # Errors
/// It is cut off, or not base64.
pub fn pem_block(text: &str, label: &str) -> Result<Option<Vec<u8>>, PemError> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let Some(block) = text.find(&begin).map(|start| &text[start..]) else {
        return Ok(None);
    };
    let len = block.find(&end).map_or(block.len(), |at| at + end.len());
    let (_, der) = der::pem::decode_vec(&block.as_bytes()[..len])?;
    Ok(Some(der))
}

/// A certificate in DER as one PEM block, without looking into it.
pub fn certificate_pem(der: &[u8]) -> String {
    encode("CERTIFICATE", der)
}

/// One block of 64 columns.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    der::pem::encode_string(label, LineEnding::LF, der)
        .expect("a constant label and bytes in memory always encode")
}
