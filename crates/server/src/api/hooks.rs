use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_wire as wire;

use super::body::{Body, OptionalBody};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The hooks of a tenant's groups.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/hooks", tag = "hooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Hook>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Hook>>, Refusal> {
    let hooks = ops.hooks(&who, names.tenant).await?;
    Ok(Json(wire::Page::whole(
        hooks.iter().map(view::hook).collect(),
    )))
}

/// Gives a group a hook, which is asked about each newcomer from now on. Its signing secret is in the reply,
/// and nowhere else ever after.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/hook", tag = "hooks", security(("api_token" = ["admin", "tenant"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::NewHook, responses((status = 201, body = wire::HookSecret)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewHook>,
) -> Result<(StatusCode, Json<wire::HookSecret>), Refusal> {
    let added = ops
        .add_hook(&who, names.group(), view::add_hook(new))
        .await?;
    Ok((StatusCode::CREATED, Json(view::hook_secret(added))))
}

/// Takes the hook of a group away: its policy alone decides then.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}/hook", tag = "hooks", security(("api_token" = ["admin", "tenant"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_hook(&who, names.group()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a hook another signing secret. For as long as is asked for requests carry the signatures of both.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/hook/refresh", tag = "hooks", security(("api_token" = ["admin", "tenant"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::RefreshHook, responses((status = 201, body = wire::HookSecret)))]
pub(crate) async fn refresh(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(asked): OptionalBody<wire::RefreshHook>,
) -> Result<(StatusCode, Json<wire::HookSecret>), Refusal> {
    let overlap = Duration::from_secs(asked.overlap_s);
    let refreshed = ops.refresh_hook(&who, names.group(), overlap).await?;
    Ok((StatusCode::CREATED, Json(view::hook_secret(refreshed))))
}

/// Asks a hook about a device that there is not, and says what it has answered.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/hook/test", tag = "hooks", security(("api_token" = ["admin", "tenant"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 200, body = wire::HookTested)))]
pub(crate) async fn test(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::HookTested>, Refusal> {
    let tested = ops.test_hook(&who, names.group()).await?;
    Ok(Json(view::hook_tested(tested)))
}
