//! Manufacturers whose hardware is believed.

use enlist_core::{Digest, ManufacturerRecord, Name, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds a manufacturer, or puts other certificates in the place of those that the one of this name has.
    pub fn put_manufacturer(
        &mut self,
        manufacturer: &ManufacturerRecord,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO manufacturers (tenant_id, name, certificates, digest, created_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, name) DO UPDATE
             SET certificates = excluded.certificates, digest = excluded.digest",
            values![
                &manufacturer.tenant,
                &manufacturer.name,
                &manufacturer.certificates,
                &manufacturer.digest,
                manufacturer.created_at
            ],
        )?;
        Ok(())
    }

    /// One manufacturer of a tenant's.
    pub fn manufacturer(
        &mut self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Option<ManufacturerRecord>, StoreError> {
        self.query_one(
            "manufacturers",
            "SELECT tenant_id, name, certificates, digest, created_at FROM manufacturers
             WHERE tenant_id = $1 AND name = $2",
            values![&tenant, name],
            manufacturer,
        )
    }

    /// The manufacturers of a tenant, without their certificates, in the order of their names.
    pub fn manufacturer_digests(
        &mut self,
        tenant: TenantId,
    ) -> Result<Vec<(Name, Digest)>, StoreError> {
        self.query(
            "manufacturers",
            "SELECT name, digest FROM manufacturers WHERE tenant_id = $1 ORDER BY name",
            values![&tenant],
            |columns| Ok((columns.next()?, columns.next()?)),
        )
    }

    /// Takes a manufacturer off the record. False where there is none of this name.
    pub fn delete_manufacturer(
        &mut self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<bool, StoreError> {
        let deleted = self.execute(
            "DELETE FROM manufacturers WHERE tenant_id = $1 AND name = $2",
            values![&tenant, name],
        )?;
        Ok(deleted > 0)
    }
}

fn manufacturer(columns: &mut Columns<'_>) -> Result<ManufacturerRecord, StoreError> {
    Ok(ManufacturerRecord {
        tenant: columns.next()?,
        name: columns.next()?,
        certificates: columns.next()?,
        digest: columns.next()?,
        created_at: columns.next()?,
    })
}
