//! `simpleenroll` and `simplereenroll` (RFC 7030 section 4.2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use enlist_core::{ApprovalCode, Name};
use enlist_ops::{Enrolled, Enrollment, EnrollmentOutcome, HardwareEvidence, Reenrollment};

use super::answer::{self, CERTS_ONLY};
use super::basic::Basic;
use super::body;
use super::label::{Label, Place};
use super::refusal::EstRefusal;
use crate::app::{App, Peer};
use crate::problem;

/// Enrolls a device by its name and provisioning secret, or by the certificate that its manufacturer has
/// given it.
pub(super) async fn simple_enroll(
    State(app): State<App>,
    peer: Peer,
    Label(label): Label,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, EstRefusal> {
    let enrollment = enrollment(&headers, &body, label, &peer)?;
    let by_certificate = enrollment.evidence.is_some();
    let outcome = app.ops.enroll(enrollment).await;
    let outcome = outcome.map_err(|error| EstRefusal::of_enrollment(error, by_certificate))?;
    answer(&headers, &outcome)
}

/// Issues the next certificate to a device that shows the one it has. One that shows none enrolls
/// once more, by secret and key.
pub(super) async fn simple_reenroll(
    State(app): State<App>,
    peer: Peer,
    Label(label): Label,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, EstRefusal> {
    let Some(certificate) = &peer.certificate else {
        return simple_enroll(State(app), peer, Label(label), headers, body).await;
    };
    let asked = Reenrollment {
        certificate: Some(certificate.to_vec()),
        csr: body::csr(&headers, &body)?,
        place: label.map(|place| (place.tenant, place.group)),
        source: peer.source,
    };
    issued(&headers, &app.ops.reenroll(asked).await?)
}

/// What a newcomer asks for.
pub(super) fn enrollment(
    headers: &HeaderMap,
    body: &[u8],
    label: Option<Place>,
    peer: &Peer,
) -> Result<Enrollment, EstRefusal> {
    let (place, secret, name, evidence) = if by_manufacturer(headers, peer) {
        let evidence = HardwareEvidence::Idevid(peer.chain());
        (label.unwrap_or_default(), None, None, Some(evidence))
    } else {
        let basic = Basic::read(headers)?;
        (
            basic.place(label)?,
            Some(basic.secret),
            Some(basic.name),
            None,
        )
    };
    Ok(Enrollment {
        csr: body::csr(headers, body)?,
        tenant: place.tenant,
        group: place.group,
        secret,
        evidence,
        name,
        hardware: None,
        token: None,
        ttl: None,
        source: peer.source,
    })
}

/// Whether a client shows a certificate and nothing else.
fn by_manufacturer(headers: &HeaderMap, peer: &Peer) -> bool {
    peer.certificate.is_some() && !headers.contains_key(AUTHORIZATION)
}

fn answer(headers: &HeaderMap, outcome: &EnrollmentOutcome) -> Result<Response, EstRefusal> {
    match outcome {
        EnrollmentOutcome::Enrolled(enrolled) => issued(headers, enrolled),
        EnrollmentOutcome::Pending {
            name,
            code,
            retry_after_s,
            ..
        } => Ok(later(name, code, *retry_after_s)),
    }
}

fn issued(headers: &HeaderMap, enrolled: &Enrolled) -> Result<Response, EstRefusal> {
    let bundle = answer::issued(&enrolled.certificate.der)?;
    Ok(answer::base64(headers, CERTS_ONLY, &bundle))
}

/// Tells a client to come back when a person has said yes.
pub(super) fn later(name: &Name, code: &ApprovalCode, retry_after_s: u64) -> Response {
    let text = format!(
        "`{name}` waits for a person to approve it, who knows it by the code {code}: ask again with the same key\n"
    );
    problem::accepted(retry_after_s, text)
}
