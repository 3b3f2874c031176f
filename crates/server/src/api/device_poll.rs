use std::time::Duration;

use axum::Json;
use axum::extract::State;
use enlist_wire as wire;

use super::body::{Body, Query};
use crate::app::{App, Peer};
use crate::problem::Refusal;
use crate::view;

/// Waiting times that are taken, in seconds, and the one that counts where none is given.
const WAIT: std::ops::RangeInclusive<u32> = 1..=300;
const A_WAIT: u32 = 60;

/// Takes down what a device says of itself, and tells it what there is for it. Polling with a new
/// certificate retires the one before.
#[utoipa::path(post, path = "/v1/device/poll", tag = "device", security(()), request_body = wire::PollRequest, responses((status = 200, body = wire::PollReply)))]
pub(crate) async fn poll(
    State(App { ops }): State<App>,
    peer: Peer,
    Body(request): Body<wire::PollRequest>,
) -> Result<Json<wire::PollReply>, Refusal> {
    let certificate = peer.certificate.map(|der| der.to_vec());
    let said = view::said(request)?;
    let polled = ops.poll(certificate, said, peer.source).await?;
    Ok(Json(view::polled(polled)?))
}

/// Answers when there is something for the device to poll for, or when the time is up.
#[utoipa::path(get, path = "/v1/device/wait", tag = "device", security(()), params(wire::WaitQuery), responses((status = 200, body = wire::WaitReply)))]
pub(crate) async fn wait(
    State(App { ops }): State<App>,
    peer: Peer,
    Query(query): Query<wire::WaitQuery>,
) -> Result<Json<wire::WaitReply>, Refusal> {
    let seconds = query.seconds.unwrap_or(A_WAIT);
    if !WAIT.contains(&seconds) {
        return Err(Refusal::invalid_request("query: seconds: 1 to 300"));
    }
    let certificate = peer.certificate.map(|der| der.to_vec());
    let longest = Duration::from_secs(seconds.into());
    let poll = ops.wait(certificate, longest, peer.source).await?;
    Ok(Json(wire::WaitReply { poll }))
}
