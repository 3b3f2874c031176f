//! Provisioning secrets.
//!
//! Only a secret with a bound on its devices is counted, by a conditional update: so it admits
//! exactly as many as it may, however many ask at once. For the others the credentials that
//! came of them are counted when somebody wants to know. A count kept for them would be one
//! row that every enrollment of a group has to touch.

use enlist_core::{GroupId, SecretBounds, SecretId, SecretRecord, ShortId, TenantId, Timestamp};

use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT secret_id, tenant_id, group_id, short_id, digest, label, expires_at,
                    max_devices, used, withdrawn, created_at
             FROM provisioning_secrets ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a secret.
    pub fn insert_secret(&mut self, secret: &SecretRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO provisioning_secrets (secret_id, tenant_id, group_id, short_id, digest,
                 label, expires_at, max_devices, used, withdrawn, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                &secret.id,
                &secret.tenant,
                &secret.group,
                &secret.short_id,
                &secret.digest,
                &secret.label,
                secret.bounds.expires_at,
                secret.bounds.max_devices.map(number),
                number(secret.used),
                secret.withdrawn,
                secret.created_at
            ],
        )?;
        Ok(())
    }

    /// A secret by its id. Where its devices are not bounded, `used` is 0 here.
    pub fn secret(
        &mut self,
        tenant: TenantId,
        id: SecretId,
    ) -> Result<Option<SecretRecord>, StoreError> {
        self.query_one(
            "provisioning_secrets",
            select!("WHERE tenant_id = $1 AND secret_id = $2"),
            values![&tenant, &id],
            secret,
        )
    }

    /// A secret by its short id. Where its devices are not bounded, `used` is 0 here.
    pub fn secret_by_short_id(
        &mut self,
        tenant: TenantId,
        short_id: &ShortId,
    ) -> Result<Option<SecretRecord>, StoreError> {
        self.query_one(
            "provisioning_secrets",
            select!("WHERE tenant_id = $1 AND short_id = $2"),
            values![&tenant, short_id],
            secret,
        )
    }

    /// The secrets of a group in the order of their making. `used` is how many devices a
    /// bounded one has enrolled, or how many hold a credential that came of an unbounded one.
    pub fn secrets(
        &mut self,
        tenant: TenantId,
        group: GroupId,
    ) -> Result<Vec<SecretRecord>, StoreError> {
        let mut secrets = self.query(
            "provisioning_secrets",
            select!("WHERE tenant_id = $1 AND group_id = $2 ORDER BY created_at, secret_id"),
            values![&tenant, &group],
            secret,
        )?;
        for secret in &mut secrets {
            if secret.bounds.max_devices.is_none() {
                secret.used = self.credentials_of_secret(tenant, secret.id)?;
            }
        }
        Ok(secrets)
    }

    /// Sets the bounds of a secret. False where it is gone.
    pub fn save_secret_bounds(
        &mut self,
        tenant: TenantId,
        id: SecretId,
        bounds: &SecretBounds,
    ) -> Result<bool, StoreError> {
        // Where it was not bounded before, counting begins at what there is.
        let saved = self.execute(
            "UPDATE provisioning_secrets
             SET used = CASE WHEN max_devices IS NULL
                     THEN (SELECT count(*) FROM credentials c
                           WHERE c.tenant_id = provisioning_secrets.tenant_id
                             AND c.secret_id = provisioning_secrets.secret_id)
                     ELSE used END,
                 expires_at = $1, max_devices = $2
             WHERE tenant_id = $3 AND secret_id = $4",
            values![
                bounds.expires_at,
                bounds.max_devices.map(number),
                &tenant,
                &id
            ],
        )?;
        Ok(saved > 0)
    }

    /// Lets a secret expire at `end`. False where it is gone.
    pub fn expire_secret(
        &mut self,
        tenant: TenantId,
        id: SecretId,
        end: Timestamp,
    ) -> Result<bool, StoreError> {
        let saved = self.execute(
            "UPDATE provisioning_secrets SET expires_at = $1
             WHERE tenant_id = $2 AND secret_id = $3",
            values![end, &tenant, &id],
        )?;
        Ok(saved > 0)
    }

    /// Withdraws a secret. False where it is gone or was withdrawn before.
    pub fn withdraw_secret(&mut self, tenant: TenantId, id: SecretId) -> Result<bool, StoreError> {
        let saved = self.execute(
            "UPDATE provisioning_secrets SET withdrawn = 1
             WHERE tenant_id = $1 AND secret_id = $2 AND withdrawn = 0",
            values![&tenant, &id],
        )?;
        Ok(saved > 0)
    }

    /// Takes note that one more device enrolls with a secret at `now`. False where it may not:
    /// the secret is gone, withdrawn, expired, or has enrolled `max` devices already. `max` is
    /// the secret's own bound as the job loaded it; one that has none is only checked.
    pub fn count_secret_use(
        &mut self,
        tenant: TenantId,
        id: SecretId,
        max: Option<u64>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if max.is_none() {
            let live = self.query_one(
                "provisioning_secrets",
                "SELECT withdrawn FROM provisioning_secrets
                 WHERE tenant_id = $1 AND secret_id = $2 AND withdrawn = 0
                   AND (expires_at IS NULL OR expires_at > $3) AND max_devices IS NULL",
                values![&tenant, &id, now],
                only::<bool>,
            )?;
            return Ok(live.is_some());
        }
        let counted = self.execute(
            "UPDATE provisioning_secrets SET used = used + 1
             WHERE tenant_id = $1 AND secret_id = $2 AND withdrawn = 0
               AND (expires_at IS NULL OR expires_at > $3) AND used < max_devices",
            values![&tenant, &id, now],
        )?;
        Ok(counted > 0)
    }

    fn credentials_of_secret(&mut self, tenant: TenantId, id: SecretId) -> Result<u64, StoreError> {
        let count = self.query_one(
            "credentials",
            "SELECT count(*) FROM credentials WHERE tenant_id = $1 AND secret_id = $2",
            values![&tenant, &id],
            only,
        )?;
        Ok(count.unwrap_or(0))
    }
}

fn secret(columns: &mut Columns<'_>) -> Result<SecretRecord, StoreError> {
    Ok(SecretRecord {
        id: columns.next()?,
        tenant: columns.next()?,
        group: columns.next()?,
        short_id: columns.next()?,
        digest: columns.next()?,
        label: columns.next()?,
        bounds: SecretBounds {
            expires_at: columns.next()?,
            max_devices: columns.next()?,
        },
        used: columns.next()?,
        withdrawn: columns.next()?,
        created_at: columns.next()?,
    })
}
