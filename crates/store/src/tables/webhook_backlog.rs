//! What could not be told yet, and what was given up.

use std::collections::BTreeSet;

use enlist_core::{DeviceId, FAR_AHEAD, PutOff, TenantId, Timestamp, WebhookId};

use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// Where a device would stand, for an event that is about none.
const NO_DEVICE: [u8; 16] = [0; 16];
/// When one is tried that waits behind another.
pub(super) const BEHIND: Timestamp = Timestamp::from_millis(i64::MAX);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, device_id, attempts, since, next_at, error, given_up_at
             FROM webhook_backlog ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Puts an event off, or notes how it went meanwhile.
    pub fn put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        one: &PutOff,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO webhook_backlog (tenant_id, webhook_id, seq, device_id, attempts, since,
                 next_at, error, given_up_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant_id, webhook_id, seq) DO UPDATE SET
                 attempts = excluded.attempts, since = excluded.since,
                 next_at = excluded.next_at, error = excluded.error,
                 given_up_at = excluded.given_up_at",
            values![
                &tenant,
                &webhook,
                number(one.seq),
                &device(one.device)[..],
                i64::from(one.attempts),
                one.since,
                one.next_at.unwrap_or(BEHIND),
                one.error.as_ref(),
                one.given_up_at
            ],
        )?;
        Ok(())
    }

    /// Forgets an event that was put off: it was told at last.
    pub fn no_more_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        seq: u64,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM webhook_backlog WHERE tenant_id = $1 AND webhook_id = $2 AND seq = $3",
            values![&tenant, &webhook, number(seq)],
        )?;
        Ok(())
    }

    /// Lets the first event that waits about a device be tried now, where nothing is in its way.
    pub fn wake_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        about: Option<DeviceId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhook_backlog SET next_at = $1
             WHERE tenant_id = $2 AND webhook_id = $3 AND next_at = $4
               AND seq = (SELECT MIN(b.seq) FROM webhook_backlog b
                          WHERE b.tenant_id = $2 AND b.webhook_id = $3 AND b.device_id = $5
                            AND b.given_up_at IS NULL)",
            values![now, &tenant, &webhook, BEHIND, &device(about)[..]],
        )?;
        Ok(())
    }

    /// Lets all that waits about a device after `seq` wait behind it.
    pub fn line_up_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        about: Option<DeviceId>,
        seq: u64,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhook_backlog SET next_at = $1
             WHERE tenant_id = $2 AND webhook_id = $3 AND device_id = $4 AND seq > $5
               AND given_up_at IS NULL AND next_at < $1",
            values![BEHIND, &tenant, &webhook, &device(about)[..], number(seq)],
        )?;
        Ok(())
    }

    /// Lets all that was put off be tried now, each in its order.
    pub fn hurry_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhook_backlog SET next_at = $1
             WHERE tenant_id = $2 AND webhook_id = $3 AND given_up_at IS NULL
               AND next_at > $1 AND next_at < $4",
            values![now, &tenant, &webhook, BEHIND],
        )?;
        Ok(())
    }

    /// The devices about which something that was put off is due, `None` for events about none.
    pub fn devices_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Option<DeviceId>>, StoreError> {
        let due = self.query(
            "webhook_backlog",
            "SELECT device_id, MIN(next_at) FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NULL
               AND (next_at <= $3 OR (next_at > $4 AND next_at < $5))
             GROUP BY device_id ORDER BY MIN(next_at), device_id LIMIT $6",
            values![
                &tenant,
                &webhook,
                now,
                now + FAR_AHEAD,
                BEHIND,
                number(limit as u64)
            ],
            only::<DeviceId>,
        )?;
        Ok(due.into_iter().map(about).collect())
    }

    /// Whether something is due that was put off without having been tried.
    pub fn is_untried_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let untried = self.query_one(
            "webhook_backlog",
            "SELECT seq FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NULL
               AND (next_at <= $3 OR (next_at > $4 AND next_at < $5)) AND attempts = 0 LIMIT 1",
            values![&tenant, &webhook, now, now + FAR_AHEAD, BEHIND],
            only::<u64>,
        )?;
        Ok(untried.is_some())
    }

    /// What was put off about a device, first things first.
    pub fn put_off_about(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        about: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<PutOff>, StoreError> {
        self.query(
            "webhook_backlog",
            select!(
                "WHERE tenant_id = $1 AND webhook_id = $2 AND device_id = $3
                   AND given_up_at IS NULL
                 ORDER BY seq LIMIT $4"
            ),
            values![&tenant, &webhook, &device(about)[..], number(limit as u64)],
            put_off,
        )
    }

    /// How many events wait. No more than `most` are counted.
    pub fn count_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        most: usize,
    ) -> Result<u64, StoreError> {
        let counted = self.query_one(
            "webhook_backlog",
            "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NULL LIMIT $3) counted",
            values![&tenant, &webhook, number(most as u64)],
            only::<u64>,
        )?;
        Ok(counted.unwrap_or_default())
    }

    /// How many events were given up. No more than `most` are counted.
    pub fn count_dead_letters(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        most: usize,
    ) -> Result<u64, StoreError> {
        let counted = self.query_one(
            "webhook_backlog",
            "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NOT NULL LIMIT $3) counted",
            values![&tenant, &webhook, number(most as u64)],
            only::<u64>,
        )?;
        Ok(counted.unwrap_or_default())
    }

    /// When the first of those that wait is tried again.
    pub fn next_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.query_one(
            "webhook_backlog",
            "SELECT next_at FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NULL
             ORDER BY next_at LIMIT 1",
            values![&tenant, &webhook],
            only::<Timestamp>,
        )
    }

    /// Gives up those that wait longest, `count` of them, and lets what is behind them be tried.
    pub fn give_up_longest(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        count: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let longest = self.query(
            "webhook_backlog",
            "SELECT seq, device_id FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NULL
             ORDER BY since, seq LIMIT $3",
            values![&tenant, &webhook, number(count as u64)],
            |columns| Ok((columns.next::<u64>()?, columns.next::<DeviceId>()?)),
        )?;
        let mut devices = BTreeSet::new();
        for (seq, device) in longest {
            self.execute(
                "UPDATE webhook_backlog SET given_up_at = $1
                 WHERE tenant_id = $2 AND webhook_id = $3 AND seq = $4",
                values![now, &tenant, &webhook, number(seq)],
            )?;
            devices.insert(device);
        }
        for device in devices {
            self.wake_put_off(tenant, webhook, about(device), now)?;
        }
        Ok(())
    }

    /// Drops the oldest of those that were given up, so that `keep` stay; `step` of them at most. Says
    /// how many went.
    pub fn drop_dead_letters(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        keep: usize,
        step: usize,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND seq IN (
                 SELECT seq FROM webhook_backlog
                 WHERE tenant_id = $1 AND webhook_id = $2 AND given_up_at IS NOT NULL
                 ORDER BY seq DESC LIMIT $3 OFFSET $4)",
            values![&tenant, &webhook, number(step as u64), number(keep as u64)],
        )
    }

    /// Clears away what a webhook that is gone has left, `step` events of it at most. Says whether there
    /// may be more.
    pub fn clear_put_off(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        step: usize,
    ) -> Result<bool, StoreError> {
        let cleared = self.execute(
            "DELETE FROM webhook_backlog
             WHERE tenant_id = $1 AND webhook_id = $2 AND seq IN (
                 SELECT seq FROM webhook_backlog
                 WHERE tenant_id = $1 AND webhook_id = $2 ORDER BY seq LIMIT $3)",
            values![&tenant, &webhook, number(step as u64)],
        )?;
        Ok(cleared >= step as u64)
    }

    /// A webhook that is gone and has left something.
    pub fn webhook_to_clear(&mut self) -> Result<Option<(TenantId, WebhookId)>, StoreError> {
        self.query_one(
            "webhook_backlog",
            "SELECT b.tenant_id, b.webhook_id FROM webhook_backlog b
             WHERE NOT EXISTS (SELECT 1 FROM webhooks w
                 WHERE w.tenant_id = b.tenant_id AND w.webhook_id = b.webhook_id)
             LIMIT 1",
            &[],
            |columns| Ok((columns.next()?, columns.next()?)),
        )
    }

    /// A page of what was given up.
    pub fn dead_letters(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<PutOff>, StoreError> {
        self.query(
            "webhook_backlog",
            select!(
                "WHERE tenant_id = $1 AND webhook_id = $2 AND seq > $3
                   AND given_up_at IS NOT NULL
                 ORDER BY seq LIMIT $4"
            ),
            values![&tenant, &webhook, number(after), number(limit as u64)],
            put_off,
        )
    }

    /// Lets what was given up until `now` be tried again: one, or the first `step` there are. Says how
    /// many.
    pub fn retry_dead_letters(
        &mut self,
        tenant: TenantId,
        webhook: WebhookId,
        seq: Option<u64>,
        now: Timestamp,
        step: usize,
    ) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE webhook_backlog SET attempts = 0, since = $1, next_at = $1, given_up_at = NULL
             WHERE tenant_id = $2 AND webhook_id = $3 AND seq IN (
                 SELECT seq FROM webhook_backlog
                 WHERE tenant_id = $2 AND webhook_id = $3 AND given_up_at <= $1
                   AND seq >= $4 AND seq <= $5
                 ORDER BY seq LIMIT $6)",
            values![
                now,
                &tenant,
                &webhook,
                number(seq.unwrap_or(0)),
                number(seq.unwrap_or(u64::MAX)),
                number(step as u64)
            ],
        )
    }
}

fn device(about: Option<DeviceId>) -> [u8; 16] {
    about.map_or(NO_DEVICE, |device| *device.as_bytes())
}

fn about(device: DeviceId) -> Option<DeviceId> {
    Some(device).filter(|device| *device.as_bytes() != NO_DEVICE)
}

fn put_off(columns: &mut Columns<'_>) -> Result<PutOff, StoreError> {
    Ok(PutOff {
        seq: columns.next()?,
        device: about(columns.next()?),
        attempts: columns.next()?,
        since: columns.next()?,
        next_at: Some(columns.next()?).filter(|at| *at != BEHIND),
        error: columns.next()?,
        given_up_at: columns.next()?,
    })
}
