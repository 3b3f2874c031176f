//! EST (RFC 7030 with 8951 and 9908): one more door, for clients that nobody here wrote.
//!
//! What is asked goes through the same operations and policies as the device API. The path may name
//! a group: `/.well-known/est/GROUP/…`, or `/.well-known/est/TENANT.GROUP/…`. strongSwan writes a
//! label in front: `/GROUP/.well-known/est/…` is the same.

mod answer;
mod basic;
mod body;
mod cacerts;
mod csrattrs;
mod enroll;
mod label;
mod refusal;
mod server_key;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use crate::api::A_REQUEST;
use crate::app::App;
use crate::entry::OpenRoutes;
use crate::problem::Refusal;
use refusal::EstRefusal;

/// The operations, each with a label and without.
pub(crate) fn routes() -> OpenRoutes {
    let mut routes = OpenRoutes::new();
    for base in [
        "/.well-known/est",
        "/.well-known/est/{label}",
        "/{label}/.well-known/est",
    ] {
        let at = |operation: &str| format!("{base}/{operation}");
        routes = routes
            .get(&at("cacerts"), cacerts::cacerts)
            .get(&at("csrattrs"), csrattrs::csrattrs)
            .post(&at("simpleenroll"), enroll::simple_enroll)
            .post(&at("simplereenroll"), enroll::simple_reenroll)
            .post(&at("serverkeygen"), server_key::server_keygen);
    }
    routes
        .any("/.well-known/est/{label}", no_such_operation)
        .any("/.well-known/est/{label}/{operation}", no_such_operation)
}

/// They, ready to be served.
pub(crate) fn endpoints() -> Router<App> {
    routes()
        .into_router()
        .method_not_allowed_fallback(async || EstRefusal::from(Refusal::no_such_est_method()))
        .layer(from_fn(bound_in_time))
        .layer(DefaultBodyLimit::max(body::LIMIT))
}

async fn no_such_operation() -> EstRefusal {
    Refusal::no_such_est_operation().into()
}

/// A body that never ends must not hold its place for ever.
async fn bound_in_time(request: Request, next: Next) -> Response {
    let answered = async {
        match body::whole(request).await {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    };
    match tokio::time::timeout(A_REQUEST, answered).await {
        Ok(response) => response,
        Err(_) => EstRefusal::from(Refusal::too_slow(A_REQUEST.as_secs())).into_response(),
    }
}
