//! Whom the server tells what has happened.

use enlist_core::{FAR_AHEAD, Name, Pace, TenantId, Timestamp, Webhook, WebhookId};

use super::text;
use super::webhook_backlog::BEHIND;
use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT webhook_id, tenant_id, name, url, anchors, sealed_secret, old_secret, old_until,
                    kinds, group_id, told, failures, failing_since, error, next_at, created_at
             FROM webhooks ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a webhook. False where the tenant has one of this name.
    pub fn insert_webhook(&mut self, webhook: &Webhook) -> Result<bool, StoreError> {
        let kinds = webhook.kinds.as_ref();
        let kinds = kinds.and_then(|kinds| text::to_json(kinds, false));
        let added = self.execute(
            "INSERT INTO webhooks (tenant_id, webhook_id, name, url, anchors, sealed_secret,
                 kinds, group_id, told, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, name) DO NOTHING",
            values![
                &webhook.tenant,
                &webhook.id,
                &webhook.name,
                &webhook.url,
                webhook.anchors.as_ref(),
                &webhook.sealed_secret,
                kinds.as_ref(),
                webhook.group.as_ref(),
                number(webhook.told),
                webhook.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// The webhooks of a tenant, by name.
    pub fn webhooks(&mut self, tenant: TenantId) -> Result<Vec<Webhook>, StoreError> {
        self.query(
            "webhooks",
            select!("WHERE tenant_id = $1 ORDER BY name"),
            values![&tenant],
            webhook,
        )
    }

    /// The webhooks of all tenants.
    pub fn all_webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        self.query(
            "webhooks",
            select!("ORDER BY tenant_id, webhook_id"),
            &[],
            webhook,
        )
    }

    /// A webhook by its name. A writing job holds it until the commit.
    pub fn webhook_by_name(
        &mut self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Option<Webhook>, StoreError> {
        self.query_held(
            "webhooks",
            select!("WHERE tenant_id = $1 AND name = $2"),
            values![&tenant, name],
            webhook,
        )
    }

    /// A webhook, while this server tells it. A writing job holds it until the commit.
    pub fn webhook_held_by(
        &mut self,
        tenant: TenantId,
        id: WebhookId,
        server: &[u8; 16],
    ) -> Result<Option<Webhook>, StoreError> {
        self.query_held(
            "webhooks",
            select!("WHERE tenant_id = $1 AND webhook_id = $2 AND lease_holder = $3"),
            values![&tenant, &id, &server[..]],
            webhook,
        )
    }

    /// Deletes a webhook. What waits for it is cleared away bit by bit: [`Tx::clear_put_off`].
    pub fn delete_webhook(&mut self, tenant: TenantId, id: WebhookId) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM webhooks WHERE tenant_id = $1 AND webhook_id = $2",
            values![&tenant, &id],
        )?;
        Ok(())
    }

    /// Gives a webhook another secret; the one it has is good until `until`, and the one before that no
    /// more.
    pub fn replace_webhook_secret(
        &mut self,
        tenant: TenantId,
        id: WebhookId,
        sealed: &[u8],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhooks SET old_secret = sealed_secret, old_until = $1, sealed_secret = $2
             WHERE tenant_id = $3 AND webhook_id = $4",
            values![until, sealed, &tenant, &id],
        )?;
        Ok(())
    }

    /// Webhooks of all tenants that have something to be told now, and which `server` may tell, since it
    /// does already, or nobody does.
    pub fn webhooks_to_tell(
        &mut self,
        server: &[u8; 16],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(TenantId, WebhookId)>, StoreError> {
        self.query(
            "webhooks",
            "SELECT w.tenant_id, w.webhook_id FROM webhooks w
             WHERE (w.next_at <= $1 OR w.next_at > $2)
               AND (w.lease_until <= $1 OR w.lease_until > $2 OR w.lease_holder = $3)
               AND (EXISTS (SELECT 1 FROM event_seals s
                            WHERE s.tenant_id = w.tenant_id AND s.seq > w.told)
                 OR EXISTS (SELECT 1 FROM webhook_backlog b
                            WHERE b.tenant_id = w.tenant_id AND b.webhook_id = w.webhook_id
                              AND b.given_up_at IS NULL
                              AND (b.next_at <= $1 OR (b.next_at > $2 AND b.next_at < $4))))
             ORDER BY w.lease_until, w.webhook_id LIMIT $5",
            values![
                now,
                now + FAR_AHEAD,
                &server[..],
                BEHIND,
                number(limit as u64)
            ],
            |columns| Ok((columns.next()?, columns.next()?)),
        )
    }

    /// Makes `server` the one that tells a webhook, until `until`. False where another one is.
    pub fn lease_webhook(
        &mut self,
        tenant: TenantId,
        id: WebhookId,
        server: &[u8; 16],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let leased = self.execute(
            "UPDATE webhooks SET lease_holder = $1, lease_until = $2
             WHERE tenant_id = $3 AND webhook_id = $4
               AND (lease_holder = $1 OR lease_until <= $5 OR lease_until > $6)",
            values![&server[..], until, &tenant, &id, now, now + FAR_AHEAD],
        )?;
        Ok(leased > 0)
    }

    /// Lets another server tell a webhook. Those that were told longest ago come first.
    pub fn release_webhook(
        &mut self,
        tenant: TenantId,
        id: WebhookId,
        server: &[u8; 16],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhooks SET lease_until = $1
             WHERE tenant_id = $2 AND webhook_id = $3 AND lease_holder = $4",
            values![now, &tenant, &id, &server[..]],
        )?;
        Ok(())
    }

    /// Lets other servers tell all the webhooks that this one tells.
    pub fn release_webhooks(&mut self, server: &[u8; 16]) -> Result<(), StoreError> {
        self.execute(
            "UPDATE webhooks SET lease_until = 0 WHERE lease_holder = $1 AND lease_until <> 0",
            values![&server[..]],
        )?;
        Ok(())
    }

    /// Records how far a webhook was told. False where `server` is not the one that tells it.
    pub fn record_webhook_told(
        &mut self,
        webhook: &Webhook,
        server: &[u8; 16],
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let pace = &webhook.pace;
        let recorded = self.execute(
            "UPDATE webhooks SET told = $1, failures = $2, failing_since = $3, error = $4,
                 next_at = $5, lease_until = $6
             WHERE tenant_id = $7 AND webhook_id = $8 AND lease_holder = $9",
            values![
                number(webhook.told),
                i64::from(pace.failures),
                pace.failing_since,
                pace.error.as_ref(),
                pace.next_at.unwrap_or(Timestamp::from_millis(0)),
                until,
                &webhook.tenant,
                &webhook.id,
                &server[..]
            ],
        )?;
        Ok(recorded > 0)
    }

    /// Whether `server` is the one that tells a webhook, which is still there.
    pub fn tells_webhook(
        &mut self,
        tenant: TenantId,
        id: WebhookId,
        server: &[u8; 16],
    ) -> Result<bool, StoreError> {
        let found = self.query_one(
            "webhooks",
            "SELECT webhook_id FROM webhooks
             WHERE tenant_id = $1 AND webhook_id = $2 AND lease_holder = $3",
            values![&tenant, &id, &server[..]],
            only::<WebhookId>,
        )?;
        Ok(found.is_some())
    }
}

fn webhook(columns: &mut Columns<'_>) -> Result<Webhook, StoreError> {
    let (id, tenant) = (columns.next()?, columns.next()?);
    let (name, url, anchors) = (columns.next()?, columns.next()?, columns.next()?);
    let sealed_secret = columns.next()?;
    let old: (Option<Vec<u8>>, Option<Timestamp>) = (columns.next()?, columns.next()?);
    Ok(Webhook {
        id,
        tenant,
        name,
        url,
        anchors,
        sealed_secret,
        secret_before: old.0.zip(old.1),
        kinds: columns.text_or_null(text::from_json)?,
        group: columns.next()?,
        told: columns.next()?,
        pace: Pace {
            failures: columns.next()?,
            failing_since: columns.next()?,
            error: columns.next()?,
            next_at: Some(columns.next()?).filter(|at: &Timestamp| at.as_millis() != 0),
        },
        created_at: columns.next()?,
    })
}
