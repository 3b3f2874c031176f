//! PEM text (RFC 7468).

use der::pem::LineEnding;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

/// Text that holds no readable PEM of the kind looked for.
#[derive(Debug, thiserror::Error)]
#[error("no readable PEM block of this kind")]
pub struct PemError(#[source] rustls_pki_types::pem::Error);

/// Every certificate in `text`; other blocks and words between them are passed over.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError)
}

/// The first CSR in `text`.
pub(crate) fn request(text: &str) -> Result<CertificateSigningRequestDer<'static>, PemError> {
    CertificateSigningRequestDer::from_pem_slice(text.as_bytes()).map_err(PemError)
}

/// Every public key in `text`; other blocks and words between them are passed over.
pub(crate) fn public_keys(text: &str) -> Result<Vec<SubjectPublicKeyInfoDer<'static>>, PemError> {
    SubjectPublicKeyInfoDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError)
}

/// The first public key in `text`.
pub(crate) fn public_key(text: &str) -> Result<SubjectPublicKeyInfoDer<'static>, PemError> {
    SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(PemError)
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
