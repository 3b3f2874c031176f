use axum::Json;
use axum::extract::State;
use enlist_ops::Error;
use enlist_wire as wire;

use super::body::OptionalBody;
use super::device_enroll::hours;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// Makes an identity ahead, to be loaded into a device at the factory. Key and token are in the
/// reply, and nowhere else ever after.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/pre-enroll", tag = "devices", security(("api_token" = ["factory"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::PreEnroll, responses((status = 200, body = wire::Quadruple)))]
pub(crate) async fn pre_enroll(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(asked): OptionalBody<wire::PreEnroll>,
) -> Result<Json<wire::Quadruple>, Refusal> {
    let ttl = asked.certificate_ttl_h.map(hours);
    let made = ops.pre_enroll(&who, names.device(), ttl).await?;
    let quadruple = view::quadruple(&made).map_err(|error| Error::Signing(Box::new(error)))?;
    Ok(Json(quadruple))
}
