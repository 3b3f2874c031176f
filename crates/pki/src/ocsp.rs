//! Answers to who asks whether one certificate is good (OCSP: RFC 6960, RFC 5019).

mod answer;
mod cert_id;
mod request;

pub use answer::{CertStatus, OcspAnswer, OcspError, SingleAnswer, ocsp_error, sign_ocsp};
pub use cert_id::{CertId, DigestKind, IssuerHash};
pub use request::{MAX_OCSP_CERTS, MAX_OCSP_REQUEST_LEN, OcspRequest, OcspRequestError};
