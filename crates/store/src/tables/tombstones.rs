//! Tombstones.

use enlist_core::{DeviceId, Digest, GroupId, Name, TenantId, Timestamp, Tombstone, TombstoneOf};

use crate::column::{Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::{Value, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, kind, group_id, value, device_id, laid_at FROM tombstones ",
            $rest
        )
    };
}

static ANY: Put = Put {
    table: "tombstones",
    sql: "SELECT digest FROM tombstones WHERE tenant_id = $1 AND digest = $2",
    expected: Expected::NoRow,
};

impl Tx<'_> {
    /// Lays a tombstone. Where the same device has left the same one before, that one stays.
    pub fn insert_tombstone(&mut self, tombstone: &Tombstone) -> Result<(), StoreError> {
        let hardware;
        let (group, value): (_, &[u8]) = match &tombstone.of {
            TombstoneOf::Name(group, name) => (Some(group), name.as_str().as_bytes()),
            TombstoneOf::Key(key) => (None, key.as_bytes()),
            TombstoneOf::Hardware(identity) => {
                hardware = identity.to_string();
                (None, hardware.as_bytes())
            }
        };
        self.execute(
            "INSERT INTO tombstones (tenant_id, digest, device_id, kind, group_id, value, laid_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, digest, device_id) DO NOTHING",
            values![
                &tombstone.tenant,
                &tombstone.of.digest(),
                &tombstone.device,
                tombstone.of.kind(),
                group,
                value,
                tombstone.at
            ],
        )?;
        Ok(())
    }

    /// One tombstone that keeps out any of `what`. To be sure of none, insert first, then look.
    pub fn tombstoned(
        &mut self,
        tenant: TenantId,
        what: &[&TombstoneOf],
    ) -> Result<Option<Tombstone>, StoreError> {
        let digests: Vec<Digest> = what.iter().map(|of| of.digest()).collect();
        let mut hoped = !digests.is_empty();
        for digest in &digests {
            hoped = hoped && self.hope_for_none(&ANY, values![&tenant, digest])?;
        }
        if hoped {
            return Ok(None);
        }
        let mut values = vec![Value::from(&tenant)];
        values.extend(digests.iter().map(Value::from));
        if !self.is_any_tombstoned(&values)? {
            return Ok(None);
        }
        let sql = format!(
            "{} ({}) ORDER BY laid_at LIMIT 1",
            select!("WHERE tenant_id = $1 AND digest IN"),
            numbered(&values, "$").join(", ")
        );
        self.query_one("tombstones", &sql, &values, tombstone)
    }

    /// Whether there is a tombstone of any of these; `values` are the tenant and the digests. Nearly always
    /// there is none, and SQLite sees that in an eighth of the time that it needs to put in order what it
    /// might have found.
    fn is_any_tombstoned(&mut self, values: &[Value<'_>]) -> Result<bool, StoreError> {
        const ONE: &str = "SELECT tenant_id FROM tombstones WHERE tenant_id = $1 AND digest = $";
        let looks = numbered(values, ONE);
        if looks.is_empty() {
            return Ok(false);
        }
        let sql = format!("{} LIMIT 1", looks.join(" UNION ALL "));
        let any = self.query_one("tombstones", &sql, values, only::<TenantId>)?;
        Ok(any.is_some())
    }

    /// Whether a tenant has any tombstones at all.
    pub fn has_tombstones(&mut self, tenant: TenantId) -> Result<bool, StoreError> {
        let any = self.query_one(
            "tombstones",
            "SELECT tenant_id FROM tombstones WHERE tenant_id = $1 LIMIT 1",
            values![&tenant],
            only::<TenantId>,
        )?;
        Ok(any.is_some())
    }

    /// The device that left a tombstone of `what`, and when.
    pub fn tombstone(
        &mut self,
        tenant: TenantId,
        what: &TombstoneOf,
    ) -> Result<Option<(DeviceId, Timestamp)>, StoreError> {
        let found = self.tombstoned(tenant, &[what])?;
        Ok(found.map(|tombstone| (tombstone.device, tombstone.at)))
    }

    /// The tombstones that a device left.
    pub fn tombstones_of(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Vec<Tombstone>, StoreError> {
        self.query(
            "tombstones",
            select!("WHERE tenant_id = $1 AND device_id = $2 ORDER BY kind, digest"),
            values![&tenant, &device],
            tombstone,
        )
    }

    /// Clears away the tombstones that a device left. Says how many there were.
    pub fn delete_tombstones_of(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM tombstones WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &device],
        )
    }
}

/// `before` with the number of each value after it, but for the first.
fn numbered(values: &[Value<'_>], before: &str) -> Vec<String> {
    (2..=values.len()).map(|n| format!("{before}{n}")).collect()
}

fn tombstone(columns: &mut Columns<'_>) -> Result<Tombstone, StoreError> {
    let tenant = columns.next()?;
    let kind: String = columns.next()?;
    let group: Option<GroupId> = columns.next()?;
    let value: Vec<u8> = columns.next()?;
    let of = read(&kind, group, &value).ok_or_else(|| columns.corrupt())?;
    Ok(Tombstone {
        tenant,
        of,
        device: columns.next()?,
        at: columns.next()?,
    })
}

fn read(kind: &str, group: Option<GroupId>, value: &[u8]) -> Option<TombstoneOf> {
    let text = || std::str::from_utf8(value).ok();
    Some(match kind {
        "name" => TombstoneOf::Name(group?, text()?.parse::<Name>().ok()?),
        "key" => TombstoneOf::Key(Digest::from_bytes(value.try_into().ok()?)),
        "hardware" => TombstoneOf::Hardware(super::text::hardware(text()?)?),
        _ => return None,
    })
}
