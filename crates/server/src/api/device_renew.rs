use axum::Json;
use axum::extract::State;
use axum::response::Response;
use enlist_core::{DeviceId, DeviceToken, RequestId};
use enlist_ops::{Error, Evidence, RenewalAsked, TokenEvidence};
use enlist_wire as wire;

use super::body::Body;
use super::device_enroll::{certified, hours};
use crate::app::{App, Peer};
use crate::problem::Refusal;

/// A nonce for a device to sign. It is given to whoever asks, and says nothing.
#[utoipa::path(post, path = "/v1/device/nonce", tag = "device", security(()), request_body = wire::NonceRequest, responses((status = 200, body = wire::NonceReply)))]
pub(crate) async fn nonce(
    State(App { ops }): State<App>,
    Body(asked): Body<wire::NonceRequest>,
) -> Json<wire::NonceReply> {
    let nonce = ops.nonce(DeviceId::from_bytes(asked.device_id.into_bytes()));
    Json(wire::NonceReply {
        nonce: wire::Binary(nonce.nonce),
        expires_at: wire::Time::from_millis(nonce.expires_at.as_millis()),
    })
}

/// Renews a device's certificate: by its client certificate, or by token and key.
#[utoipa::path(post, path = "/v1/device/renew", tag = "device", security(()), request_body = wire::RenewRequest, responses((status = 200, body = wire::Enrolled)))]
pub(crate) async fn renew(
    State(App { ops }): State<App>,
    peer: Peer,
    Body(asked): Body<wire::RenewRequest>,
) -> Result<Response, Refusal> {
    let evidence = match (asked.proof, peer.certificate) {
        (Some(proof), _) => Evidence::Token(TokenEvidence {
            token: DeviceToken::parse(proof.device_token.expose())
                .map_err(Error::MalformedToken)?,
            nonce: proof.nonce.0,
            signature: proof.signature.0,
        }),
        (None, Some(certificate)) => Evidence::Certificate(certificate.to_vec()),
        (None, None) => return Err(Error::NoEvidence.into()),
    };
    let renewal = RenewalAsked {
        device: DeviceId::from_bytes(asked.device_id.into_bytes()),
        csr: asked.csr.0,
        counter: asked.counter,
        request: RequestId::from_bytes(asked.request_id.into_bytes()),
        ttl: asked.certificate_ttl_h.map(hours),
        evidence,
        source: peer.source,
    };
    let enrolled = ops.renew(renewal).await?;
    Ok(certified(&enrolled))
}
