//! Certificate authorities.

use enlist_core::{CaId, CaKey, CaKind, CaRecord, CaStanding, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

/// A CA that issues, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaInUse {
    /// What it issues.
    pub kind: CaKind,
    /// Its tenant, where it is one's.
    pub tenant: Option<TenantId>,
    /// The CA.
    pub id: CaId,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

impl Tx<'_> {
    /// Adds a CA.
    pub fn insert_ca(&mut self, ca: &CaRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO cas (ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                 key_reference, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                &ca.id,
                ca.tenant.as_ref(),
                ca.kind.as_str(),
                ca.standing.as_str(),
                &ca.certificate,
                &ca.chain,
                wrapped(&ca.key),
                kept(&ca.key),
                ca.created_at
            ],
        )?;
        Ok(())
    }

    /// A CA by its id.
    pub fn ca(&mut self, id: CaId) -> Result<Option<CaRecord>, StoreError> {
        self.query_one(
            "cas",
            "SELECT ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                 key_reference, created_at
             FROM cas WHERE ca_id = $1",
            values![&id],
            ca,
        )
    }

    /// The CAs of all kinds and tenants that issue, or are about to.
    pub fn cas_in_use(&mut self) -> Result<Vec<CaInUse>, StoreError> {
        self.query(
            "cas",
            "SELECT kind, tenant_id, ca_id, certificate FROM cas
             WHERE standing IN ('current', 'next') ORDER BY ca_id",
            &[],
            |columns| {
                Ok(CaInUse {
                    kind: columns.text(CaKind::parse)?,
                    tenant: columns.next()?,
                    id: columns.next()?,
                    certificate: columns.next()?,
                })
            },
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
            "SELECT ca_id, tenant_id, kind, standing, certificate, chain, wrapped_key,
                 key_reference, created_at
             FROM cas WHERE kind = $1 AND tenant_id IS NOT DISTINCT FROM $2
             ORDER BY created_at DESC, ca_id DESC",
            values![kind.as_str(), tenant.as_ref()],
            ca,
        )
    }
}

pub(super) fn wrapped(key: &CaKey) -> Option<&Vec<u8>> {
    match key {
        CaKey::Wrapped(wrapped) => Some(wrapped),
        CaKey::Kept(_) | CaKey::Offline => None,
    }
}

pub(super) fn kept(key: &CaKey) -> Option<&str> {
    match key {
        CaKey::Kept(reference) => Some(reference),
        CaKey::Wrapped(_) | CaKey::Offline => None,
    }
}

pub(super) fn ca(columns: &mut Columns<'_>) -> Result<CaRecord, StoreError> {
    Ok(CaRecord {
        id: columns.next()?,
        tenant: columns.next()?,
        kind: columns.text(CaKind::parse)?,
        standing: columns.text(CaStanding::parse)?,
        certificate: columns.next()?,
        chain: columns.next::<Option<Vec<u8>>>()?.unwrap_or_default(),
        key: match (columns.next()?, columns.next()?) {
            (Some(wrapped), _) => CaKey::Wrapped(wrapped),
            (None, Some(reference)) => CaKey::Kept(reference),
            (None, None) => CaKey::Offline,
        },
        created_at: columns.next()?,
    })
}
