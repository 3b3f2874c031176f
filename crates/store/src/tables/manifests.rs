//! Manifests, their entries, and whom these have let in.

use std::collections::HashSet;

use enlist_core::{
    DeviceId, HardwareIdentity, Manifest, ManifestEntry, ManifestId, Name, TenantId, Timestamp,
};

use super::pieces::{in_pieces, listed};
use super::text;
use crate::column::{Columns, only};
use crate::value::{Value, number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT manifest_id, tenant_id, name, entries, created_at FROM manifests ",
            $rest
        )
    };
}

macro_rules! clearing {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id = $1 AND manifest_id = $2 AND identity IN
                 (SELECT identity FROM ",
            $table,
            " WHERE tenant_id = $1 AND manifest_id = $2 ORDER BY identity LIMIT $3)"
        )
    };
}

impl Tx<'_> {
    /// Adds a manifest without entries. False where its name is taken.
    pub fn insert_manifest(&mut self, manifest: &Manifest) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO manifests (tenant_id, manifest_id, name, created_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, name) DO NOTHING",
            values![
                &manifest.tenant,
                &manifest.id,
                &manifest.name,
                manifest.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// A manifest by its id.
    pub fn manifest(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
    ) -> Result<Option<Manifest>, StoreError> {
        self.query_one(
            "manifests",
            select!("WHERE tenant_id = $1 AND manifest_id = $2 AND deleted_at IS NULL"),
            values![&tenant, &id],
            manifest,
        )
    }

    /// A manifest by its name. A job that writes holds it until the commit: it is not deleted
    /// meanwhile, and nobody else adds to it.
    pub fn manifest_by_name(
        &mut self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Option<Manifest>, StoreError> {
        self.query_held(
            "manifests",
            select!("WHERE tenant_id = $1 AND name = $2 AND deleted_at IS NULL"),
            values![&tenant, name],
            manifest,
        )
    }

    /// The manifests of a tenant, by name.
    pub fn manifests(&mut self, tenant: TenantId) -> Result<Vec<Manifest>, StoreError> {
        self.query(
            "manifests",
            select!("WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY name"),
            values![&tenant],
            manifest,
        )
    }

    /// How many entries of a manifest have let a device in that is still there. No more than `most` are
    /// counted.
    pub fn count_manifest_uses(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        most: usize,
    ) -> Result<u64, StoreError> {
        let count = self.query_one(
            "manifest_uses",
            "SELECT count(*) FROM (SELECT 1 FROM manifest_uses u
             JOIN devices d ON d.tenant_id = u.tenant_id AND d.device_id = u.device_id
             WHERE u.tenant_id = $1 AND u.manifest_id = $2 LIMIT $3) counted",
            values![&tenant, &id, number(most as u64)],
            only,
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Adds entries to a manifest that the job holds, in as few statements as there can be. Says of
    /// each, in order, whether it is new; false where it was there before, as an earlier one of
    /// the same call too.
    pub fn insert_manifest_entries(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        entries: &[HardwareIdentity],
    ) -> Result<Vec<bool>, StoreError> {
        let texts: Vec<_> = entries.iter().map(ToString::to_string).collect();
        let mut there = HashSet::new();
        in_pieces(&texts, lookup, |sql, piece| {
            let values = tied(&tenant, &id, piece);
            let found: Vec<String> = self.query("manifest_entries", sql, &values, only)?;
            there.extend(found);
            Ok(())
        })?;
        let new: Vec<bool> = texts
            .iter()
            .map(|text| there.insert(text.clone()))
            .collect();
        let adding = texts.iter().zip(&new).filter(|(_, new)| **new);
        let mut adding: Vec<String> = adding.map(|(text, _)| text.clone()).collect();
        // As they lie in the table.
        adding.sort_unstable();
        in_pieces(&adding, insert, |sql, piece| {
            self.execute(sql, &tied(&tenant, &id, piece))?;
            Ok(())
        })?;
        if !adding.is_empty() {
            self.execute(
                "UPDATE manifests SET entries = entries + $1
                 WHERE tenant_id = $2 AND manifest_id = $3",
                values![number(adding.len() as u64), &tenant, &id],
            )?;
        }
        Ok(new)
    }

    /// Whether an identity is on a manifest.
    pub fn manifest_lists(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        identity: &HardwareIdentity,
    ) -> Result<bool, StoreError> {
        Ok(self.manifest_use(tenant, id, identity)?.is_some())
    }

    /// The entry of an identity: the device that it has let in, where that is still there. `None`
    /// where there is no such entry.
    pub fn manifest_use(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        identity: &HardwareIdentity,
    ) -> Result<Option<Option<DeviceId>>, StoreError> {
        self.query_one(
            "manifest_entries",
            "SELECT d.device_id FROM manifest_entries e
             LEFT JOIN manifest_uses u ON u.tenant_id = e.tenant_id
                 AND u.manifest_id = e.manifest_id AND u.identity = e.identity
             LEFT JOIN devices d ON d.tenant_id = u.tenant_id AND d.device_id = u.device_id
             WHERE e.tenant_id = $1 AND e.manifest_id = $2 AND e.identity = $3",
            values![&tenant, &id, &identity.to_string()],
            only,
        )
    }

    /// Takes note that an entry lets a device in. False where there is no such entry, or it has let in
    /// another device that is still there.
    pub fn use_manifest_entry(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        identity: &HardwareIdentity,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let text = identity.to_string();
        // coalesce() is there for its type alone: of a bare value PostgreSQL would make a text here.
        let added = self.execute(
            "INSERT INTO manifest_uses (tenant_id, manifest_id, identity, device_id)
             SELECT tenant_id, manifest_id, identity, coalesce($1, manifest_id) FROM manifest_entries
             WHERE tenant_id = $2 AND manifest_id = $3 AND identity = $4
             ON CONFLICT (tenant_id, manifest_id, identity) DO NOTHING",
            values![&device, &tenant, &id, &text],
        )?;
        if added > 0 {
            return Ok(true);
        }
        // Looked at by itself, and not in the statement above, which might have waited for whoever
        // was first and would not see his device.
        let before: Option<DeviceId> = self.query_held(
            "manifest_uses",
            "SELECT device_id FROM manifest_uses
             WHERE tenant_id = $1 AND manifest_id = $2 AND identity = $3",
            values![&tenant, &id, &text],
            only,
        )?;
        if before == Some(device) {
            return Ok(true);
        }
        if self.manifest_use(tenant, id, identity)?.flatten().is_some() {
            return Ok(false);
        }
        let taken = self.execute(
            "UPDATE manifest_uses SET device_id = $1
             WHERE tenant_id = $2 AND manifest_id = $3 AND identity = $4 AND device_id = $5",
            values![&device, &tenant, &id, &text, before.as_ref()],
        )?;
        Ok(taken > 0)
    }

    /// Entries of a manifest in the order of their text, from behind `after`, `limit` at most;
    /// `unused`: only those that have let nobody in who is still there.
    pub fn manifest_entries(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        unused: bool,
        after: &str,
        limit: usize,
    ) -> Result<Vec<ManifestEntry>, StoreError> {
        self.query(
            "manifest_entries",
            "SELECT e.identity, d.device_id, d.name FROM manifest_entries e
             LEFT JOIN manifest_uses u ON u.tenant_id = e.tenant_id
                 AND u.manifest_id = e.manifest_id AND u.identity = e.identity
             LEFT JOIN devices d ON d.tenant_id = u.tenant_id AND d.device_id = u.device_id
             WHERE e.tenant_id = $1 AND e.manifest_id = $2 AND e.identity > $3
                 AND (d.device_id IS NULL OR CAST($4 AS BIGINT) = 0)
             ORDER BY e.identity LIMIT $5",
            values![&tenant, &id, after, i64::from(unused), number(limit as u64)],
            |columns| {
                Ok(ManifestEntry {
                    identity: columns.text(text::hardware)?,
                    device: match (columns.next()?, columns.next()?) {
                        (Some(id), Some(name)) => Some((id, name)),
                        _ => None,
                    },
                })
            },
        )
    }

    /// Marks a manifest as deleted: from now on it is not found, and lets nobody in. Its name is
    /// free again. False where it is gone.
    pub fn delete_manifest(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let gone = self.execute(
            "UPDATE manifests SET deleted_at = $1, name = $2
             WHERE tenant_id = $3 AND manifest_id = $4 AND deleted_at IS NULL",
            values![at, &id.to_string(), &tenant, &id],
        )?;
        Ok(gone > 0)
    }

    /// Whether a secret that is live at `now` names a manifest. To be sure that none does, delete the
    /// manifest first, then look.
    pub fn manifest_bounds_a_secret(
        &mut self,
        tenant: TenantId,
        id: ManifestId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = self.query_one(
            "provisioning_secrets",
            "SELECT withdrawn FROM provisioning_secrets
             WHERE tenant_id = $1 AND manifest_id = $2 AND withdrawn = 0
                 AND (expires_at IS NULL OR expires_at > $3) LIMIT 1",
            values![&tenant, &id, now],
            only::<bool>,
        )?;
        Ok(found.is_some())
    }

    /// Clears away what is left of one deleted manifest, `limit` entries at most. False where there
    /// was nothing left of any.
    pub fn clear_deleted_manifest(&mut self, limit: usize) -> Result<bool, StoreError> {
        let deleted = self.query_one(
            "manifests",
            "SELECT tenant_id, manifest_id FROM manifests WHERE deleted_at IS NOT NULL LIMIT 1",
            &[],
            |columns| Ok((columns.next::<TenantId>()?, columns.next::<ManifestId>()?)),
        )?;
        let Some((tenant, id)) = deleted else {
            return Ok(false);
        };
        let tables = [clearing!("manifest_uses"), clearing!("manifest_entries")];
        for sql in tables {
            if self.execute(sql, values![&tenant, &id, number(limit as u64)])? > 0 {
                return Ok(true);
            }
        }
        self.execute(
            "DELETE FROM manifests WHERE tenant_id = $1 AND manifest_id = $2",
            values![&tenant, &id],
        )?;
        Ok(true)
    }
}

fn tied<'a>(tenant: &'a TenantId, id: &'a ManifestId, texts: &'a [String]) -> Vec<Value<'a>> {
    let mut values = vec![Value::from(tenant), Value::from(id)];
    values.extend(texts.iter().map(Value::from));
    values
}

fn lookup(rows: usize) -> String {
    let identities = listed(rows, 2, |[identity]| format!("${identity}"));
    format!(
        "SELECT identity FROM manifest_entries
         WHERE tenant_id = $1 AND manifest_id = $2 AND identity IN ({identities})"
    )
}

fn insert(rows: usize) -> String {
    let rows = listed(rows, 2, |[identity]| format!("($1, $2, ${identity})"));
    format!("INSERT INTO manifest_entries (tenant_id, manifest_id, identity) VALUES {rows}")
}

fn manifest(columns: &mut Columns<'_>) -> Result<Manifest, StoreError> {
    Ok(Manifest {
        id: columns.next()?,
        tenant: columns.next()?,
        name: columns.next()?,
        entries: columns.next()?,
        created_at: columns.next()?,
    })
}
