use enlist_core::{CertificateRecord, RevocationReason, Standing, Timestamp};
use enlist_ops::{CertificateView, Slot};
use enlist_wire as wire;
use enlist_wire::CertificateStatus;

use super::{time, uuid};

pub(crate) fn certificate(
    tenant: &str,
    view: &CertificateView,
    now: Timestamp,
) -> wire::Certificate {
    let one = &view.certificate;
    let (revoked_at, reason) = match one.standing {
        Standing::Good => (None, None),
        Standing::Held(at) => (Some(at), Some("certificate-hold")),
        Standing::Revoked { at, reason } => (Some(at), Some(reason.as_str())),
    };
    let name = |name: &Option<enlist_core::Name>| {
        name.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    wire::Certificate {
        serial: one.serial.to_string(),
        fingerprint: one.fingerprint.to_hex(),
        tenant: tenant.to_owned(),
        group: name(&view.group),
        device: name(&view.device),
        device_id: uuid(one.device.as_bytes()),
        status: status(one, view.slot, now),
        not_before: time(one.not_before),
        not_after: time(one.not_after),
        revoked_at: revoked_at.map(time),
        reason: reason.map(str::to_owned),
    }
}

pub(super) fn status(
    certificate: &CertificateRecord,
    slot: Option<Slot>,
    now: Timestamp,
) -> CertificateStatus {
    match (certificate.standing, slot) {
        (Standing::Held(_), _) => CertificateStatus::Held,
        (
            Standing::Revoked {
                reason: RevocationReason::Superseded,
                ..
            },
            _,
        ) => CertificateStatus::Superseded,
        (Standing::Revoked { .. }, _) => CertificateStatus::Revoked,
        (Standing::Good, _) if now > certificate.not_after => CertificateStatus::Expired,
        (Standing::Good, Some(Slot::Previous)) => CertificateStatus::Previous,
        (Standing::Good, _) => CertificateStatus::Current,
    }
}
