//! Counting what there is, a slice at a time.

use enlist_core::{DeviceId, EventId, SecretId, StateKind, TenantId, Timestamp};

use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// Devices of one tenant that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicesAlike {
    /// Their tenant.
    pub tenant: TenantId,
    /// Their state.
    pub state: StateKind,
    /// Among how many of the bounds that were given their certificate's end is; the number of bounds where
    /// it is after all of them, `None` where they have none.
    pub ends_before: Option<usize>,
    /// How many they are.
    pub devices: u64,
    /// How many of them have less than a sixth of their group's lifetime left.
    pub late: u64,
}

/// Secrets of a tenant that somebody should look after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretsWorn {
    /// Secrets of which nine tenths are used, and that are not used up.
    pub nearly_used_up: u64,
    /// Secrets that let nobody in any more, since all of it is used.
    pub used_up: u64,
    /// Secrets that end before the bound that was given, and have not ended.
    pub ending: u64,
}

impl Tx<'_> {
    /// The id of the device that ends a slice of `size` after `after`; `None` where there are no more.
    pub fn slice_of_devices(
        &mut self,
        after: DeviceId,
        size: usize,
    ) -> Result<Option<DeviceId>, StoreError> {
        self.query_one(
            "devices",
            "SELECT device_id FROM devices WHERE device_id > $1
             ORDER BY device_id LIMIT 1 OFFSET $2",
            values![&after, number(size.saturating_sub(1) as u64)],
            only,
        )
    }

    /// Counts the devices of all tenants after `after` up to `until`, by the end of their certificates: now,
    /// and three later bounds.
    pub fn count_devices_alike(
        &mut self,
        (after, until): (DeviceId, DeviceId),
        bounds: [Timestamp; 4],
    ) -> Result<Vec<DevicesAlike>, StoreError> {
        let [now, first, second, third] = bounds;
        self.query(
            "devices",
            "SELECT d.tenant_id, d.state,
                 CAST(CASE WHEN c.current_not_after IS NULL THEN -1
                      WHEN c.current_not_after <= $1 THEN 0
                      WHEN c.current_not_after <= $2 THEN 1
                      WHEN c.current_not_after <= $3 THEN 2
                      WHEN c.current_not_after <= $4 THEN 3
                      ELSE 4 END AS BIGINT),
                 COUNT(*),
                 COUNT(CASE WHEN (c.current_not_after - $1) * 6 < g.lifetime_ms THEN 1 END)
             FROM devices d
             JOIN device_groups g ON g.tenant_id = d.tenant_id AND g.group_id = d.group_id
             LEFT JOIN credentials c ON c.tenant_id = d.tenant_id AND c.device_id = d.device_id
             WHERE d.device_id > $5 AND d.device_id <= $6
             GROUP BY 1, 2, 3",
            values![now, first, second, third, &after, &until],
            |columns| {
                Ok(DevicesAlike {
                    tenant: columns.next()?,
                    state: columns.text(StateKind::parse)?,
                    ends_before: usize::try_from(columns.next::<i64>()?).ok(),
                    devices: columns.next()?,
                    late: columns.next()?,
                })
            },
        )
    }

    /// The id of the secret that ends a slice of `size` of a tenant's after `after`; `None` where there are
    /// no more.
    pub fn slice_of_secrets(
        &mut self,
        tenant: TenantId,
        after: SecretId,
        size: usize,
    ) -> Result<Option<SecretId>, StoreError> {
        self.query_one(
            "provisioning_secrets",
            "SELECT secret_id FROM provisioning_secrets WHERE tenant_id = $1 AND secret_id > $2
             ORDER BY secret_id LIMIT 1 OFFSET $3",
            values![&tenant, &after, number(size.saturating_sub(1) as u64)],
            only,
        )
    }

    /// Counts the secrets of a tenant after `after` up to `until` that somebody should look after: those
    /// that are neither withdrawn nor at their end `now`.
    pub fn count_secrets_worn(
        &mut self,
        tenant: TenantId,
        (after, until): (SecretId, SecretId),
        (now, soon): (Timestamp, Timestamp),
    ) -> Result<SecretsWorn, StoreError> {
        let worn = self.query_one(
            "provisioning_secrets",
            "SELECT
                 COUNT(CASE WHEN used < max_devices AND used * 10 >= max_devices * 9 THEN 1 END),
                 COUNT(CASE WHEN used >= max_devices THEN 1 END),
                 COUNT(CASE WHEN expires_at <= $1 THEN 1 END)
             FROM provisioning_secrets
             WHERE tenant_id = $2 AND secret_id > $3 AND secret_id <= $4 AND withdrawn = 0
                 AND (expires_at IS NULL OR expires_at > $5)",
            values![soon, &tenant, &after, &until, now],
            |columns| {
                Ok(SecretsWorn {
                    nearly_used_up: columns.next()?,
                    used_up: columns.next()?,
                    ending: columns.next()?,
                })
            },
        )?;
        Ok(worn.unwrap_or_default())
    }

    /// When the first event happened, by its id, that comes after the newest sealed one of its tenant: of
    /// all tenants, in no order.
    pub fn first_unsealed(&mut self) -> Result<Vec<EventId>, StoreError> {
        let first = |columns: &mut Columns<'_>| columns.next::<Option<EventId>>();
        let found = self.query(
            "events",
            "SELECT (SELECT e.event_id FROM events e
                 WHERE e.tenant_id = t.tenant_id AND length(e.event_id) = 16
                     AND e.event_id > COALESCE((SELECT s.event_id FROM event_seals s
                         WHERE s.tenant_id = t.tenant_id AND length(s.event_id) = 16
                         ORDER BY s.event_id DESC LIMIT 1), $1)
                 ORDER BY e.event_id LIMIT 1)
             FROM tenants t",
            values![&EventId::from_bytes([0; 16])],
            first,
        )?;
        Ok(found.into_iter().flatten().collect())
    }
}
