//! What clients send: PKCS#10 in base64 (RFC 8951 section 3).

use axum::RequestExt;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use enlist_wire::est::request_der;

use super::refusal::EstRefusal;
use crate::api::{has_type, too_large_or_cut};
use crate::problem::Refusal;

/// The longest body, in bytes.
pub(super) const LIMIT: usize = 64 * 1024;

/// The request with its body read to the end, before anything else is looked at: what is refused
/// unread ends the connection, and with it the next try after a 401.
pub(super) async fn whole(request: Request) -> Result<Request, EstRefusal> {
    let (head, body) = request.into_parts();
    // Told by its length alone: whoever waits for a word before sending is spared the sending.
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(Refusal::too_large(LIMIT).into());
    }
    let body: Bytes = Request::from_parts(head.clone(), body)
        .extract()
        .await
        .map_err(|rejection| too_large_or_cut(&rejection, LIMIT))?;
    Ok(Request::from_parts(head, Body::from(body)))
}

/// The CSR in a body, DER. Line ends, and the armour that `openssl req` puts around it, are
/// passed over; what Content-Transfer-Encoding says is not looked at.
pub(super) fn csr(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, EstRefusal> {
    if !has_type(headers, "application/pkcs10") {
        return Err(Refusal::unsupported_type("application/pkcs10").into());
    }
    request_der(body).ok_or_else(|| {
        Refusal::invalid_request("body: expected a PKCS#10 request, DER, in base64").into()
    })
}
