use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::App;
use crate::problem::Refusal;

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, body = str)))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether it can do its work: whether the store answers.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses((status = 200, body = str)))]
pub(crate) async fn ready(State(App { ops }): State<App>) -> Result<&'static str, Refusal> {
    ops.ready().await?;
    Ok("ok\n")
}

/// The roots to believe, PEM: the current one first, then the next one where there is one. Whoever takes
/// them over the network has to compare their fingerprints.
#[utoipa::path(get, path = "/v1/root.pem", tag = "health", security(()), responses((status = 200, body = str, content_type = "application/pem-certificate-chain")))]
pub(crate) async fn root(State(App { ops }): State<App>) -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "application/pem-certificate-chain")];
    (kind, ops.roots_pem())
}
