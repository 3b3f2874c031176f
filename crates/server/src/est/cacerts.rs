//! `cacerts` (RFC 7030 section 4.1).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer;
use super::label::Label;
use super::refusal::EstRefusal;
use crate::app::App;

/// The CAs that a device of this place has to know: its tenant's, and what is above. Whether there
/// is such a group is not told to strangers.
pub(super) async fn cacerts(
    State(App { ops }): State<App>,
    Label(label): Label,
    headers: HeaderMap,
) -> Result<Response, EstRefusal> {
    let place = label.unwrap_or_default();
    let chain = ops.tenant_chain(&place.tenant).await?;
    let certificates: Vec<_> = chain.iter().collect();
    let bundle = answer::certs_only(&certificates)?;
    Ok(answer::base64(&headers, "application/pkcs7-mime", &bundle))
}
