//! The OCSP responder (RFC 6960, appendix A).

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64Unpadded, Encoding};
use enlist_ops::OcspServed;

use super::{BRIEFLY, NEVER};
use crate::app::App;
use crate::problem::Refusal;

/// Bytes of a request at most.
pub(super) const MOST: usize = 4096;

/// `POST /ocsp`
pub(super) async fn by_post(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    if !is_request(&headers) {
        return Err(Refusal::unsupported_type(REQUEST));
    }
    let body = body.map_err(|_| Refusal::too_large(MOST))?;
    Ok(respond(app.ops.ocsp(&body).await, NEVER.1))
}

/// `GET /ocsp/{request}`, where the request is Base64, its slashes escaped or not.
pub(super) async fn by_get(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    // What can't be read at all is answered as what can't be understood.
    let request = path
        .ok()
        .filter(|Path(text)| text.len() <= MOST)
        .and_then(|Path(text)| Base64Unpadded::decode_vec(text.trim_end_matches('=')).ok());
    let served = app.ops.ocsp(&request.unwrap_or_default()).await;
    let kept = if served.fresh_until.is_some() {
        BRIEFLY.1
    } else {
        NEVER.1
    };
    respond(served, kept)
}

const REQUEST: &str = "application/ocsp-request";
const RESPONSE: HeaderValue = HeaderValue::from_static("application/ocsp-response");

fn is_request(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(REQUEST))
}

fn respond(served: OcspServed, kept: HeaderValue) -> Response {
    let mut response = Body::from(Bytes::from_owner(served.der)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, RESPONSE);
    headers.insert(BRIEFLY.0, kept);
    response
}
