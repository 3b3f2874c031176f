use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_core::{ApiTokenId, Operator};
use enlist_ops::{AddToken, Error, Ops, What};
use enlist_wire as wire;

use super::body::Body;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The API tokens of a tenant, without their texts.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/tokens", tag = "access", security(("api_token" = ["admin", "group"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Token>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Token>>, Refusal> {
    list_in(&ops, &who, Some(names.tenant)).await
}

/// The API tokens of the whole installation, without their texts.
#[utoipa::path(get, path = "/v1/tokens", tag = "access", security(("api_token" = ["admin", "installation"])), responses((status = 200, body = wire::Page<wire::Token>)))]
pub(crate) async fn list_installation(
    State(App { ops }): State<App>,
    Who(who): Who,
) -> Result<Json<wire::Page<wire::Token>>, Refusal> {
    list_in(&ops, &who, None).await
}

/// Makes an API token of a tenant. Its text is in the reply, and nowhere else ever after.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/tokens", tag = "access", security(("api_token" = ["admin", "group"])), params(("tenant" = String, Path)), request_body = wire::NewToken, responses((status = 201, body = wire::TokenCreated)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewToken>,
) -> Result<(StatusCode, Json<wire::TokenCreated>), Refusal> {
    add_in(&ops, &who, Some(names.tenant), new).await
}

/// Makes an API token of the whole installation.
#[utoipa::path(post, path = "/v1/tokens", tag = "access", security(("api_token" = ["admin", "installation"])), request_body = wire::NewToken, responses((status = 201, body = wire::TokenCreated)))]
pub(crate) async fn add_installation(
    State(App { ops }): State<App>,
    Who(who): Who,
    Body(new): Body<wire::NewToken>,
) -> Result<(StatusCode, Json<wire::TokenCreated>), Refusal> {
    add_in(&ops, &who, None, new).await
}

/// Withdraws an API token of a tenant: its next use is refused.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/tokens/{id}", tag = "access", security(("api_token" = ["admin", "group"])), params(("tenant" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub(crate) async fn withdraw(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    let id = id(&names)?;
    ops.withdraw_token(&who, Some(names.tenant), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraws an API token of the whole installation.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "access", security(("api_token" = ["admin", "installation"])), params(("id" = String, Path)), responses((status = 204)))]
pub(crate) async fn withdraw_installation(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.withdraw_token(&who, None, id(&names)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_in(
    ops: &Ops,
    who: &Operator,
    tenant: Option<String>,
) -> Result<Json<wire::Page<wire::Token>>, Refusal> {
    let tokens = ops.tokens(who, tenant.clone()).await?;
    let tenant = tenant.as_deref();
    Ok(Json(wire::Page::whole(
        tokens
            .iter()
            .map(|token| view::token(tenant, token))
            .collect(),
    )))
}

async fn add_in(
    ops: &Ops,
    who: &Operator,
    tenant: Option<String>,
    new: wire::NewToken,
) -> Result<(StatusCode, Json<wire::TokenCreated>), Refusal> {
    let add = AddToken {
        label: new.label,
        role: view::role_asked(new.role),
        group: new.group,
        expires_in: new.expires_in_s.map(Duration::from_secs),
    };
    let added = ops.add_token(who, tenant, add).await?;
    Ok((StatusCode::CREATED, Json(view::token_created(&added))))
}

fn id(names: &Names) -> Result<ApiTokenId, Error> {
    names.id.parse().map_err(|_| Error::NotFound {
        what: What::Token,
        name: names.id.chars().take(80).collect(),
    })
}
