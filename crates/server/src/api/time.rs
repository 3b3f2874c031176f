use axum::Json;
use axum::extract::State;
use enlist_wire as wire;

use crate::app::App;

/// The server's time, for devices that have lost theirs.
#[utoipa::path(get, path = "/v1/time", tag = "device", security(()), responses((status = 200, body = wire::ServerTime)))]
pub(crate) async fn time(State(App { ops }): State<App>) -> Json<wire::ServerTime> {
    let time = wire::Time::from_millis(ops.now().as_millis());
    Json(wire::ServerTime { time })
}
