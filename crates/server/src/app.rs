//! What handlers are given.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use enlist_core::Operator;
use enlist_ops::{Error, Ops, Source};

use crate::problem::Refusal;

/// The state of every handler.
#[derive(Clone)]
pub(crate) struct App {
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
    /// The certificates that came with it, DER; nobody has looked at them.
    pub above: Arc<[Vec<u8>]>,
}

impl Peer {
    /// The client certificate and what came with it; empty where there is none.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        let own = self.certificate.iter().map(|der| der.to_vec());
        own.chain(self.above.iter().cloned()).collect()
    }
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

/// Who holds the API token of a request, which the route lets in.
pub(crate) struct Who(pub(crate) Operator);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Whom `entry` has let in. A route that lets everybody in has no operator to ask for.
        let who = parts.extensions.get::<Operator>().cloned();
        who.map(Self)
            .ok_or_else(|| Error::Inconsistent("an operator's handler on an open route").into())
    }
}

/// Who holds the API token in a request's head.
pub(crate) async fn authenticate(ops: &Ops, headers: &HeaderMap) -> Result<Operator, Refusal> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        })
        .ok_or(Error::Unauthenticated)?;
    Ok(ops.authenticate(bearer).await?)
}
