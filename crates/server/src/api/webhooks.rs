use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_wire as wire;

use super::body::{Body, OptionalBody, Query};
use super::devices::{after, limit};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The webhooks of a tenant, and how their telling goes.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/webhooks", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Webhook>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Webhook>>, Refusal> {
    let webhooks = ops.webhooks(&who, names.tenant).await?;
    Ok(Json(wire::Page::whole(
        webhooks.iter().map(view::webhook).collect(),
    )))
}

/// Adds a webhook, which is told what happens from now on. Its signing secret is in the reply, and nowhere
/// else ever after.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/webhooks", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::NewWebhook, responses((status = 201, body = wire::WebhookSecret)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewWebhook>,
) -> Result<(StatusCode, Json<wire::WebhookSecret>), Refusal> {
    let added = ops
        .add_webhook(&who, names.tenant, view::add_webhook(new))
        .await?;
    Ok((StatusCode::CREATED, Json(view::webhook_secret(added))))
}

/// Deletes a webhook, and what waits for it.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/webhooks/{webhook}", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("webhook" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_webhook(&who, names.tenant, names.webhook)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another signing secret. For a day requests carry the signatures of both.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/webhooks/{webhook}/refresh", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("webhook" = String, Path)), responses((status = 201, body = wire::WebhookSecret)))]
pub(crate) async fn refresh(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<(StatusCode, Json<wire::WebhookSecret>), Refusal> {
    let refreshed = ops
        .refresh_webhook(&who, names.tenant, names.webhook)
        .await?;
    Ok((StatusCode::CREATED, Json(view::webhook_secret(refreshed))))
}

/// Sends a webhook a test at once, and says how it went.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/webhooks/{webhook}/test", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("webhook" = String, Path)), responses((status = 200, body = wire::WebhookTested)))]
pub(crate) async fn test(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::WebhookTested>, Refusal> {
    let ping = view::webhook_ping(&names.tenant, &names.webhook, ops.now());
    let tested = ops
        .test_webhook(&who, names.tenant, names.webhook, ping)
        .await?;
    Ok(Json(view::webhook_tested(tested)))
}

/// What a webhook could not be told within a day, first things first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/webhooks/{webhook}/dead-letters", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("webhook" = String, Path), wire::DeadLettersQuery), responses((status = 200, body = wire::Page<wire::DeadLetter>)))]
pub(crate) async fn dead_letters(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::DeadLettersQuery>,
) -> Result<Json<wire::Page<wire::DeadLetter>>, Refusal> {
    let after = after(query.after.as_deref())?.unwrap_or(0);
    let limit = limit(query.limit)?;
    let page = ops
        .dead_letters(&who, names.tenant, names.webhook, after, limit)
        .await?;
    Ok(Json(wire::Page {
        items: page.items.iter().map(view::dead_letter).collect(),
        next: page.next.map(|seq| seq.to_string()),
    }))
}

/// Tries dead letters again, for another day: one, or all.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/webhooks/{webhook}/dead-letters/retry", tag = "webhooks", security(("api_token" = ["admin"])), params(("tenant" = String, Path), ("webhook" = String, Path)), request_body = wire::RetryDeadLetters, responses((status = 200, body = wire::DeadLettersRetried)))]
pub(crate) async fn retry_dead_letters(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(which): OptionalBody<wire::RetryDeadLetters>,
) -> Result<Json<wire::DeadLettersRetried>, Refusal> {
    let which = view::retry_asked(&which);
    let retried = ops
        .retry_dead_letters(&who, names.tenant, names.webhook, which)
        .await?;
    Ok(Json(wire::DeadLettersRetried { retried }))
}
