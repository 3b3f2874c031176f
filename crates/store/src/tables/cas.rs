//! Certificate authorities.

use enlist_core::{CaId, CaKind, CaRecord, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds a CA.
    pub fn insert_ca(&mut self, ca: &CaRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO cas (ca_id, tenant_id, kind, certificate, wrapped_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                &ca.id,
                ca.tenant.as_ref(),
                ca.kind.as_str(),
                &ca.certificate,
                ca.wrapped_key.as_ref(),
                ca.created_at
            ],
        )?;
        Ok(())
    }

    /// A CA by its id.
    pub fn ca(&mut self, id: CaId) -> Result<Option<CaRecord>, StoreError> {
        self.query_one(
            "cas",
            "SELECT ca_id, tenant_id, kind, certificate, wrapped_key, created_at
             FROM cas WHERE ca_id = $1",
            values![&id],
            ca,
        )
    }

    /// The CAs of a kind that belong to `tenant`, or to the whole installation: newest first.
    pub fn cas(
        &mut self,
        kind: CaKind,
        tenant: Option<TenantId>,
    ) -> Result<Vec<CaRecord>, StoreError> {
        self.query(
            "cas",
            "SELECT ca_id, tenant_id, kind, certificate, wrapped_key, created_at
             FROM cas WHERE kind = $1 AND tenant_id IS NOT DISTINCT FROM $2
             ORDER BY created_at DESC, ca_id DESC",
            values![kind.as_str(), tenant.as_ref()],
            ca,
        )
    }
}

pub(super) fn ca(columns: &mut Columns<'_>) -> Result<CaRecord, StoreError> {
    Ok(CaRecord {
        id: columns.next()?,
        tenant: columns.next()?,
        kind: columns.text(CaKind::parse)?,
        certificate: columns.next()?,
        wrapped_key: columns.next()?,
        created_at: columns.next()?,
    })
}
