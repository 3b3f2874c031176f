use axum::Json;
use axum::extract::State;
use enlist_core::Serial;
use enlist_ops::CertificateFilter;
use enlist_wire as wire;

use super::body::Query;
use super::devices::limit;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The certificates on record, of a tenant, a group or a device.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/certificates", tag = "certificates", security(("api_token" = ["viewer", "group"])), params(("tenant" = String, Path), wire::CertificatesQuery), responses((status = 200, body = wire::Page<wire::Certificate>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::CertificatesQuery>,
) -> Result<Json<wire::Page<wire::Certificate>>, Refusal> {
    let filter = CertificateFilter {
        group: query.group,
        device: query.device,
        after: query.after.as_deref().map(serial).transpose()?,
        limit: limit(query.limit)?,
    };
    let tenant = names.tenant.clone();
    let page = ops.certificates(&who, names.tenant, filter).await?;
    let now = ops.now();
    Ok(Json(wire::Page {
        items: page
            .items
            .iter()
            .map(|one| view::certificate(&tenant, one, now))
            .collect(),
        next: page.next.map(|serial| serial.to_string()),
    }))
}

fn serial(text: &str) -> Result<Serial, Refusal> {
    text.parse()
        .map_err(|_| Refusal::invalid_request("query: `after` is the `next` of a page before"))
}
