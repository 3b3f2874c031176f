use axum::Json;
use axum::extract::State;
use enlist_ops::{AskChallenge, Error, HardwareEvidence, TpmEndorsement, TpmEvidence};
use enlist_wire as wire;

use super::body::Body;
use crate::app::{App, Peer};
use crate::problem::Refusal;

/// A challenge that only one TPM can answer, and only by using the attestation key that was named. Any
/// server of the installation takes the answer.
#[utoipa::path(post, path = "/v1/device/enroll/challenge", tag = "device", security(()), request_body = wire::ChallengeRequest, responses((status = 200, body = wire::ChallengeReply)))]
pub(crate) async fn challenge(
    State(App { ops }): State<App>,
    peer: Peer,
    Body(asked): Body<wire::ChallengeRequest>,
) -> Result<Json<wire::ChallengeReply>, Refusal> {
    let made = ops.challenge(&AskChallenge {
        tenant: asked.tenant,
        group: asked.group,
        endorsement: TpmEndorsement {
            ek_public: asked.tpm.ek_public.0,
            ek_certificates: bytes(asked.tpm.ek_certificates),
            ak_public: asked.tpm.ak_public.0,
        },
        source: peer.source,
    })?;
    Ok(Json(wire::ChallengeReply {
        challenge: wire::Binary(made.challenge),
        credential_blob: wire::Binary(made.credential.blob),
        encrypted_secret: wire::Binary(made.credential.encrypted_secret),
        expires_at: wire::Time::from_millis(made.expires_at.as_millis()),
    }))
}

/// What a device brings to prove what it is.
pub(super) fn evidence(
    attestation: wire::Attestation,
    peer: &Peer,
) -> Result<HardwareEvidence, Error> {
    match (attestation.tpm, attestation.idevid) {
        (Some(tpm), None) => Ok(HardwareEvidence::Tpm(Box::new(TpmEvidence {
            endorsement: TpmEndorsement {
                ek_public: tpm.ek_public.0,
                ek_certificates: bytes(tpm.ek_certificates),
                ak_public: tpm.ak_public.0,
            },
            challenge: tpm.challenge.0,
            activated: tpm.activated.0,
            key_public: tpm.key_public.0,
            certify_info: tpm.certify_info.0,
            certify_signature: tpm.certify_signature.0,
        }))),
        (None, Some(wire::IdevidAttestation {})) => Ok(HardwareEvidence::Idevid(peer.chain())),
        _ => Err(Error::InvalidRequest(
            "`attestation` holds `tpm` or `idevid`, and not both".to_owned(),
        )),
    }
}

fn bytes(all: Vec<wire::Binary>) -> Vec<Vec<u8>> {
    all.into_iter().map(|one| one.0).collect()
}
