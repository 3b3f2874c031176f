//! Signed statements about chains of events.

use enlist_core::{TenantId, Timestamp};

use crate::column::Columns;
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// A signed statement: so many events, and this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHead {
    /// How many events it is about.
    pub seq: u64,
    /// The signed statement, JSON; nothing where what is on record makes no sense.
    pub envelope: Vec<u8>,
    /// When it was signed; 1970 where what is on record makes no sense.
    pub signed_at: Timestamp,
}

impl Tx<'_> {
    /// Keeps a head. False where there is one about as many events.
    pub fn insert_head(&mut self, tenant: TenantId, head: &StoredHead) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO event_heads (tenant_id, seq, envelope, signed_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, seq) DO NOTHING",
            values![&tenant, number(head.seq), &head.envelope, head.signed_at],
        )?;
        Ok(added > 0)
    }

    /// Deletes the heads about fewer than `until` events and more than `after`. Returns how many there were.
    pub fn delete_heads(
        &mut self,
        tenant: TenantId,
        (after, until): (u64, u64),
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM event_heads WHERE tenant_id = $1 AND seq > $2 AND seq < $3",
            values![&tenant, number(after), number(until)],
        )
    }

    /// The newest head about at most `until` events and more than `after`.
    pub fn newest_head(
        &mut self,
        tenant: TenantId,
        (after, until): (u64, u64),
    ) -> Result<Option<StoredHead>, StoreError> {
        self.query_one(
            "event_heads",
            "SELECT seq, envelope, signed_at FROM event_heads
             WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1",
            values![&tenant, number(after), number(until)],
            head,
        )
    }
}

fn head(columns: &mut Columns<'_>) -> Result<StoredHead, StoreError> {
    Ok(StoredHead {
        seq: columns.next()?,
        envelope: columns.next_or_raw().unwrap_or_default(),
        signed_at: columns.next_or_raw().unwrap_or(Timestamp::from_millis(0)),
    })
}
