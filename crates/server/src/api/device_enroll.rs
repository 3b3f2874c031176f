use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use enlist_core::{DeviceToken, ProvisioningSecret};
use enlist_ops::{Enrolled, Enrollment, EnrollmentOutcome, Error};
use enlist_wire as wire;

use super::attestation;
use super::body::Body;
use crate::app::{App, Peer};
use crate::problem::Refusal;
use crate::view;

/// Enrolls a device, exactly once: the same key, token and identity asking again get the same
/// recorded answer.
#[utoipa::path(post, path = "/v1/device/enroll", tag = "device", security(()), request_body = wire::EnrollRequest, responses((status = 200, body = wire::Enrolled), (status = 202, body = wire::Pending)))]
pub(crate) async fn enroll(
    State(App { ops }): State<App>,
    peer: Peer,
    Body(asked): Body<wire::EnrollRequest>,
) -> Result<Response, Refusal> {
    let secret = asked
        .secret
        .as_ref()
        .map(|text| ProvisioningSecret::parse(text.expose()));
    let enrollment = Enrollment {
        tenant: asked.tenant,
        group: asked.group,
        evidence: asked
            .attestation
            .map(|attestation| attestation::evidence(attestation, &peer))
            .transpose()?,
        secret: secret.transpose().map_err(|_| Error::SecretWrong)?,
        name: asked
            .name
            .map(|name| name.parse())
            .transpose()
            .map_err(Error::InvalidName)?,
        hardware: asked
            .hardware
            .as_ref()
            .and_then(|claim| view::hardware_claimed(claim).ok()),
        csr: asked.csr.0,
        token: Some(
            DeviceToken::parse(asked.device_token.expose()).map_err(Error::MalformedToken)?,
        ),
        ttl: asked.certificate_ttl_h.map(hours),
        source: peer.source,
    };
    Ok(match ops.enroll(enrollment).await? {
        EnrollmentOutcome::Enrolled(enrolled) => certified(&enrolled),
        EnrollmentOutcome::Pending {
            device,
            name,
            code,
            retry_after_s,
        } => {
            let pending = wire::Pending {
                device_id: wire::Uuid::from_bytes(*device.as_bytes()),
                name: name.to_string(),
                code: Some(code.to_string()),
                retry_after_s,
            };
            let later = [(RETRY_AFTER, retry_after_s.to_string())];
            (StatusCode::ACCEPTED, later, Json(pending)).into_response()
        }
    })
}

/// Room for the answer to a device that has a new certificate: with keys on P-256 it is of 3 KiB.
const ROOM: usize = 4096;

/// The answer to a device that has a new certificate. [`Json`] would begin with 128 bytes, and move all that
/// it has five times.
pub(super) fn certified(enrolled: &Enrolled) -> Response {
    let mut body = Vec::with_capacity(ROOM);
    match serde_json::to_writer(&mut body, &view::enrolled(enrolled)) {
        Ok(()) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => Refusal::from(Error::Inconsistent("an answer that is no JSON")).into_response(),
    }
}

pub(super) fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3600)
}
