use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::Error;
use enlist_pki::Certificate;
use enlist_wire as wire;

use super::body::Body;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The tenants that the token can see.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", security(("api_token" = ["viewer", "group"])), responses((status = 200, body = wire::Page<wire::Tenant>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
) -> Result<Json<wire::Page<wire::Tenant>>, Refusal> {
    let tenants = ops.tenants(&who).await?;
    Ok(Json(wire::Page::whole(
        tenants.iter().map(view::tenant).collect(),
    )))
}

/// Makes a tenant with an issuing CA of its own, or with the request for one.
#[utoipa::path(post, path = "/v1/tenants", tag = "tenants", security(("api_token" = ["admin", "installation"])), request_body = wire::NewTenant, responses((status = 201, body = wire::Tenant)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    Body(new): Body<wire::NewTenant>,
) -> Result<(StatusCode, Json<wire::Tenant>), Refusal> {
    let name = new.name.parse().map_err(Error::InvalidName)?;
    let tenant = ops.add_tenant(&who, name, new.request_ca).await?;
    Ok((StatusCode::CREATED, Json(view::tenant(&tenant))))
}

/// Whom the tenant's devices and their consumers believe.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/issuing-ca", tag = "tenants", security(("api_token" = ["any", "group"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::IssuingCa)))]
pub(crate) async fn issuing_ca(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::IssuingCa>, Refusal> {
    let authority = ops.tenant_authority(&who, names.tenant).await?;
    let anchors: Vec<_> = authority.anchors.iter().map(Certificate::to_pem).collect();
    Ok(Json(wire::IssuingCa {
        certificate: authority.issuing.to_pem(),
        anchor: anchors.first().cloned().unwrap_or_default(),
        root: authority.root.to_pem(),
        chain: authority.chain.iter().map(Certificate::to_pem).collect(),
        anchors,
    }))
}
