//! Where metrics are asked for: plain HTTP at an address of its own, which strangers should not reach.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use enlist_ops::Ops;

use super::Seen;
use super::gather::gather;
use super::page::MEDIA_TYPE;
use crate::ServeError;
use crate::status::{Doorkeeper, StatusDoor};

/// The path that Prometheus asks for.
const PATH: &str = "/metrics";

/// The address at which metrics are asked for, taken before the server starts.
#[derive(Debug, Clone)]
pub struct MetricsDoor(StatusDoor);

impl MetricsDoor {
    /// Takes the address.
    ///
    /// # Errors
    /// When it is taken already.
    pub fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        StatusDoor::bind(address).map(Self).map_err(misnamed)
    }

    /// Where it listens: the port is known, if any port was asked for.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// It is another flag that chooses this address.
fn misnamed(error: ServeError) -> ServeError {
    match error {
        ServeError::StatusListen { address, source } => {
            ServeError::MetricsListen { address, source }
        }
        error => error,
    }
}

/// Opens the door.
pub(crate) fn open(
    door: &MetricsDoor,
    ops: Ops,
    seen: Arc<Seen>,
) -> Result<Doorkeeper, ServeError> {
    let answer = move |request: Request| {
        let (ops, seen) = (ops.clone(), seen.clone());
        let refusal = refusal(&request);
        async move {
            match refusal {
                Some(refusal) => refusal,
                None => answer(&ops, &seen).await,
            }
        }
    };
    // There is but one thing here, and all else is not.
    let router = Router::new().fallback(answer);
    Doorkeeper::start(&door.0, router, Arc::default()).map_err(misnamed)
}

/// What all but the one thing that there is is answered with.
fn refusal(request: &Request) -> Option<Response> {
    if request.uri().path() != PATH {
        let refusal = (StatusCode::NOT_FOUND, "metrics are at /metrics\n");
        return Some(refusal.into_response());
    }
    if *request.method() != Method::GET {
        let refusal = (
            StatusCode::METHOD_NOT_ALLOWED,
            "metrics are there to be read\n",
        );
        return Some(refusal.into_response());
    }
    None
}

async fn answer(ops: &Ops, seen: &Seen) -> Response {
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (kind, gather(ops, seen).await).into_response()
}
