//! The certificates of CAs, for those who build chains (RFC 5280, section 4.2.2.1).

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{BRIEFLY, ca};
use crate::app::App;
use crate::problem::Refusal;

/// `GET /ca/{ca}.cer`
pub(super) async fn of_ca(
    State(app): State<App>,
    Path(file): Path<String>,
) -> Result<Response, Refusal> {
    let id = file
        .strip_suffix(".cer")
        .and_then(|name| ca(&app, name))
        .ok_or_else(Refusal::no_such_path)?;
    let der = app.ops.ca_certificate(id).await?;
    let kind = HeaderValue::from_static("application/pkix-cert");
    Ok(([(CONTENT_TYPE, kind), BRIEFLY], der).into_response())
}
