use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::RetireRoot;
use enlist_wire as wire;

use super::body::{Body, OptionalBody, Query};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The roots there are and were, newest first. Any API token may see them.
#[utoipa::path(get, path = "/v1/roots", tag = "roots", security(("api_token" = ["any", "group"])), responses((status = 200, body = wire::Page<wire::Root>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
) -> Result<Json<wire::Page<wire::Root>>, Refusal> {
    let roots = ops.roots(&who).await?;
    Ok(Json(wire::Page::whole(
        roots.iter().map(view::root).collect(),
    )))
}

/// Makes the root that is to follow the current one, which vouches for it. Devices are offered it from
/// then on.
#[utoipa::path(post, path = "/v1/roots", tag = "roots", security(("api_token" = ["admin", "installation"])), request_body = wire::NewRoot, responses((status = 201, body = wire::Root)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    // Read, although it says nothing: a connection with an unread body can't be used again.
    OptionalBody(wire::NewRoot {}): OptionalBody<wire::NewRoot>,
) -> Result<(StatusCode, Json<wire::Root>), Refusal> {
    let root = ops.add_root(&who).await?;
    Ok((StatusCode::CREATED, Json(view::root(&root))))
}

/// Retires the current root: the next one takes its place, and all CAs stand under it from then on.
#[utoipa::path(post, path = "/v1/roots/retire", tag = "roots", security(("api_token" = ["admin", "installation"])), request_body = wire::RetireRoot, responses((status = 200, body = wire::Root)))]
pub(crate) async fn retire(
    State(App { ops }): State<App>,
    Who(who): Who,
    OptionalBody(asked): OptionalBody<wire::RetireRoot>,
) -> Result<Json<wire::Root>, Refusal> {
    let retire = RetireRoot {
        threshold: asked.threshold.unwrap_or(100),
        force: asked.force,
    };
    let root = ops.retire_root(&who, retire).await?;
    Ok(Json(view::root(&root)))
}

/// A copy of the current root's key, encrypted with the passphrase that is sent.
#[utoipa::path(post, path = "/v1/roots/export", tag = "roots", security(("api_token" = ["admin", "installation"])), request_body = wire::ExportRoot, responses((status = 200, body = wire::RootExported)))]
pub(crate) async fn export(
    State(App { ops }): State<App>,
    Who(who): Who,
    Body(asked): Body<wire::ExportRoot>,
) -> Result<Json<wire::RootExported>, Refusal> {
    let exported = ops
        .export_root(&who, asked.passphrase.into_secret())
        .await?;
    Ok(Json(wire::RootExported {
        certificate: exported.certificate.to_pem(),
        key: exported.key_pem,
    }))
}

/// Forgets the key of the current root, once a copy of it was shown to work.
#[utoipa::path(post, path = "/v1/roots/take-offline", tag = "roots", security(("api_token" = ["admin", "installation"])), request_body = wire::TakeRootOffline, responses((status = 200, body = wire::Root)))]
pub(crate) async fn take_offline(
    State(App { ops }): State<App>,
    Who(who): Who,
    Body(proof): Body<wire::TakeRootOffline>,
) -> Result<Json<wire::Root>, Refusal> {
    let root = ops.take_root_offline(&who, proof.signature.0).await?;
    Ok(Json(view::root(&root)))
}

/// How far the devices of a tenant are with the next root.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/rollover", tag = "roots", security(("api_token" = ["viewer", "group"])), params(("tenant" = String, Path), wire::RolloverQuery), responses((status = 200, body = wire::Rollover)))]
pub(crate) async fn rollover(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::RolloverQuery>,
) -> Result<Json<wire::Rollover>, Refusal> {
    let rollover = ops
        .rollover(&who, names.tenant, query.group, query.missing)
        .await?;
    Ok(Json(view::rollover(&rollover)))
}

/// Says yes to a root for a group that signs its configuration itself: its devices take none without.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/trust", tag = "roots", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::RootApproval, responses((status = 204)))]
pub(crate) async fn approve(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(asked): Body<wire::RootApproval>,
) -> Result<StatusCode, Refusal> {
    let approval = asked.approval.0;
    ops.approve_root(&who, names.group(), approval).await?;
    Ok(StatusCode::NO_CONTENT)
}
