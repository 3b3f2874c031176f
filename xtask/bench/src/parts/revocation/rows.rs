//! Revoked certificates, put straight into the record.

use std::path::Path;

use anyhow::Result;
use enlist_core::{DeviceId, Rng as _, SystemClock, SystemRng};
use rusqlite::{Connection, params};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// Adds so many like the one that is there, each of a device of its own and revoked.
pub(super) fn revoke(data: &Path, count: u64) -> Result<()> {
    let mut connection = Connection::open(data.join("enlist.db"))?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO certificates (serial, tenant_id, device_id, issuer_id, fingerprint,
                 not_before, not_after, standing, standing_since, revocation_reason, der)
             SELECT ?1, tenant_id, ?2, issuer_id, ?3, not_before, not_after, 'revoked',
                 not_before - ?4, 4, der
             FROM certificates WHERE rowid = (SELECT min(rowid) FROM certificates)",
        )?;
        let mut random = [0; 48];
        for number in 0..count {
            SystemRng.fill(&mut random);
            // Serial numbers have one form: the first byte is never zero.
            random[0] |= 1;
            let device = DeviceId::new(&SystemClock, &SystemRng);
            let (serial, fingerprint) = random.split_at(16);
            // One after the other in the course of a day.
            let ago = (DAY_MS * number / count).cast_signed();
            insert.execute(params![serial, device.as_bytes(), fingerprint, ago])?;
        }
    }
    transaction.commit()?;
    // So that what the server reads first is no log of ours.
    // As it stands with a tenant of a million devices.
    connection.execute_batch("UPDATE tenants SET crl_parts = 16")?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
