use axum::Json;
use axum::extract::State;
use enlist_core::DeviceToken;
use enlist_ops::Error;
use enlist_wire as wire;

use super::body::{Body, LargeBody, OptionalBody};
use crate::app::{App, Peer};
use crate::problem::Refusal;
use crate::view;

/// Gives the device the token that it has made. The one before stays good until the device is known to
/// hold this one.
#[utoipa::path(post, path = "/v1/device/token", tag = "device", security(()), request_body = wire::TokenRequest, responses((status = 200, body = wire::DeviceSelf)))]
pub(crate) async fn token(
    State(App { ops }): State<App>,
    peer: Peer,
    Body(asked): Body<wire::TokenRequest>,
) -> Result<Json<wire::DeviceSelf>, Refusal> {
    let token = DeviceToken::parse(asked.device_token.expose()).map_err(Error::MalformedToken)?;
    let certificate = peer.certificate.map(|der| der.to_vec());
    let taken = ops
        .take_token(certificate, token.digest(), peer.source)
        .await?;
    Ok(Json(view::device_self(&taken)))
}

/// The device says that it is about to be wiped.
#[utoipa::path(post, path = "/v1/device/decommission", tag = "device", security(()), request_body = wire::Farewell, responses((status = 200, body = wire::DeviceSelf)))]
pub(crate) async fn farewell(
    State(App { ops }): State<App>,
    peer: Peer,
    OptionalBody(said): OptionalBody<wire::Farewell>,
) -> Result<Json<wire::DeviceSelf>, Refusal> {
    let certificate = peer.certificate.map(|der| der.to_vec());
    let left = ops.farewell(certificate, said.reason, peer.source).await?;
    Ok(Json(view::device_self(&left)))
}

/// Takes the receipt of a wiped device. It proves itself: nothing else is asked for.
#[utoipa::path(post, path = "/v1/device/receipt", tag = "device", security(()), request_body = wire::ReceiptRequest, responses((status = 200, body = wire::ReceiptReply)))]
pub(crate) async fn receipt(
    State(App { ops }): State<App>,
    peer: Peer,
    LargeBody(asked): LargeBody<wire::ReceiptRequest>,
) -> Result<Json<wire::ReceiptReply>, Refusal> {
    let envelope = view::envelope_asked(&asked.receipt)?;
    let kept = ops.take_receipt(envelope, peer.source).await?;
    Ok(Json(view::receipt_taken(&kept)))
}
