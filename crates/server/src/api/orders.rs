use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use enlist_wire as wire;

use super::body::{Body, Query};
use super::devices::limit;
use super::path::Names;
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

/// Orders a device to do something. It is told at its next poll, or at once if it waits. Where it was not
/// handed the same order yet, that one stands.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/orders", tag = "orders", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::NewOrder, responses((status = 201, body = wire::DeviceOrder)))]
pub(crate) async fn give(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewOrder>,
) -> Result<(StatusCode, Json<wire::DeviceOrder>), Refusal> {
    let order = asked(new.order)?;
    let envelope = new.envelope.as_ref().map(view::envelope_asked);
    let given = ops
        .order(&who, names.device(), order, envelope.transpose()?)
        .await?;
    Ok((StatusCode::CREATED, Json(view::order(&given))))
}

/// An order that destroys, signed by the server alone, to be completed with the signature of the group's
/// operators. The device is not given it yet.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/orders/draft", tag = "orders", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), request_body = wire::NewOrder, responses((status = 200, body = wire::Envelope)))]
pub(crate) async fn draft(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Body(new): Body<wire::NewOrder>,
) -> Result<Json<wire::Envelope>, Refusal> {
    let order = asked(new.order)?;
    let envelope = ops.draft_order(&who, names.device(), order).await?;
    Ok(Json(wire::Envelope(envelope.to_value())))
}

/// The orders to a device, the first one first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/orders", tag = "orders", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path), wire::OrdersQuery), responses((status = 200, body = wire::Page<wire::DeviceOrder>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::OrdersQuery>,
) -> Result<Json<wire::Page<wire::DeviceOrder>>, Refusal> {
    let no_number = |_| Refusal::invalid_request("query: after: not a number");
    let after = query.after.as_deref().unwrap_or("0");
    let after = after.parse().map_err(no_number)?;
    let page = ops
        .orders(&who, names.device(), after, limit(query.limit)?)
        .await?;
    Ok(Json(wire::Page {
        items: page.items.iter().map(view::order).collect(),
        next: page.next.map(|number| number.to_string()),
    }))
}

/// The receipts of a device, the newest first, each with the certificate whose key has signed it.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/devices/{device}/receipts", tag = "orders", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("group" = String, Path), ("device" = String, Path)), responses((status = 200, body = wire::Page<wire::DeviceReceipt>)))]
pub(crate) async fn receipts(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::DeviceReceipt>>, Refusal> {
    let found = ops.receipts(&who, names.device()).await?;
    let items: Result<_, _> = found
        .iter()
        .map(|(receipt, certificate)| view::receipt(receipt, certificate))
        .collect();
    Ok(Json(wire::Page::whole(items?)))
}

fn asked(order: wire::Order) -> Result<enlist_signed::Order, Refusal> {
    view::order_asked(order)
        .ok_or_else(|| Refusal::invalid_request("body: order: there is no such order"))
}
