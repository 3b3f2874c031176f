use std::time::Duration;

use enlist_core::{CertificateProfile, CsrExtras, EnrollmentPolicy, Group, OnClone};
use enlist_ops::GroupAdded;
use enlist_wire as wire;

use super::policy::{policy, practice, signing, signing_asked};
use super::{secret_created, time, uuid};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

pub(crate) fn group(tenant: &str, group: &Group) -> wire::Group {
    wire::Group {
        group_id: uuid(group.id.as_bytes()),
        tenant: tenant.to_owned(),
        name: group.name.to_string(),
        enrollment: match group.enrollment {
            EnrollmentPolicy::Known => wire::Enrollment::Known,
            EnrollmentPolicy::Open => wire::Enrollment::Open,
            EnrollmentPolicy::Approve => wire::Enrollment::Approve,
        },
        hardware_is_identity: group.hardware_is_identity,
        on_clone: match group.on_clone {
            OnClone::Alert => wire::OnClone::Alert,
            OnClone::Suspend => wire::OnClone::Suspend,
        },
        approval_timeout_h: Some(whole(group.approval_timeout, HOUR)),
        recovery_window_d: whole(group.recovery_window, DAY),
        storage_time_d: whole(group.storage_time, DAY),
        profile: wire::Profile {
            lifetime_h: whole(group.profile.lifetime, HOUR),
            max_lifetime_h: Some(whole(group.profile.max_lifetime, HOUR)),
            server_auth: group.profile.server_auth,
            dns_suffix: group.profile.dns_suffix.clone(),
            csr_extras: match group.profile.extras {
                CsrExtras::Ignore => wire::CsrExtras::Ignore,
                CsrExtras::Refuse => wire::CsrExtras::Refuse,
            },
        },
        policy: policy(group.practice),
        signing: signing(&group.signing),
        created_at: time(group.created_at),
    }
}

pub(crate) fn group_created(added: &GroupAdded) -> wire::GroupCreated {
    wire::GroupCreated {
        group: group(added.tenant.name.as_str(), &added.group),
        secret: added.secret.as_ref().map(secret_created),
    }
}

/// The rules that `new` asks for, over those of a group that nobody has changed yet.
pub(crate) fn rules(new: &wire::NewGroup, before: Group) -> Group {
    Group {
        enrollment: match new.enrollment {
            wire::Enrollment::Known => EnrollmentPolicy::Known,
            wire::Enrollment::Open => EnrollmentPolicy::Open,
            wire::Enrollment::Approve => EnrollmentPolicy::Approve,
        },
        hardware_is_identity: new.hardware_is_identity,
        on_clone: match new.on_clone {
            wire::OnClone::Alert => OnClone::Alert,
            wire::OnClone::Suspend => OnClone::Suspend,
        },
        approval_timeout: new
            .approval_timeout_h
            .map_or(before.approval_timeout, |hours| span(hours, HOUR)),
        recovery_window: span(new.recovery_window_d, DAY),
        storage_time: span(new.storage_time_d, DAY),
        profile: CertificateProfile {
            lifetime: span(new.profile.lifetime_h, HOUR),
            max_lifetime: new
                .profile
                .max_lifetime_h
                .map_or(before.profile.max_lifetime, |hours| span(hours, HOUR)),
            server_auth: new.profile.server_auth,
            dns_suffix: new.profile.dns_suffix.clone(),
            extras: match new.profile.csr_extras {
                wire::CsrExtras::Ignore => CsrExtras::Ignore,
                wire::CsrExtras::Refuse => CsrExtras::Refuse,
            },
        },
        practice: practice(new.policy),
        signing: signing_asked(&new.signing),
        ..before
    }
}

fn whole(span: Duration, unit: u64) -> u32 {
    u32::try_from(span.as_secs() / unit).unwrap_or(u32::MAX)
}

fn span(count: u32, unit: u64) -> Duration {
    Duration::from_secs(u64::from(count) * unit)
}
