//! Changing a group's rules.

use std::time::Duration;

use crate::{
    Allocation, CsrExtras, EnrollmentPolicy, Group, KeyRotation, OnClone, OnHardwareChange,
};

/// What is to be different about a group; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of `Group`")]
pub struct GroupChange {
    pub enrollment: Option<EnrollmentPolicy>,
    pub hardware_is_identity: Option<bool>,
    pub on_clone: Option<OnClone>,
    pub key_rotation: Option<KeyRotation>,
    pub on_hardware_change: Option<OnHardwareChange>,
    pub approval_timeout: Option<Duration>,
    pub recovery_window: Option<Duration>,
    pub storage_time: Option<Duration>,
    pub lifetime: Option<Duration>,
    pub max_lifetime: Option<Duration>,
    pub server_auth: Option<bool>,
    /// `Some(None)` takes it away.
    pub dns_suffix: Option<Option<String>>,
    pub csr_extras: Option<CsrExtras>,
    /// `Some(None)` takes it away.
    pub allocation: Option<Option<Allocation>>,
}

impl Group {
    /// The group as it is after a change.
    #[must_use]
    pub fn changed(mut self, change: &GroupChange) -> Self {
        set(&mut self.enrollment, change.enrollment);
        set(&mut self.hardware_is_identity, change.hardware_is_identity);
        set(&mut self.on_clone, change.on_clone);
        set(&mut self.practice.key_rotation, change.key_rotation);
        let practice = &mut self.practice;
        set(&mut practice.on_hardware_change, change.on_hardware_change);
        set(&mut self.approval_timeout, change.approval_timeout);
        set(&mut self.recovery_window, change.recovery_window);
        set(&mut self.storage_time, change.storage_time);
        let profile = &mut self.profile;
        set(&mut profile.lifetime, change.lifetime);
        set(&mut profile.max_lifetime, change.max_lifetime);
        set(&mut profile.server_auth, change.server_auth);
        set(&mut profile.dns_suffix, change.dns_suffix.clone());
        set(&mut profile.extras, change.csr_extras);
        set(&mut self.allocation, change.allocation.clone());
        self
    }
}

fn set<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupId, TenantId, Timestamp};

    #[test]
    fn a_change_touches_what_it_names_and_nothing_else() {
        let (id, tenant) = (GroupId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
        let name = "presses".parse().unwrap();
        let before = Group::new(id, tenant, name, Timestamp::from_secs(1));
        let change = GroupChange {
            enrollment: Some(EnrollmentPolicy::Approve),
            dns_suffix: Some(Some("example.com".to_owned())),
            ..GroupChange::default()
        };
        let after = before.clone().changed(&change);
        assert_eq!(after.enrollment, EnrollmentPolicy::Approve);
        assert_eq!(after.profile.dns_suffix.as_deref(), Some("example.com"));
        let back = GroupChange {
            enrollment: Some(before.enrollment),
            dns_suffix: Some(None),
            ..GroupChange::default()
        };
        assert_eq!(after.clone().changed(&back), before);
        assert_eq!(after.clone().changed(&GroupChange::default()), after);
    }
}
