use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::{Error, What};
use enlist_wire as wire;

use super::body::OptionalBody;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The provisioning secrets of a group, without their texts.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/secrets", tag = "secrets", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 200, body = wire::Page<wire::Secret>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Secret>>, Refusal> {
    let secrets = ops.secrets(&who, names.group()).await?;
    let now = ops.now();
    Ok(Json(wire::Page::whole(
        secrets
            .iter()
            .map(|secret| view::secret(secret, now))
            .collect(),
    )))
}

/// Adds a provisioning secret. Its text is in the reply, and nowhere else ever after.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/secrets", tag = "secrets", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::NewSecret, responses((status = 201, body = wire::SecretCreated)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(new): OptionalBody<wire::NewSecret>,
) -> Result<(StatusCode, Json<wire::SecretCreated>), Refusal> {
    let added = ops
        .add_secret(&who, names.group(), view::add_secret(new)?)
        .await?;
    Ok((StatusCode::CREATED, Json(view::secret_created(&added))))
}

/// Adds a secret that takes the place of another, with its label and bounds; that one expires after an
/// overlap.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/secrets/rotate", tag = "secrets", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::RotateSecret, responses((status = 201, body = wire::SecretCreated)))]
pub(crate) async fn rotate(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(rotate): OptionalBody<wire::RotateSecret>,
) -> Result<(StatusCode, Json<wire::SecretCreated>), Refusal> {
    let overlap = Duration::from_secs(rotate.overlap_s);
    let added = ops
        .rotate_secret(&who, names.group(), rotate.secret, overlap)
        .await?;
    Ok((StatusCode::CREATED, Json(view::secret_created(&added))))
}

/// Withdraws a secret. Who has enrolled with it stays in.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}/secrets/{id}", tag = "secrets", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub(crate) async fn withdraw(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    let id = names.id.parse().map_err(|_| Error::NotFound {
        what: What::Secret,
        name: names.id.chars().take(80).collect(),
    })?;
    ops.withdraw_secret(&who, names.group(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
