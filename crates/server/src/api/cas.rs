use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_ops::RetireCa;
use enlist_wire as wire;

use super::body::{Body, OptionalBody};
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// The issuing CAs that a tenant has and had, newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/cas", tag = "cas", security(("api_token" = ["any"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Ca>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Ca>>, Refusal> {
    let cas = ops.cas(&who, names.tenant).await?;
    Ok(Json(wire::Page::whole(cas.iter().map(view::ca).collect())))
}

/// Makes the issuing CA that is to follow the current one, or the request for one.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/cas", tag = "cas", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::NewCa, responses((status = 201, body = wire::CaAdded)))]
pub(crate) async fn add(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(new): OptionalBody<wire::NewCa>,
) -> Result<(StatusCode, Json<wire::CaAdded>), Refusal> {
    let added = ops.add_ca(&who, names.tenant, new.request).await?;
    Ok((StatusCode::CREATED, Json(view::ca_added(&added))))
}

/// Retires the issuing CA of a tenant: the next one issues from then on.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/cas/retire", tag = "cas", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::RetireCa, responses((status = 200, body = wire::Ca)))]
pub(crate) async fn retire(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    OptionalBody(asked): OptionalBody<wire::RetireCa>,
) -> Result<Json<wire::Ca>, Refusal> {
    let mut retire = RetireCa {
        force: asked.force,
        ..RetireCa::default()
    };
    if let Some(hours) = asked.overlap_h {
        retire.overlap = Duration::from_secs(u64::from(hours) * 3600);
    }
    let ca = ops.retire_ca(&who, names.tenant, retire).await?;
    Ok(Json(view::ca(&ca)))
}

/// Renews the issuing CA of a tenant over the name and key that it has, or makes the request for that.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/cas/renew", tag = "cas", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::RenewCa, responses((status = 200, body = wire::CaAdded)))]
pub(crate) async fn renew(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    // Read, although it says nothing: a connection with an unread body can't be used again.
    OptionalBody(wire::RenewCa {}): OptionalBody<wire::RenewCa>,
) -> Result<Json<wire::CaAdded>, Refusal> {
    let renewed = ops.renew_ca(&who, names.tenant).await?;
    Ok(Json(view::ca_added(&renewed)))
}

/// Completes a request with the certificate that a root from elsewhere has signed.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/cas/import", tag = "cas", security(("api_token" = ["admin"])), params(("tenant" = String, Path)), request_body = wire::ImportCa, responses((status = 201, body = wire::Ca)))]
pub(crate) async fn import(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(asked): Body<wire::ImportCa>,
) -> Result<(StatusCode, Json<wire::Ca>), Refusal> {
    let ca = ops
        .import_ca(&who, names.tenant, asked.certificates)
        .await?;
    Ok((StatusCode::CREATED, Json(view::ca(&ca))))
}

/// The requests that wait for a root from elsewhere, oldest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/ca-requests", tag = "cas", security(("api_token" = ["any"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::CaRequest>)))]
pub(crate) async fn requests(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::CaRequest>>, Refusal> {
    let requests = ops.ca_requests(&who, names.tenant).await?;
    let requests = requests.iter().map(view::ca_request).collect();
    Ok(Json(wire::Page::whole(requests)))
}
