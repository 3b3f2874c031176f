//! Groups.

use std::time::Duration;

use enlist_core::{CertificateProfile, Group, GroupId, Name, Practice, Signing, TenantId};

use super::text;
use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT group_id, tenant_id, name, enrollment, hardware_is_identity, on_clone,
                    approval_timeout_ms, recovery_window_ms, storage_time_ms, lifetime_ms,
                    max_lifetime_ms, server_auth, dns_suffix, csr_extras, created_at, key_rotation,
                    on_hardware_change, signing_method, signing_keys, zero_touch, allocation,
                    (SELECT hooks.created_at FROM hooks
                     WHERE hooks.tenant_id = device_groups.tenant_id
                       AND hooks.group_id = device_groups.group_id)
             FROM device_groups ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a group. False where the name is taken in its tenant.
    pub fn insert_group(&mut self, group: &Group) -> Result<bool, StoreError> {
        let profile = &group.profile;
        let added = self.execute(
            "INSERT INTO device_groups (group_id, tenant_id, name, enrollment,
                 hardware_is_identity, on_clone, approval_timeout_ms, recovery_window_ms,
                 storage_time_ms, lifetime_ms, max_lifetime_ms, server_auth, dns_suffix,
                 csr_extras, created_at, key_rotation, on_hardware_change, signing_method,
                 signing_keys, zero_touch, allocation)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, $20, $21)
             ON CONFLICT (tenant_id, name) DO NOTHING",
            values![
                &group.id,
                &group.tenant,
                &group.name,
                &text::of(&group.enrollment),
                group.hardware_is_identity,
                &text::of(&group.on_clone),
                millis(group.approval_timeout),
                millis(group.recovery_window),
                millis(group.storage_time),
                millis(profile.lifetime),
                millis(profile.max_lifetime),
                profile.server_auth,
                profile.dns_suffix.as_ref(),
                &text::of(&profile.extras),
                group.created_at,
                &text::of(&group.practice.key_rotation),
                &text::of(&group.practice.on_hardware_change),
                &text::of(&group.signing.method),
                signing_keys(group).as_ref(),
                zero_touch(group).as_ref(),
                allocation(group).as_ref()
            ],
        )?;
        Ok(added > 0)
    }

    /// A group by its id.
    pub fn group(&mut self, tenant: TenantId, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.query_one_settled(
            "device_groups",
            select!("WHERE tenant_id = $1 AND group_id = $2"),
            values![&tenant, &id],
            group,
        )
    }

    /// A group that is about to be changed: nobody else changes it until the commit.
    pub fn group_to_change(
        &mut self,
        tenant: TenantId,
        id: GroupId,
    ) -> Result<Option<Group>, StoreError> {
        self.query_held(
            "device_groups",
            select!("WHERE tenant_id = $1 AND group_id = $2"),
            values![&tenant, &id],
            group,
        )
    }

    /// A group by its name.
    pub fn group_by_name(
        &mut self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Option<Group>, StoreError> {
        self.query_one(
            "device_groups",
            select!("WHERE tenant_id = $1 AND name = $2"),
            values![&tenant, name],
            group,
        )
    }

    /// All groups of a tenant, by name.
    pub fn groups(&mut self, tenant: TenantId) -> Result<Vec<Group>, StoreError> {
        self.query(
            "device_groups",
            select!("WHERE tenant_id = $1 ORDER BY name"),
            values![&tenant],
            group,
        )
    }

    /// Saves the rules and the profile of a group. False where it is gone.
    pub fn save_group(&mut self, group: &Group) -> Result<bool, StoreError> {
        let profile = &group.profile;
        let saved = self.execute(
            "UPDATE device_groups SET enrollment = $1, hardware_is_identity = $2, on_clone = $3,
                 approval_timeout_ms = $4, recovery_window_ms = $5, storage_time_ms = $6,
                 lifetime_ms = $7, max_lifetime_ms = $8, server_auth = $9, dns_suffix = $10,
                 csr_extras = $11,
                 key_rotation = $12, on_hardware_change = $13, signing_method = $14,
                 signing_keys = $15, zero_touch = $16, allocation = $17
             WHERE tenant_id = $18 AND group_id = $19",
            values![
                &text::of(&group.enrollment),
                group.hardware_is_identity,
                &text::of(&group.on_clone),
                millis(group.approval_timeout),
                millis(group.recovery_window),
                millis(group.storage_time),
                millis(profile.lifetime),
                millis(profile.max_lifetime),
                profile.server_auth,
                profile.dns_suffix.as_ref(),
                &text::of(&profile.extras),
                &text::of(&group.practice.key_rotation),
                &text::of(&group.practice.on_hardware_change),
                &text::of(&group.signing.method),
                signing_keys(group).as_ref(),
                zero_touch(group).as_ref(),
                allocation(group).as_ref(),
                &group.tenant,
                &group.id
            ],
        )?;
        Ok(saved > 0)
    }

    /// Deletes a group with its secrets and its configuration. False where it is gone.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it still has devices.
    pub fn delete_group(&mut self, tenant: TenantId, id: GroupId) -> Result<bool, StoreError> {
        self.execute(
            "DELETE FROM provisioning_secrets WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &id],
        )?;
        self.execute(
            "DELETE FROM root_approvals WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &id],
        )?;
        self.delete_hook(tenant, id)?;
        self.execute(
            "DELETE FROM configuration_statements WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &id],
        )?;
        let gone = self.execute(
            "DELETE FROM device_groups WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &id],
        )?;
        Ok(gone > 0)
    }

    /// How many devices a group has; counting stops at `limit`.
    pub fn count_devices(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let count = self.query_one(
            "devices",
            "SELECT count(*) FROM (SELECT device_id FROM devices
             WHERE tenant_id = $1 AND group_id = $2 LIMIT $3) AS counted",
            values![&tenant, &group, number(limit)],
            only,
        )?;
        Ok(count.unwrap_or(0))
    }
}

fn group(columns: &mut Columns<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        id: columns.next()?,
        tenant: columns.next()?,
        name: columns.next()?,
        enrollment: columns.text(text::parse)?,
        hardware_is_identity: columns.next()?,
        on_clone: columns.text(text::parse)?,
        approval_timeout: columns.next()?,
        recovery_window: columns.next()?,
        storage_time: columns.next()?,
        profile: CertificateProfile {
            lifetime: columns.next()?,
            max_lifetime: columns.next()?,
            server_auth: columns.next()?,
            dns_suffix: columns.next()?,
            extras: columns.text(text::parse)?,
        },
        created_at: columns.next()?,
        practice: Practice {
            key_rotation: columns.text(text::parse)?,
            on_hardware_change: columns.text(text::parse)?,
        },
        signing: Signing {
            method: columns.text(text::parse)?,
            keys: match columns.next::<Option<String>>()? {
                None => Vec::new(),
                Some(json) => serde_json::from_str(&json).map_err(|_| columns.corrupt())?,
            },
        },
        zero_touch: columns.text_or_null(text::from_json)?,
        allocation: columns.text_or_null(text::from_json)?,
        hook: columns.next()?,
    })
}

fn zero_touch(group: &Group) -> Option<String> {
    let zero_touch = group.zero_touch.as_ref()?;
    text::to_json(zero_touch, false)
}

fn allocation(group: &Group) -> Option<String> {
    let allocation = group.allocation.as_ref()?;
    text::to_json(allocation, false)
}

/// The group's own keys as a JSON array; nothing where it has none.
fn signing_keys(group: &Group) -> Option<String> {
    let keys = &group.signing.keys;
    (!keys.is_empty()).then(|| serde_json::Value::from(keys.clone()).to_string())
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
