use axum::Json;
use axum::extract::State;
use enlist_wire as wire;

use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// Who holds the API token of this request.
#[utoipa::path(get, path = "/v1/whoami", tag = "access", security(("api_token" = ["any", "group"])), responses((status = 200, body = wire::Whoami)))]
pub(crate) async fn whoami(
    State(App { ops }): State<App>,
    Who(who): Who,
) -> Result<Json<wire::Whoami>, Refusal> {
    let (tenant, group) = ops.reach_of(&who).await?;
    Ok(Json(wire::Whoami {
        token_id: wire::Uuid::from_bytes(*who.token.as_bytes()),
        label: who.label,
        role: view::role(who.role),
        tenant: tenant.map(|name| name.to_string()),
        group: group.map(|name| name.to_string()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}
