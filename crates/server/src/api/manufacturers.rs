use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::Error;
use enlist_wire as wire;

use super::body::LargeBody;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The manufacturers whose hardware a tenant believes.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/manufacturers", tag = "manufacturers", security(("api_token" = ["viewer"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Manufacturer>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Manufacturer>>, Refusal> {
    let manufacturers = ops.manufacturers(&who, names.tenant).await?;
    let items = manufacturers.iter().map(view::manufacturer).collect();
    Ok(Json(wire::Page::whole(items)))
}

/// Believes the hardware of a manufacturer, by its roots and the CAs between. They take the place of those
/// that the one of this name has.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/manufacturers", tag = "manufacturers", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::ImportManufacturer, responses((status = 200, body = wire::ManufacturerInFull)))]
pub(crate) async fn import(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(asked): LargeBody<wire::ImportManufacturer>,
) -> Result<Json<wire::ManufacturerInFull>, Refusal> {
    let name = asked.name.parse().map_err(Error::InvalidName)?;
    let imported = ops
        .import_manufacturer(&who, names.tenant, name, &asked.certificates)
        .await?;
    Ok(Json(view::manufacturer_in_full(&imported)))
}

/// One manufacturer with its CAs.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/manufacturers/{manufacturer}", tag = "manufacturers", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("manufacturer" = String, Path)), responses((status = 200, body = wire::ManufacturerInFull)))]
pub(crate) async fn one(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::ManufacturerInFull>, Refusal> {
    let one = ops
        .manufacturer(&who, names.tenant, names.manufacturer)
        .await?;
    Ok(Json(view::manufacturer_in_full(&one)))
}

/// Believes a manufacturer no longer. Devices that came in by it stay in.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/manufacturers/{manufacturer}", tag = "manufacturers", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("manufacturer" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_manufacturer(&who, names.tenant, names.manufacturer)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
