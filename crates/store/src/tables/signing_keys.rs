//! Keys that sign for a tenant.

use enlist_core::{SigningKeyRecord, SigningPurpose, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds a signing key. False where the tenant has one for the purpose already.
    pub fn insert_signing_key(&mut self, key: &SigningKeyRecord) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO signing_keys (tenant_id, purpose, key_digest, spki, wrapped_key,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, purpose) DO NOTHING",
            values![
                &key.tenant,
                key.purpose.as_str(),
                &key.key,
                &key.spki,
                &key.wrapped_key,
                key.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// The key that signs for a tenant.
    pub fn signing_key(
        &mut self,
        tenant: TenantId,
        purpose: SigningPurpose,
    ) -> Result<Option<SigningKeyRecord>, StoreError> {
        self.query_one(
            "signing_keys",
            "SELECT tenant_id, purpose, key_digest, spki, wrapped_key, created_at
             FROM signing_keys WHERE tenant_id = $1 AND purpose = $2",
            values![&tenant, purpose.as_str()],
            signing_key,
        )
    }
}

fn signing_key(columns: &mut Columns<'_>) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        tenant: columns.next()?,
        purpose: columns.text(SigningPurpose::parse)?,
        key: columns.next()?,
        spki: columns.next()?,
        wrapped_key: columns.next()?,
        created_at: columns.next()?,
    })
}
