//! Certificates that are asked of roots from elsewhere.

use enlist_core::{CaId, CaKey, CaRequestRecord, TenantId};

use super::cas::{kept, wrapped};
use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds a request.
    pub fn insert_ca_request(&mut self, request: &CaRequestRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO ca_requests (tenant_id, ca_id, csr, wrapped_key, key_reference, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                &request.tenant,
                &request.ca,
                &request.csr,
                wrapped(&request.key),
                kept(&request.key),
                request.created_at
            ],
        )?;
        Ok(())
    }

    /// The requests of a tenant, oldest first.
    pub fn ca_requests(&mut self, tenant: TenantId) -> Result<Vec<CaRequestRecord>, StoreError> {
        self.query(
            "ca_requests",
            "SELECT ca_id, tenant_id, csr, wrapped_key, key_reference, created_at
             FROM ca_requests WHERE tenant_id = $1 ORDER BY created_at, ca_id",
            values![&tenant],
            request,
        )
    }

    /// Takes a request off the record. False where it is not there.
    pub fn delete_ca_request(&mut self, tenant: TenantId, ca: CaId) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM ca_requests WHERE tenant_id = $1 AND ca_id = $2",
            values![&tenant, &ca],
        )?;
        Ok(gone > 0)
    }
}

fn request(columns: &mut Columns<'_>) -> Result<CaRequestRecord, StoreError> {
    Ok(CaRequestRecord {
        ca: columns.next()?,
        tenant: columns.next()?,
        csr: columns.next()?,
        key: match (columns.next()?, columns.next()?) {
            (Some(wrapped), _) => CaKey::Wrapped(wrapped),
            (None, Some(reference)) => CaKey::Kept(reference),
            (None, None) => return Err(columns.corrupt()),
        },
        created_at: columns.next()?,
    })
}
