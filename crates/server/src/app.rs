//! What handlers are given.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use enlist_core::Operator;
use enlist_ops::{Error, Ops, Source};

use crate::problem::Refusal;

/// The state of every handler.
#[derive(Clone)]
pub struct App {
    /// All that the server can do.
    pub ops: Ops,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub source: Source,
    /// The client certificate that it has proved to hold the key of, DER. Nothing else of it has
    /// been looked at.
    pub certificate: Option<Arc<[u8]>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Error::Inconsistent("a request without a connection").into())
    }
}

/// Who holds the API token of a request.
pub(crate) struct Who(pub(crate) Operator);

impl FromRequestParts<App> for Who {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let bearer = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            })
            .ok_or(Error::Unauthenticated)?;
        Ok(Self(app.ops.authenticate(bearer).await?))
    }
}
