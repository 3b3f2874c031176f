use enlist_core::{CaStanding, Digest};
use enlist_ops::{Rollover, RootView};
use enlist_pki::Certificate;
use enlist_wire as wire;

use super::time;

pub(crate) fn root(root: &RootView) -> wire::Root {
    wire::Root {
        fingerprint: root.certificate.fingerprint_hex(),
        standing: match root.standing {
            CaStanding::Next => wire::RootStanding::Next,
            CaStanding::Current => wire::RootStanding::Current,
            CaStanding::Retired => wire::RootStanding::Retired,
        },
        certificate: root.certificate.to_pem(),
        cross: root.cross.as_ref().map(Certificate::to_pem),
        created_at: time(root.created_at),
        not_after: wire::Time::from_secs(root.certificate.not_after()),
        retired_at: root.retired_at.map(time),
        offline: root.offline,
    }
}

pub(crate) fn rollover(rollover: &Rollover) -> wire::Rollover {
    wire::Rollover {
        tenant: rollover.tenant.name.to_string(),
        next: rollover.next.as_ref().map(Digest::to_hex),
        groups: rollover
            .groups
            .iter()
            .map(|one| wire::GroupReadiness {
                group: one.group.to_string(),
                active: one.counted.active,
                seen: one.counted.seen,
                ready: one.counted.ready,
                never_reported: one.counted.silent,
                approved: one.approved,
            })
            .collect(),
        missing: rollover
            .missing
            .iter()
            .map(|one| wire::UnreadyDevice {
                group: one.group.to_string(),
                name: one.name.to_string(),
                seen_at: one.seen_at.map(time),
            })
            .collect(),
    }
}
