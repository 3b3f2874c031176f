//! The rows of an enrollment, inserted barely.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use enlist_core::{DeviceId, Rng as _, Serial, SystemClock, SystemRng};
use rusqlite::{Connection, params};

use super::schema;
use crate::process::thread_cpu;

/// What differs from one enrollment to the next.
struct Row {
    device: DeviceId,
    event: DeviceId,
    serial: Serial,
    random: [u8; 96],
    name: String,
}

/// CPU time of one enrollment's rows: device, credential, certificate and event, with `batch`
/// enrollments to a durable commit. What is in the rows is made before the clock starts.
pub(crate) fn commit_share(directory: &Path, batch: u32, batches: u32) -> Result<Duration> {
    let connection = schema::create(&directory.join("rows.db"))?;
    let mut used = Duration::ZERO;
    for _ in 0..batches {
        let rows: Vec<_> = (0..batch).map(|_| row()).collect();
        let start = thread_cpu();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for row in &rows {
            insert(&connection, row)?;
        }
        connection.execute_batch("COMMIT")?;
        used += thread_cpu() - start;
    }
    Ok(used / (batch * batches))
}

fn row() -> Row {
    let mut random = [0; 96];
    SystemRng.fill(&mut random);
    let [a, b, c, d, e, f, g, h, ..] = random;
    Row {
        device: DeviceId::new(&SystemClock, &SystemRng),
        event: DeviceId::new(&SystemClock, &SystemRng),
        serial: Serial::new(&SystemClock, &SystemRng),
        name: format!(
            "newcomer-{:016x}",
            u64::from_le_bytes([a, b, c, d, e, f, g, h])
        ),
        random,
    }
}

fn insert(connection: &Connection, row: &Row) -> Result<()> {
    let (device, event, name) = (row.device.as_bytes(), row.event.as_bytes(), &row.name);
    let (tenant, group, issuer) = ([1_u8; 16], [2_u8; 16], [3_u8; 16]);
    let (serial, key) = (row.serial.as_bytes(), &row.random[..32]);
    let (token, fingerprint) = (&row.random[32..64], &row.random[64..]);
    let now = 1_800_000_000_000_i64;
    connection
        .prepare_cached(
            "INSERT INTO devices (tenant_id, device_id, group_id, name, state, enrolled,
                 created_at, changed_at)
             VALUES (?1, ?2, ?3, ?4, 'active', 1, ?5, ?5)",
        )?
        .execute(params![tenant, device, group, name, now])?;
    connection
        .prepare_cached(
            "INSERT INTO credentials (tenant_id, device_id, enrolled_key, token, current_serial,
                 current_key, current_not_after, renewal_counter, pre_enrolled, secret_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?3, ?6, 0, 0, ?7)",
        )?
        .execute(params![tenant, device, key, token, serial, now, issuer])?;
    connection
        .prepare_cached(
            "INSERT INTO certificates (serial, tenant_id, device_id, issuer_id, fingerprint,
                 not_before, not_after, standing, der)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 'good', ?7)",
        )?
        .execute(params![
            serial,
            tenant,
            device,
            issuer,
            fingerprint,
            now,
            [4_u8; 620]
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO events (tenant_id, event_id, happened_at, actor, kind, group_id,
                 device_id, name, detail)
             VALUES (?1, ?2, ?3, 'newcomer', 'device-enrolled', ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            tenant,
            event,
            now,
            group,
            device,
            name,
            r#"[["serial","00112233445566778899aabbccddeeff"]]"#
        ])?;
    Ok(())
}
