//! Roots on their way in and out.

use enlist_core::{CaId, GroupId, RootRecord, TenantId, Timestamp};

use super::cas::{ca, kept, wrapped};
use crate::column::{Columns, only};
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                    key_reference, created_at, cross_certificate, retired_at
             FROM cas WHERE kind = 'root' ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// All roots there ever were, newest first.
    pub fn roots(&mut self) -> Result<Vec<RootRecord>, StoreError> {
        let sql = select!("ORDER BY created_at DESC, ca_id DESC");
        self.query("cas", sql, &[], root)
    }

    /// The current root, and the next one where there is one.
    pub fn offered_roots(&mut self) -> Result<Vec<RootRecord>, StoreError> {
        let sql = select!("AND standing IN ('current', 'next') ORDER BY created_at, ca_id");
        self.query("cas", sql, &[], root)
    }

    /// The current root. A writing job holds it until the commit: nobody retires it meanwhile.
    pub fn current_root(&mut self) -> Result<Option<RootRecord>, StoreError> {
        self.query_held("cas", select!("AND standing = 'current'"), &[], root)
    }

    /// Adds the next root. False where there is one already.
    pub fn insert_next_root(&mut self, next: &RootRecord) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO cas (ca_id, tenant_id, kind, certificate, wrapped_key, key_reference,
                 created_at, standing, cross_certificate)
             VALUES ($1, NULL, 'root', $2, $3, $4, $5, 'next', $6)
             ON CONFLICT DO NOTHING",
            values![
                &next.ca.id,
                &next.ca.certificate,
                wrapped(&next.ca.key),
                kept(&next.ca.key),
                next.ca.created_at,
                next.cross.as_ref()
            ],
        )?;
        Ok(added > 0)
    }

    /// Retires `current` and makes `next` current. False where they do not stand like that any more;
    /// the job has to fail then, so that nothing of it is recorded.
    pub fn change_roots(
        &mut self,
        current: CaId,
        next: CaId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let retired = self.execute(
            "UPDATE cas SET standing = 'retired', retired_at = $1
             WHERE ca_id = $2 AND kind = 'root' AND standing = 'current'",
            values![at, &current],
        )?;
        let promoted = self.execute(
            "UPDATE cas SET standing = 'current'
             WHERE ca_id = $1 AND kind = 'root' AND standing = 'next'",
            values![&next],
        )?;
        Ok(retired == 1 && promoted == 1)
    }

    /// Keeps what a group's signers have said of a root, in place of what they had said before.
    pub fn put_root_approval(
        &mut self,
        (tenant, group): (TenantId, GroupId),
        root: CaId,
        envelope: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO root_approvals (tenant_id, group_id, ca_id, envelope, approved_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, group_id, ca_id)
             DO UPDATE SET envelope = excluded.envelope, approved_at = excluded.approved_at",
            values![&tenant, &group, &root, envelope, at],
        )?;
        Ok(())
    }

    /// What a group's signers have said of a root.
    pub fn root_approval(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        root: CaId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.query_one(
            "root_approvals",
            "SELECT envelope FROM root_approvals
             WHERE tenant_id = $1 AND group_id = $2 AND ca_id = $3",
            values![&tenant, &group, &root],
            only,
        )
    }
}

fn root(columns: &mut Columns<'_>) -> Result<RootRecord, StoreError> {
    Ok(RootRecord {
        ca: ca(columns)?,
        cross: columns.next()?,
        retired_at: columns.next()?,
    })
}
