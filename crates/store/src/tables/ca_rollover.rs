//! Issuing CAs on their way in and out, and the root on its way out of reach.

use enlist_core::{CaId, CaRecord, CaStanding, TenantId, Timestamp};

use super::cas::{ca, kept, wrapped};
use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// All CAs, of all kinds and tenants, newest first.
    pub fn all_cas(&mut self) -> Result<Vec<CaRecord>, StoreError> {
        self.query(
            "cas",
            "SELECT ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                 key_reference, created_at
             FROM cas ORDER BY created_at DESC, ca_id DESC",
            &[],
            ca,
        )
    }

    /// How each issuing CA stands, by id: what changes when one comes, goes or takes over.
    pub fn issuing_standings(&mut self) -> Result<Vec<(CaId, TenantId, CaStanding)>, StoreError> {
        self.query(
            "cas",
            "SELECT ca_id, tenant_id, standing FROM cas WHERE kind = 'issuing' ORDER BY ca_id",
            &[],
            |columns: &mut Columns<'_>| {
                Ok((
                    columns.next()?,
                    columns.next()?,
                    columns.text(CaStanding::parse)?,
                ))
            },
        )
    }

    /// Adds a tenant's next issuing CA. False where it has one already.
    pub fn insert_next_issuing(&mut self, next: &CaRecord) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO cas (ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                 key_reference, created_at)
             VALUES ($1, $2, 'issuing', 'next', $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
            values![
                &next.id,
                next.tenant.as_ref(),
                &next.certificate,
                &next.chain,
                wrapped(&next.key),
                kept(&next.key),
                next.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// Gives an issuing CA that has issued nothing yet another certificate over its key. False where it
    /// is not the next one any more.
    pub fn replace_next_issuing(
        &mut self,
        id: CaId,
        certificate: &[u8],
    ) -> Result<bool, StoreError> {
        let replaced = self.execute(
            "UPDATE cas SET certificate = $1
             WHERE ca_id = $2 AND kind = 'issuing' AND standing = 'next'",
            values![certificate, &id],
        )?;
        Ok(replaced > 0)
    }

    /// Retires whatever issues for a tenant, and makes `next` issue. False where `next` is not the next
    /// one any more; the job has to fail then, so that nothing of it is recorded.
    pub fn change_issuing(
        &mut self,
        tenant: TenantId,
        next: CaId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.execute(
            "UPDATE cas SET standing = 'retired', retired_at = $1
             WHERE tenant_id = $2 AND kind = 'issuing' AND standing = 'current'",
            values![at, &tenant],
        )?;
        let promoted = self.execute(
            "UPDATE cas SET standing = 'current'
             WHERE tenant_id = $1 AND ca_id = $2 AND kind = 'issuing' AND standing = 'next'",
            values![&tenant, &next],
        )?;
        Ok(promoted == 1)
    }

    /// Forgets the key of the current root. False where `root` is not that, or its key is not here.
    pub fn forget_root_key(&mut self, root: CaId) -> Result<bool, StoreError> {
        let forgotten = self.execute(
            "UPDATE cas SET wrapped_key = NULL
             WHERE ca_id = $1 AND kind = 'root' AND standing = 'current'
               AND wrapped_key IS NOT NULL",
            values![&root],
        )?;
        Ok(forgotten > 0)
    }
}
