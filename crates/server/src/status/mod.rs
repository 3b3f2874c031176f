//! What anybody may ask without a word of who they are: revocation lists, OCSP, the certificates of CAs.
//!
//! All of it is signed, so it is served over plain HTTP too: whoever checks a certificate must not have to
//! check another one for that (RFC 5280, section 4.2.1.13).

mod certificate;
mod crl;
mod door;
mod ocsp;
mod places;
mod sending;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::from_fn;
use axum::{Extension, Router};
use enlist_core::CaId;

use crate::api::bound_in_time;
use crate::app::App;
use crate::entry::OpenRoutes;
use crate::problem::Refusal;
use crate::unread::read_to_the_end;

pub(crate) use door::Doorkeeper;
pub use door::StatusDoor;
use sending::Sending;

/// What changes may be told again for this long: short, since a revocation counts within seconds.
const BRIEFLY: (HeaderName, HeaderValue) = (
    CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=10, must-revalidate"),
);
/// What nobody is to tell again.
const NEVER: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// What there is.
pub(crate) fn routes() -> OpenRoutes {
    OpenRoutes::new()
        .get("/crl/{file}", crl::whole)
        .get("/crl/{ca}/{of}/{file}", crl::part)
        .post("/ocsp", ocsp::by_post)
        .get("/ocsp/{*request}", ocsp::by_get)
        .get("/ca/{file}", certificate::of_ca)
}

/// These endpoints, to be served beside others.
pub(crate) fn endpoints() -> Router<App> {
    routes()
        .into_router()
        .layer(Extension(Sending::default()))
        .layer(from_fn(bound_in_time))
        .layer(DefaultBodyLimit::max(ocsp::MOST))
}

/// The CA that a path names, by its id; the current root by that word too.
fn ca(app: &App, name: &str) -> Option<CaId> {
    match name {
        "root" => Some(app.ops.root_ca()),
        id => id.parse().ok(),
    }
}

/// These endpoints alone.
pub(crate) fn router(app: App) -> Router {
    endpoints()
        .fallback(async || Refusal::no_such_path())
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .layer(from_fn(read_to_the_end))
        .with_state(app)
}
