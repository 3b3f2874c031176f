//! `serverkeygen` (RFC 7030 section 4.4).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use enlist_keys::FileKey;
use enlist_ops::{Enrolled, EnrollmentOutcome, Error};
use secrecy::ExposeSecret;

use super::answer::{self, CERTS_ONLY, Lines};
use super::enroll::{enrollment, later};
use super::label::Label;
use super::refusal::EstRefusal;
use crate::app::{App, Peer};

/// Base64 has no dashes.
const BOUNDARY: &str = "enlist-est-part";

/// Enrolls a device with a key that is made here, for one that can't make its own.
pub(super) async fn server_keygen(
    State(app): State<App>,
    peer: Peer,
    Label(label): Label,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, EstRefusal> {
    let enrollment = enrollment(&headers, &body, label, &peer)?;
    let by_certificate = enrollment.evidence.is_some();
    let generated = app.ops.generate_key(enrollment).await;
    let generated = generated.map_err(|error| EstRefusal::of_enrollment(error, by_certificate))?;
    match generated.outcome {
        EnrollmentOutcome::Enrolled(enrolled) => {
            let key = generated
                .key
                .ok_or(Error::Inconsistent("a key was certified and not made"))?;
            parts(&headers, &key, &enrolled)
        }
        EnrollmentOutcome::Pending {
            name,
            code,
            retry_after_s,
            ..
        } => Ok(later(&name, &code, retry_after_s)),
    }
}

fn parts(headers: &HeaderMap, key: &FileKey, enrolled: &Enrolled) -> Result<Response, EstRefusal> {
    let lines = Lines::of(headers);
    let key = key
        .to_pkcs8_der()
        .map_err(|error| Error::Signing(Box::new(error)))?;
    let bundle = answer::issued(&enrolled.certificate.der)?;
    let part = |content_type: &str, bytes: &[u8]| {
        format!(
            "--{BOUNDARY}\r\nContent-Type: {content_type}\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.encode(bytes)
        )
    };
    let body = format!(
        "{}{}--{BOUNDARY}--\r\n",
        part("application/pkcs8", key.expose_secret()),
        part(CERTS_ONLY, &bundle)
    );
    let content_type = format!("multipart/mixed; boundary={BOUNDARY}");
    let head = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, body).into_response())
}
