use axum::Json;
use axum::extract::State;
use enlist_wire as wire;

use crate::app::{App, Peer};
use crate::problem::Refusal;
use crate::view;

/// What the server knows of the device whose client certificate this connection has. Asking with
/// a new certificate retires the one before.
#[utoipa::path(get, path = "/v1/device", tag = "device", security(()), responses((status = 200, body = wire::DeviceSelf)))]
pub(crate) async fn device_self(
    State(App { ops }): State<App>,
    peer: Peer,
) -> Result<Json<wire::DeviceSelf>, Refusal> {
    let certificate = peer.certificate.map(|der| der.to_vec());
    let found = ops.device_self(certificate, peer.source).await?;
    Ok(Json(view::device_self(&found)))
}
