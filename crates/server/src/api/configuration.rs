//! The configuration of devices: schemas and values.

use axum::Json;
use axum::extract::State;
use enlist_core::Operator;
use enlist_ops::{
    ApplyConfiguration, ApplySchema, ConfigurationOf, ConfigurationPath, DevicePath, GroupPath,
    Ops, Stating,
};
use enlist_wire as wire;

use super::body::{LargeBody, Query};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

type Applied = Result<Json<wire::ConfigurationApplied>, Refusal>;
type Shown = Result<Json<wire::Configuration>, Refusal>;
type History = Result<Json<wire::Page<wire::ConfigurationEntry>>, Refusal>;

/// Who signs the configuration of a group's devices, with all public keys. Every role may ask.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/signing", tag = "groups", security(("api_token" = ["any"])), params(("tenant" = String, Path), ("group" = String, Path)), responses((status = 200, body = wire::Signing)))]
pub(crate) async fn signing(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Signing>, Refusal> {
    let signing = ops.signing_of(&who, names.group()).await?;
    Ok(Json(view::signing(&signing)))
}

/// The schema of a group's configuration; `version` names an earlier one.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/schema", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), wire::SchemaQuery), responses((status = 200, body = wire::GroupSchema)))]
pub(crate) async fn schema(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::SchemaQuery>,
) -> Result<Json<wire::GroupSchema>, Refusal> {
    let schema = ops.schema(&who, names.group(), query.version).await?;
    Ok(Json(view::schema(schema)))
}

/// States the schema of a group's configuration.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/schema", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::ApplySchema, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn apply_schema(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::ApplySchema>,
) -> Applied {
    let apply = ApplySchema {
        stating: stating(body.expects, body.dry_run),
        schema: body.schema,
        migrations: body.migrations,
        envelope: body.envelope.map(|envelope| envelope.0),
    };
    let applied = ops.apply_schema(&who, names.group(), apply).await?;
    Ok(Json(view::applied(applied)))
}

/// The schemas that there were, newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/schema/history", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), wire::HistoryQuery), responses((status = 200, body = wire::Page<wire::ConfigurationEntry>)))]
pub(crate) async fn schema_history(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::HistoryQuery>,
) -> History {
    let path = of_group(names.group(), ConfigurationOf::Schema);
    history(&ops, &who, path, &query).await
}

/// Goes back to an earlier schema, under a new number.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/schema/rollback", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::RollbackRequest, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn rollback_schema(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::RollbackRequest>,
) -> Applied {
    let path = of_group(names.group(), ConfigurationOf::Schema);
    rollback(&ops, &who, path, &body).await
}

/// The values that are stated for a group.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/configuration", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), wire::ConfigurationQuery), responses((status = 200, body = wire::Configuration)))]
pub(crate) async fn group(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::ConfigurationQuery>,
) -> Shown {
    show(
        &ops,
        &who,
        of_group(names.group(), ConfigurationOf::Group),
        &query,
    )
    .await
}

/// States values for a group.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/configuration", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::ApplyConfiguration, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn apply_group(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::ApplyConfiguration>,
) -> Applied {
    apply(
        &ops,
        &who,
        of_group(names.group(), ConfigurationOf::Group),
        body,
    )
    .await
}

/// What was stated for a group, newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/configuration/history", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), wire::HistoryQuery), responses((status = 200, body = wire::Page<wire::ConfigurationEntry>)))]
pub(crate) async fn group_history(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::HistoryQuery>,
) -> History {
    history(
        &ops,
        &who,
        of_group(names.group(), ConfigurationOf::Group),
        &query,
    )
    .await
}

/// Goes back to what was stated for a group before, under a new number.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/configuration/rollback", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body = wire::RollbackRequest, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn rollback_group(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::RollbackRequest>,
) -> Applied {
    rollback(
        &ops,
        &who,
        of_group(names.group(), ConfigurationOf::Group),
        &body,
    )
    .await
}

/// The values that are stated for a device.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/configuration", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path), wire::ConfigurationQuery), responses((status = 200, body = wire::Configuration)))]
pub(crate) async fn device(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::ConfigurationQuery>,
) -> Shown {
    show(&ops, &who, of_device(names.device()), &query).await
}

/// States values for a device.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/configuration", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::ApplyConfiguration, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn apply_device(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::ApplyConfiguration>,
) -> Applied {
    apply(&ops, &who, of_device(names.device()), body).await
}

/// What was stated for a device, newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/configuration/history", tag = "configuration", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path), wire::HistoryQuery), responses((status = 200, body = wire::Page<wire::ConfigurationEntry>)))]
pub(crate) async fn device_history(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::HistoryQuery>,
) -> History {
    history(&ops, &who, of_device(names.device()), &query).await
}

/// Goes back to what was stated for a device before, under a new number.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/configuration/rollback", tag = "configuration", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::RollbackRequest, responses((status = 200, body = wire::ConfigurationApplied)))]
pub(crate) async fn rollback_device(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    LargeBody(body): LargeBody<wire::RollbackRequest>,
) -> Applied {
    rollback(&ops, &who, of_device(names.device()), &body).await
}

async fn show(
    ops: &Ops,
    who: &Operator,
    path: ConfigurationPath,
    query: &wire::ConfigurationQuery,
) -> Shown {
    let view = ops
        .configuration(who, path, query.version, query.effective, query.reveal)
        .await?;
    Ok(Json(view::configuration(view)))
}

async fn apply(
    ops: &Ops,
    who: &Operator,
    path: ConfigurationPath,
    body: wire::ApplyConfiguration,
) -> Applied {
    let apply = ApplyConfiguration {
        stating: stating(body.expects, body.dry_run),
        values: body.values,
        envelope: body.envelope.map(|envelope| envelope.0),
    };
    let applied = ops.apply_configuration(who, path, apply).await?;
    Ok(Json(view::applied(applied)))
}

async fn rollback(
    ops: &Ops,
    who: &Operator,
    path: ConfigurationPath,
    body: &wire::RollbackRequest,
) -> Applied {
    let stating = stating(body.expects, body.dry_run);
    let applied = ops
        .rollback_configuration(who, path, body.to, stating)
        .await?;
    Ok(Json(view::applied(applied)))
}

async fn history(
    ops: &Ops,
    who: &Operator,
    path: ConfigurationPath,
    query: &wire::HistoryQuery,
) -> History {
    let limit = match query.limit.unwrap_or(20) {
        limit @ 1..=100 => limit as usize,
        _ => {
            return Err(Refusal::invalid_request(
                "query: `limit` goes from 1 to 100",
            ));
        }
    };
    let page = ops
        .configuration_history(who, path, query.after, limit)
        .await?;
    Ok(Json(wire::Page {
        items: page
            .items
            .into_iter()
            .map(view::configuration_entry)
            .collect(),
        next: page.next.map(|version| version.to_string()),
    }))
}

fn of_group(group: GroupPath, of: ConfigurationOf) -> ConfigurationPath {
    ConfigurationPath { group, of }
}

fn of_device(path: DevicePath) -> ConfigurationPath {
    of_group(path.group, ConfigurationOf::Device(path.device))
}

fn stating(expects: Option<u64>, dry_run: bool) -> Stating {
    Stating { expects, dry_run }
}
