//! The rows of an enrollment, inserted barely.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use enlist_core::{DeviceId, Rng as _, SystemClock, SystemRng};
use rusqlite::{Connection, params};

use super::schema;
use crate::process::thread_cpu;

/// CPU time of one enrollment's rows: device, credential, certificate and event, with `batch`
/// enrollments to a durable commit.
pub(crate) fn commit_share(directory: &Path, batch: u32, batches: u32) -> Result<Duration> {
    let path = directory.join("rows.db");
    let connection = schema::create(&path)?;
    let start = thread_cpu();
    for _ in 0..batches {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..batch {
            insert(&connection)?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok((thread_cpu() - start) / (batch * batches))
}

fn insert(connection: &Connection) -> Result<()> {
    let id = || *DeviceId::new(&SystemClock, &SystemRng).as_bytes();
    let (device, event) = (id(), id());
    let (tenant, group, issuer) = ([1_u8; 16], [2_u8; 16], [3_u8; 16]);
    let mut random = [0_u8; 128];
    SystemRng.fill(&mut random);
    let (serial, key) = (&random[..16], &random[16..48]);
    let (token, fingerprint) = (&random[48..80], &random[80..112]);
    let name = format!("newcomer-{}", u64::from_le_bytes(device[8..].try_into()?));
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
