//! Provisioning secrets.
//!
//! Only a secret with a bound on its devices, or on its rate, is counted, by a conditional update: so it
//! admits exactly as many as it may, however many ask at once. Of the others only the credentials that
//! are gone are counted in the row; those that came of them and stand are counted when somebody wants to
//! know. A full count would be one row that every enrollment of a group has to touch.

use enlist_core::{
    GroupId, Network, Rate, SecretBounds, SecretId, SecretRecord, ShortId, TenantId, Timestamp,
    micros,
};

use super::text;
use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT secret_id, tenant_id, group_id, short_id, digest, label, expires_at,
                    max_devices, rate_devices, rate_per_ms, networks, manifest_id, used,
                    rate_until, withdrawn, created_at
             FROM provisioning_secrets ",
            $rest
        )
    };
}

/// A statement on a secret that is live, and bounded as it was when it was loaded. The numbers of its
/// values: tenant, secret, now, networks, manifest.
macro_rules! guarded {
    (
        $first:literal,
        [$t:literal, $id:literal, $now:literal, $nets:literal, $m:literal],
        $rest:literal
    ) => {
        concat!(
            $first,
            "WHERE tenant_id = ",
            $t,
            " AND secret_id = ",
            $id,
            " AND withdrawn = 0
                 AND (expires_at IS NULL OR expires_at > ",
            $now,
            ")
                 AND coalesce(networks, '') = ",
            $nets,
            "
                 AND (manifest_id = ",
            $m,
            " OR (",
            $m,
            " IS NULL AND manifest_id IS NULL)) ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a secret.
    pub fn insert_secret(&mut self, secret: &SecretRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO provisioning_secrets (secret_id, tenant_id, group_id, short_id, digest,
                 label, expires_at, max_devices, rate_devices, rate_per_ms, networks, manifest_id,
                 used, rate_until, withdrawn, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            values![
                &secret.id,
                &secret.tenant,
                &secret.group,
                &secret.short_id,
                &secret.digest,
                &secret.label,
                secret.bounds.expires_at,
                secret.bounds.max_devices.map(number),
                rate_devices(&secret.bounds),
                rate_per_ms(&secret.bounds),
                networks(&secret.bounds).as_ref(),
                secret.bounds.manifest.as_ref(),
                number(secret.used),
                secret.rate_until_us,
                secret.withdrawn,
                secret.created_at
            ],
        )?;
        Ok(())
    }

    /// A secret by its id. Where it is not counted, `used` are only those here whose credential is gone.
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

    /// A secret by its short id. Where it is not counted, `used` are only those here whose credential is
    /// gone.
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

    /// The secrets of a group in the order of their making. `used` is how often each has ever let a device
    /// in.
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
            if !secret.bounds.are_counted() {
                secret.used += self.credentials_of_secret(tenant, secret.id)?;
            }
        }
        Ok(secrets)
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
    /// the secret is gone, withdrawn or expired, has enrolled all the devices it may, or all it may
    /// for now. `bounds` are the secret's own as the job loaded it: where other ones count or do not
    /// count any more, or other networks or another manifest do, it is false as well. A secret that
    /// bounds neither devices nor rate is only checked.
    pub fn count_secret_use(
        &mut self,
        tenant: TenantId,
        id: SecretId,
        bounds: &SecretBounds,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let networks = networks(bounds);
        let (networks, manifest) = (networks.as_deref().unwrap_or(""), bounds.manifest.as_ref());
        if !bounds.are_counted() {
            let stands = self.query_one_settled(
                "provisioning_secrets",
                select!("WHERE tenant_id = $1 AND secret_id = $2"),
                values![&tenant, &id],
                secret,
            )?;
            return Ok(stands.is_some_and(|secret| {
                let own = &secret.bounds;
                secret.is_live(now).is_ok()
                    && !own.are_counted()
                    && (&own.networks, own.manifest) == (&bounds.networks, bounds.manifest)
            }));
        }
        // All in one statement, on the row as it is when it is this one's turn. What is more than
        // `FAR_AHEAD`, 7200 seconds, ahead was written by a wrong clock: the rate begins anew.
        let counted = self.execute(
            guarded!(
                "UPDATE provisioning_secrets SET used = used + 1,
                     rate_until = CASE WHEN rate_devices IS NULL THEN rate_until
                         WHEN rate_until > $1
                             AND rate_until <= $1 + 7200000000 + rate_per_ms * 1000
                             THEN rate_until + rate_per_ms * 1000 / rate_devices
                         ELSE $1 + rate_per_ms * 1000 / rate_devices END ",
                ["$2", "$3", "$4", "$5", "$6"],
                "AND (max_devices IS NULL OR used < max_devices)
                 AND (rate_devices IS NULL OR rate_until <=
                     $1 + rate_per_ms * 1000 / rate_devices * (rate_devices - 1)
                     OR rate_until > $1 + 7200000000 + rate_per_ms * 1000)"
            ),
            values![micros(now), &tenant, &id, now, networks, manifest],
        )?;
        Ok(counted > 0)
    }

    /// Takes note that a credential that came of a secret is gone, where it was not counted when it came.
    pub(super) fn keep_count_of_secret(
        &mut self,
        tenant: TenantId,
        id: SecretId,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE provisioning_secrets SET used = used + 1
             WHERE tenant_id = $1 AND secret_id = $2
               AND max_devices IS NULL AND rate_devices IS NULL",
            values![&tenant, &id],
        )?;
        Ok(())
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

fn rate_devices(bounds: &SecretBounds) -> Option<i64> {
    bounds.rate.map(|rate| i64::from(rate.devices()))
}

fn rate_per_ms(bounds: &SecretBounds) -> Option<i64> {
    let millis = |rate: Rate| i64::try_from(rate.per().as_millis()).unwrap_or(i64::MAX);
    bounds.rate.map(millis)
}

/// A JSON array, or null for none.
fn networks(bounds: &SecretBounds) -> Option<String> {
    let texts: Vec<_> = bounds.networks.iter().map(Network::to_string).collect();
    text::to_json(&texts, texts.is_empty())
}

fn read_networks(texts: &[String]) -> Option<Vec<Network>> {
    texts.iter().map(|text| text.parse().ok()).collect()
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
            rate: match (columns.next::<Option<u32>>()?, columns.next()?) {
                (Some(devices), Some(per)) => {
                    Some(Rate::new(devices, per).map_err(|_| columns.corrupt())?)
                }
                _ => None,
            },
            networks: match columns.text_or_null(text::from_json::<Vec<String>>)? {
                Some(networks) => read_networks(&networks).ok_or_else(|| columns.corrupt())?,
                None => Vec::new(),
            },
            manifest: columns.next()?,
        },
        used: columns.next()?,
        rate_until_us: columns.next()?,
        withdrawn: columns.next()?,
        created_at: columns.next()?,
    })
}
