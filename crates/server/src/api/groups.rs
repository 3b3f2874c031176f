use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::Error;
use enlist_wire as wire;

use super::body::Body;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The groups of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups", tag = "groups", security(("api_token" = ["viewer", "group"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Group>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Group>>, Refusal> {
    let (tenant, groups) = ops.groups(&who, names.tenant).await?;
    let tenant = tenant.name.as_str();
    Ok(Json(wire::Page::whole(
        groups
            .iter()
            .map(|group| view::group(tenant, group))
            .collect(),
    )))
}

/// Adds a group, with its first provisioning secret unless it is to have none.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups", tag = "groups", security(("api_token" = ["operator"])), params(("tenant" = String, Path)), request_body = wire::NewGroup, responses((status = 201, body = wire::GroupCreated)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewGroup>,
) -> Result<(StatusCode, Json<wire::GroupCreated>), Refusal> {
    let name = new.name.parse().map_err(Error::InvalidName)?;
    let add = view::add_group(&new, ops.new_group_rules(name))?;
    let added = ops.add_group(&who, names.tenant, add).await?;
    Ok((StatusCode::CREATED, Json(view::group_created(&added))))
}

/// One group.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 200, body = wire::Group)))]
pub(crate) async fn one(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Group>, Refusal> {
    let (tenant, group) = ops.group(&who, names.group()).await?;
    Ok(Json(view::group(tenant.name.as_str(), &group)))
}

/// Changes a group's rules. They hold for what comes: certificates stay as they are until they are renewed.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::GroupChange, responses((status = 200, body = wire::Group)))]
pub(crate) async fn change(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(change): Body<wire::GroupChange>,
) -> Result<Json<wire::Group>, Refusal> {
    let change = view::change_group(&change)?;
    let (tenant, group) = ops.change_group(&who, names.group(), change).await?;
    Ok(Json(view::group(tenant.name.as_str(), &group)))
}

/// Deletes a group that has no devices.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_group(&who, names.group()).await?;
    Ok(StatusCode::NO_CONTENT)
}
