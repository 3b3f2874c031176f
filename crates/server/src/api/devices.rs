use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::{AddDevice, DeviceFilter, Error};
use enlist_wire as wire;

use super::body::{Body, Query};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The devices of a group, oldest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices", tag = "devices", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), wire::DevicesQuery), responses((status = 200, body = wire::Page<wire::Device>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::DevicesQuery>,
) -> Result<Json<wire::Page<wire::Device>>, Refusal> {
    let unknown = || Refusal::invalid_request("query: there is no such state");
    let filter = DeviceFilter {
        path: names.group(),
        state: query
            .state
            .map(|state| view::state_asked(state).ok_or_else(unknown))
            .transpose()?,
        after: after(query.after.as_deref())?,
        limit: limit(query.limit)?,
    };
    let page = ops.devices(&who, filter).await?;
    let now = ops.now();
    Ok(Json(wire::Page {
        items: page
            .items
            .iter()
            .map(|one| view::device(one, now))
            .collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

/// Creates a device.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices", tag = "devices", security(("api_token" = ["factory"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::NewDevice, responses((status = 201, body = wire::Device)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewDevice>,
) -> Result<(StatusCode, Json<wire::Device>), Refusal> {
    let added = ops.add_device(&who, names.group(), asked(&new)?).await?;
    Ok((StatusCode::CREATED, Json(view::device(&added, ops.now()))))
}

/// One device, with what is wanted of it and what it says of itself.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}", tag = "devices", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), responses((status = 200, body = wire::Device)))]
pub(crate) async fn one(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Device>, Refusal> {
    let device = ops.device(&who, names.device()).await?;
    Ok(Json(view::device_in_full(&device, ops.now())))
}

/// Deletes a device: what it held is revoked, and it can't come back unasked.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}", tag = "devices", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_device(&who, names.device()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an operator says of a new device.
pub(super) fn asked(new: &wire::NewDevice) -> Result<AddDevice, Error> {
    Ok(AddDevice {
        name: new.name.parse()?,
        labels: new.labels.clone(),
        hardware: new
            .hardware
            .as_ref()
            .map(view::hardware_claimed)
            .transpose()?,
    })
}

/// Where a page starts.
pub(super) fn after<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Refusal> {
    text.map(|text| {
        let refused = |_| Refusal::invalid_request("query: `after` is the `next` of a page before");
        text.parse().map_err(refused)
    })
    .transpose()
}

/// How long a page is.
pub(super) fn limit(asked: Option<u32>) -> Result<usize, Refusal> {
    match asked.unwrap_or(100) {
        limit @ 1..=1000 => Ok(limit as usize),
        _ => Err(Refusal::invalid_request(
            "query: `limit` goes from 1 to 1000",
        )),
    }
}
