//! Whom the server asks before it lets a newcomer in.

use enlist_core::{GroupId, Hook, TenantId, Timestamp};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, group_id, url, anchors, sealed_secret, old_secret, old_until,
                    timeout_ms, created_at
             FROM hooks ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Gives a group a hook. False where it has one.
    pub fn insert_hook(&mut self, hook: &Hook) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO hooks (tenant_id, group_id, url, anchors, sealed_secret, timeout_ms,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, group_id) DO NOTHING",
            values![
                &hook.tenant,
                &hook.group,
                &hook.url,
                hook.anchors.as_ref(),
                &hook.sealed_secret,
                i64::try_from(hook.timeout.as_millis()).unwrap_or(i64::MAX),
                hook.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// The hook of a group. A writing job holds it until the commit.
    pub fn hook(&mut self, tenant: TenantId, group: GroupId) -> Result<Option<Hook>, StoreError> {
        self.query_held(
            "hooks",
            select!("WHERE tenant_id = $1 AND group_id = $2"),
            values![&tenant, &group],
            hook,
        )
    }

    /// The hooks of a tenant.
    pub fn hooks(&mut self, tenant: TenantId) -> Result<Vec<Hook>, StoreError> {
        self.query(
            "hooks",
            select!("WHERE tenant_id = $1 ORDER BY group_id"),
            values![&tenant],
            hook,
        )
    }

    /// Takes the hook of a group away. False where there is none.
    pub fn delete_hook(&mut self, tenant: TenantId, group: GroupId) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM hooks WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &group],
        )?;
        Ok(gone > 0)
    }

    /// Gives a hook another secret; the one it has is good until `until`, and the one before that no more.
    pub fn replace_hook_secret(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        sealed: &[u8],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE hooks SET old_secret = sealed_secret, old_until = $1, sealed_secret = $2
             WHERE tenant_id = $3 AND group_id = $4",
            values![until, sealed, &tenant, &group],
        )?;
        Ok(())
    }
}

fn hook(columns: &mut Columns<'_>) -> Result<Hook, StoreError> {
    Ok(Hook {
        tenant: columns.next()?,
        group: columns.next()?,
        url: columns.next()?,
        anchors: columns.next()?,
        sealed_secret: columns.next()?,
        secret_before: {
            let secret: Option<Vec<u8>> = columns.next()?;
            let until: Option<Timestamp> = columns.next()?;
            secret.zip(until)
        },
        timeout: columns.next()?,
        created_at: columns.next()?,
    })
}
