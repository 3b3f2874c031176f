use axum::Json;
use axum::extract::State;
use enlist_ops::{DeviceView, Spoken};
use enlist_wire as wire;

use super::body::OptionalBody;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

type Answer = Result<Json<wire::Device>, Refusal>;

fn answer(app: &App, device: &DeviceView) -> Answer {
    Ok(Json(view::device(device, app.ops.now())))
}

/// Suspends a device; its certificates go on hold.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/suspend", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn suspend(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app.ops.suspend(&who, names.device(), action.reason).await?;
    answer(&app, &device)
}

/// Lets a suspended device back; its certificates come off hold.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/resume", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn resume(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app.ops.resume(&who, names.device(), action.reason).await?;
    answer(&app, &device)
}

/// Revokes a device's credentials and keeps its name.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/deprovision", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn deprovision(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app
        .ops
        .deprovision(&who, names.device(), action.reason)
        .await?;
    answer(&app, &device)
}

/// Begins to decommission a device, or gives up waiting for its receipt.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/decommission", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn decommission(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = if action.give_up {
        app.ops
            .give_up_on(&who, names.device(), action.reason)
            .await?
    } else {
        let envelope = action.envelope.as_ref().map(view::envelope_asked);
        app.ops
            .decommission(&who, names.device(), envelope.transpose()?, action.reason)
            .await?
    };
    answer(&app, &device)
}

/// Lets a device that is gone enroll again, once.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/allow-reenroll", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn allow_reenroll(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app
        .ops
        .allow_reenroll(&who, names.device(), action.reason)
        .await?;
    answer(&app, &device)
}

/// Lets a waiting device in.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/approve", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn approve(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app
        .ops
        .approve(&who, names.device(), spoken(action))
        .await?;
    answer(&app, &device)
}

/// Turns a waiting device away.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/reject", tag = "lifecycle", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::DeviceAction, responses((status = 200, body = wire::Device)))]
pub(crate) async fn reject(
    State(app): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(action): OptionalBody<wire::DeviceAction>,
) -> Answer {
    let device = app.ops.reject(&who, names.device(), spoken(action)).await?;
    answer(&app, &device)
}

fn spoken(action: wire::DeviceAction) -> Spoken {
    Spoken {
        reason: action.reason,
        code: action.code,
    }
}
