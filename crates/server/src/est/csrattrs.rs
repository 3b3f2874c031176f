//! `csrattrs` (RFC 7030 section 4.5 as RFC 9908 has it).

use axum::http::HeaderMap;
use axum::response::Response;

use super::answer;
use super::label::Label;

/// What a CSR had best look like: a key on P-256, and no names, for what a certificate says of a
/// device is the server's to say. Once as RFC 7030 has it for older readers (an attribute of type
/// `ecPublicKey` with the curve), and once as a `CertificationRequestInfoTemplate`:
///
/// ```text
/// SEQUENCE {
///   SEQUENCE { OID ecPublicKey, SET { OID prime256v1 } }
///   SEQUENCE { OID certificationRequestInfoTemplate, SET {
///     SEQUENCE { INTEGER 0, [0] { SEQUENCE { OID ecPublicKey, OID prime256v1 } }, [1] {} } } } }
/// ```
const ATTRIBUTES: [u8; 72] = *b"\x30\x46\
    \x30\x15\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x31\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
    \x30\x2d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3d\
    \x31\x1e\x30\x1c\x02\x01\x00\
    \xa0\x15\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
    \xa1\x00";

/// The same for every group: what a group's profile says goes into the certificate without being
/// asked for.
pub(super) async fn csrattrs(_: Label, headers: HeaderMap) -> Response {
    answer::base64(&headers, "application/csrattrs", &ATTRIBUTES)
}
