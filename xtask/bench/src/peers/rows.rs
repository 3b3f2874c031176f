//! Devices that enrolled long ago, put straight into the record.

use std::path::Path;

use anyhow::Result;
use enlist_core::{DeviceId, Rng as _, SystemClock, SystemRng};
use rusqlite::{Connection, params};

const DEVICE: &str = "INSERT INTO devices (tenant_id, device_id, group_id, name, state, enrolled,
        created_at, changed_at)
    SELECT tenant_id, ?1, group_id, ?2, state, enrolled, created_at, changed_at
    FROM devices WHERE device_id = ?3 AND tenant_id = ?4";
const CREDENTIAL: &str = "INSERT INTO credentials (tenant_id, device_id, enrolled_key, token,
        current_serial, current_key, current_not_after, renewal_counter, pre_enrolled, secret_id)
    SELECT tenant_id, ?1, ?2, ?3, ?4, ?2, current_not_after, renewal_counter, pre_enrolled, secret_id
    FROM credentials WHERE device_id = ?5 AND tenant_id = ?6";
const CERTIFICATE: &str = "INSERT INTO certificates (serial, tenant_id, device_id, issuer_id,
        fingerprint, not_before, not_after, standing, der)
    SELECT ?1, tenant_id, ?2, issuer_id, ?3, not_before, not_after, standing, der
    FROM certificates WHERE device_id = ?4 AND tenant_id = ?5";

/// Adds so many like the one that is there, each with keys and a certificate of its own. Their events
/// are left out: those only ever grow at their end.
pub(super) fn add(data: &Path, count: u64) -> Result<()> {
    let mut connection = Connection::open(data.join("enlist.db"))?;
    connection.execute_batch(
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;
         PRAGMA synchronous = OFF; PRAGMA cache_size = -400000",
    )?;
    let transaction = connection.transaction()?;
    {
        let (like, tenant): (Vec<u8>, Vec<u8>) =
            transaction.query_row("SELECT device_id, tenant_id FROM devices", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut device = transaction.prepare(DEVICE)?;
        let mut credential = transaction.prepare(CREDENTIAL)?;
        let mut certificate = transaction.prepare(CERTIFICATE)?;
        let mut random = [0; 112];
        for number in 0..count {
            SystemRng.fill(&mut random);
            // Serial numbers have one form: the first byte is never zero.
            random[0] |= 1;
            let id = DeviceId::new(&SystemClock, &SystemRng);
            let id = id.as_bytes();
            let (serial, key) = (&random[..16], &random[16..48]);
            let (token, fingerprint) = (&random[48..80], &random[80..]);
            device.execute(params![id, format!("old-{number}"), like, tenant])?;
            credential.execute(params![id, key, token, serial, like, tenant])?;
            certificate.execute(params![serial, id, fingerprint, like, tenant])?;
        }
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    Ok(())
}
