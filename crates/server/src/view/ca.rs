use enlist_core::CaStanding;
use enlist_ops::{CaAdded, CaKeyPlace, CaRequestView, CaView};
use enlist_pki::Certificate;
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn ca(ca: &CaView) -> wire::Ca {
    wire::Ca {
        ca_id: uuid(ca.id.as_bytes()),
        standing: match ca.standing {
            CaStanding::Next => wire::CaStanding::Next,
            CaStanding::Current => wire::CaStanding::Current,
            CaStanding::Retired => wire::CaStanding::Retired,
        },
        fingerprint: ca.certificate.fingerprint_hex(),
        certificate: ca.certificate.to_pem(),
        chain: ca.chain.iter().map(Certificate::to_pem).collect(),
        key: match ca.key {
            CaKeyPlace::Database => wire::CaKeyPlace::Database,
            CaKeyPlace::Token => wire::CaKeyPlace::Token,
            CaKeyPlace::Offline => wire::CaKeyPlace::Offline,
        },
        unexpired: ca.unexpired,
        last_expiry: ca.last_expiry.map(time),
        created_at: time(ca.created_at),
        not_after: wire::Time::from_secs(ca.certificate.not_after()),
    }
}

pub(crate) fn ca_request(request: &CaRequestView) -> wire::CaRequest {
    wire::CaRequest {
        csr: request.csr.to_pem(),
        renews: request.renews,
        created_at: time(request.created_at),
    }
}

pub(crate) fn ca_added(added: &CaAdded) -> wire::CaAdded {
    let (signed, request) = match added {
        CaAdded::Signed(signed) => (Some(ca(signed)), None),
        CaAdded::Requested(request) => (None, Some(ca_request(request))),
    };
    wire::CaAdded {
        ca: signed,
        request,
    }
}
