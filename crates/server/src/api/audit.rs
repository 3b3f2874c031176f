use axum::Json;
use axum::body::Body as Stream;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use enlist_core::explain;
use enlist_ops::{Error, EventExport};
use enlist_signed::audit::Line;
use enlist_wire as wire;
use futures_util::stream;

use super::body::Query;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;

const NDJSON: &str = "application/x-ndjson";

/// The record of a tenant's events for auditors, one JSON object a line: events with their places in the
/// chain, signed heads between them, and a fresh head at the end. `enlist verify events` verifies it, and
/// `docs/audit.md` says how to do without.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/events/export", tag = "events", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), wire::ExportQuery), responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub(crate) async fn export(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::ExportQuery>,
) -> Result<Response, Refusal> {
    if query.limit == Some(0) {
        return Err(Refusal::invalid_request("limit: 1 at least"));
    }
    let since = query.since.unwrap_or(0);
    let export = ops
        .export_events(&who, names.tenant, since, query.limit)
        .await?;
    // Nothing is read ahead: who takes it slowly costs a page of memory.
    let pages = stream::try_unfold(export, page);
    Ok(([(CONTENT_TYPE, NDJSON)], Stream::from_stream(pages)).into_response())
}

async fn page(mut export: EventExport) -> Result<Option<(Vec<u8>, EventExport)>, Error> {
    let lines = export.next().await.inspect_err(|error| {
        // The reader sees but an end that comes too early.
        tracing::warn!(error = %explain(&error), "an export of events was broken off");
    })?;
    Ok(lines.map(|lines| (lines.iter().flat_map(Line::to_bytes).collect(), export)))
}

/// The public key that heads are signed with. Auditors pin it.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/audit-key", tag = "events", security(("api_token" = ["viewer"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::AuditKey)))]
pub(crate) async fn key(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::AuditKey>, Refusal> {
    let tenant = names.tenant.clone();
    let key = ops.audit_key(&who, names.tenant).await?;
    Ok(Json(wire::AuditKey {
        tenant,
        public_key: key.key.to_pem(),
        fingerprint: key.fingerprint.to_string(),
        events: key.events,
        broken_at: key.broken_at,
    }))
}
