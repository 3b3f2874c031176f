use axum::Json;
use axum::extract::State;
use enlist_core::Timestamp;
use enlist_ops::EventFilter;
use enlist_wire as wire;

use super::body::Query;
use super::devices::{after, limit};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// What happened, oldest first, to a tenant, a group or a device.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/events", tag = "events", security(("api_token" = ["viewer", "group"])), params(("tenant" = String, Path), wire::EventsQuery), responses((status = 200, body = wire::Page<wire::Event>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::EventsQuery>,
) -> Result<Json<wire::Page<wire::Event>>, Refusal> {
    let filter = EventFilter {
        group: query.group,
        device: query.device,
        kind: query.kind,
        actor: query.actor,
        since: query
            .since
            .map(|since| Timestamp::from_millis(since.as_millis())),
        after: after(query.after.as_deref())?,
        limit: limit(query.limit)?,
    };
    let tenant = names.tenant.clone();
    let page = ops.events(&who, names.tenant, filter).await?;
    Ok(Json(wire::Page {
        items: page
            .items
            .iter()
            .map(|one| view::event(&tenant, one))
            .collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}
