use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::App;
use crate::problem::Refusal;
use crate::ready::Readiness;

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, body = str)))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether it can do its work: whether the store takes writes, as of a second ago at most, and the server
/// has not been told to end.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses((status = 200, body = str)))]
pub(crate) async fn ready(
    Extension(readiness): Extension<Readiness>,
) -> Result<&'static str, Refusal> {
    readiness.ask().await?;
    Ok("ok\n")
}

/// The roots to believe, PEM: the current one first, then the next one where there is one. Whoever takes
/// them over the network has to compare their fingerprints.
#[utoipa::path(get, path = "/v1/root.pem", tag = "health", security(()), responses((status = 200, body = str, content_type = "application/pem-certificate-chain")))]
pub(crate) async fn root(State(App { ops }): State<App>) -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "application/pem-certificate-chain")];
    (kind, ops.roots_pem())
}
