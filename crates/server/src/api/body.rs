//! Bodies and queries, with refusals that say what is wrong.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::problem::Refusal;

/// The longest JSON body, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        json(request, LIMIT).await.map(Self)
    }
}

/// The longest JSON body that may hold a signed statement, in bytes.
pub(crate) const LARGE: usize = 1024 * 1024;

/// A JSON body that may hold a signed statement. Its routes let up to [`LARGE`] bytes through.
pub(crate) struct LargeBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LargeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        json(request, LARGE).await.map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes: Bytes = request
            .extract()
            .await
            .map_err(|rejection| too_large_or_cut(&rejection, LIMIT))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Refusal::unsupported_type("application/json"));
        }
        read(&bytes).map(Self)
    }
}

/// The query part of the URL.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| Refusal::invalid_request(format!("query: {}", error.body_text())))
    }
}

/// A JSON body, whose route lets up to `limit` bytes through.
async fn json<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Refusal> {
    if !is_json(request.headers()) {
        return Err(Refusal::unsupported_type("application/json"));
    }
    let bytes: Bytes = request
        .extract()
        .await
        .map_err(|rejection| too_large_or_cut(&rejection, limit))?;
    read(&bytes)
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    has_type(headers, "application/json")
}

pub(crate) fn has_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(expected))
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // Serde would take an array, too, for an object's fields in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let text = "body: an array, where an object is expected";
        return Err(Refusal::invalid_request(text));
    }
    // Keeping track of where one is costs as much as the reading: only for what is refused.
    serde_json::from_slice(bytes).or_else(|_| read_or_say_where(bytes))
}

fn read_or_say_where<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." {
            String::new()
        } else {
            format!("`{path}`: ")
        };
        Refusal::invalid_request(format!("body: {at}{}", error.into_inner()))
    })?;
    reader
        .end()
        .map_err(|error| Refusal::invalid_request(format!("body: {error}")))?;
    Ok(value)
}

pub(crate) fn too_large_or_cut(rejection: &BytesRejection, limit: usize) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::too_large(limit)
    } else {
        Refusal::invalid_request("the body ended before it was whole")
    }
}
