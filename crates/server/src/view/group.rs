use std::time::Duration;

use enlist_core::{CertificateProfile, CsrExtras, EnrollmentPolicy, Group, GroupChange, OnClone};
use enlist_ops::{AddGroup, ChangeGroup, Error, GroupAdded, GroupView};
use enlist_wire as wire;

use super::allocation::{allocation, allocation_asked};
use super::policy::{key_rotation, on_hardware_change, policy, practice, signing, signing_asked};
use super::zero_touch::{zero_touch, zero_touch_changed, zero_touch_of_new};
use super::{secret_created, time, uuid};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

pub(crate) fn group(tenant: &str, view: &GroupView) -> wire::Group {
    let group = &view.group;
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
        zero_touch: zero_touch(view),
        allocation: group.allocation.as_ref().map(allocation),
        hook: group.hook.is_some(),
        created_at: time(group.created_at),
    }
}

pub(crate) fn group_created(added: &GroupAdded) -> wire::GroupCreated {
    wire::GroupCreated {
        group: group(added.tenant.name.as_str(), &added.group),
        secret: added.secret.as_ref().map(secret_created),
    }
}

/// The group that `new` asks for, over the rules of one that nobody has changed yet.
pub(crate) fn add_group(new: &wire::NewGroup, before: Group) -> Result<AddGroup, Error> {
    let profile = &new.profile;
    let rules = Group {
        enrollment: enrollment(new.enrollment),
        hardware_is_identity: new.hardware_is_identity,
        on_clone: on_clone(new.on_clone),
        approval_timeout: new
            .approval_timeout_h
            .map_or(before.approval_timeout, |hours| span(hours, HOUR)),
        recovery_window: span(new.recovery_window_d, DAY),
        storage_time: span(new.storage_time_d, DAY),
        profile: CertificateProfile {
            lifetime: span(profile.lifetime_h, HOUR),
            max_lifetime: profile
                .max_lifetime_h
                .map_or(before.profile.max_lifetime, |hours| span(hours, HOUR)),
            server_auth: profile.server_auth,
            dns_suffix: profile.dns_suffix.clone(),
            extras: csr_extras(profile.csr_extras),
        },
        practice: practice(new.policy),
        signing: signing_asked(&new.signing),
        allocation: match &new.allocation {
            Some(asked) => allocation_asked(asked)?,
            None => None,
        },
        ..before
    };
    Ok(AddGroup {
        rules,
        zero_touch: zero_touch_of_new(new.zero_touch.as_ref())?,
        with_secret: new.secret,
    })
}

/// What is to be different about a group.
pub(crate) fn change_group(change: &wire::GroupChange) -> Result<ChangeGroup, Error> {
    let hours = |count: Option<u32>| count.map(|count| span(count, HOUR));
    let days = |count: Option<u32>| count.map(|count| span(count, DAY));
    let rules = GroupChange {
        enrollment: change.enrollment.map(enrollment),
        hardware_is_identity: change.hardware_is_identity,
        on_clone: change.on_clone.map(on_clone),
        key_rotation: change.key_rotation.map(key_rotation),
        on_hardware_change: change.on_hardware_change.map(on_hardware_change),
        approval_timeout: hours(change.approval_timeout_h),
        recovery_window: days(change.recovery_window_d),
        storage_time: days(change.storage_time_d),
        lifetime: hours(change.lifetime_h),
        max_lifetime: hours(change.max_lifetime_h),
        server_auth: change.server_auth,
        dns_suffix: change
            .dns_suffix
            .as_ref()
            .map(|suffix| (!suffix.is_empty()).then(|| suffix.clone())),
        csr_extras: change.csr_extras.map(csr_extras),
        allocation: change
            .allocation
            .as_ref()
            .map(allocation_asked)
            .transpose()?,
    };
    Ok(ChangeGroup {
        rules,
        zero_touch: zero_touch_changed(change.zero_touch.as_ref())?,
    })
}

fn enrollment(asked: wire::Enrollment) -> EnrollmentPolicy {
    match asked {
        wire::Enrollment::Known => EnrollmentPolicy::Known,
        wire::Enrollment::Open => EnrollmentPolicy::Open,
        wire::Enrollment::Approve => EnrollmentPolicy::Approve,
    }
}

fn on_clone(asked: wire::OnClone) -> OnClone {
    match asked {
        wire::OnClone::Alert => OnClone::Alert,
        wire::OnClone::Suspend => OnClone::Suspend,
    }
}

fn csr_extras(asked: wire::CsrExtras) -> CsrExtras {
    match asked {
        wire::CsrExtras::Ignore => CsrExtras::Ignore,
        wire::CsrExtras::Refuse => CsrExtras::Refuse,
    }
}

fn whole(span: Duration, unit: u64) -> u32 {
    u32::try_from(span.as_secs() / unit).unwrap_or(u32::MAX)
}

fn span(count: u32, unit: u64) -> Duration {
    Duration::from_secs(u64::from(count) * unit)
}
