//! Challenges that have let somebody in.

use enlist_core::{Digest, GroupId, TenantId, Timestamp};

use crate::column::only;
use crate::value::{number, values};
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Takes note that a challenge has let somebody in. False where it has done so before.
    pub fn use_challenge(
        &mut self,
        digest: &Digest,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO used_challenges (digest, expires_at) VALUES ($1, $2)
             ON CONFLICT (digest) DO NOTHING",
            values![digest, expires_at],
        )?;
        Ok(added > 0)
    }

    /// Forgets those that had expired at `now`, which nobody can use any more: `limit` at most. Says how
    /// many.
    pub fn forget_challenges(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM used_challenges WHERE digest IN
                 (SELECT digest FROM used_challenges WHERE expires_at <= $1
                  ORDER BY expires_at LIMIT $2)",
            values![now, number(limit as u64)],
        )
    }

    /// How many devices wait in a group that have brought neither a secret nor a proof; counting stops
    /// at `limit`.
    pub fn count_unproven(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let count = self.query_one(
            "applications",
            "SELECT count(*) FROM (SELECT unproven_group FROM applications
             WHERE tenant_id = $1 AND unproven_group = $2 AND unproven_group IS NOT NULL
             LIMIT $3) AS counted",
            values![&tenant, &group, number(limit)],
            only,
        )?;
        Ok(count.unwrap_or(0))
    }
}
