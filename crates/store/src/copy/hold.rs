//! Who may work on a PostgreSQL database: servers together, or one that copies alone. SQLite's data
//! directory has a lock of its own.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::StoreError;
use crate::engine::Engine;
use crate::value::{Value, values};

/// The number of the advisory lock: servers share it, whoever copies has it alone. It is the database's own,
/// and gone with the connection.
const LOCK: i64 = 0x656e_6c69_7374;

/// PostgreSQL learns in its own time that a server's connections are gone: one that has just ended is waited for.
const MOMENT: Duration = Duration::from_secs(2);

/// Shares the lock, for as long as the connection lasts. What speaks the protocol of PostgreSQL and has no
/// such locks goes without.
///
/// # Errors
/// When somebody copies from or to the database.
pub(crate) fn share(engine: &mut dyn Engine) -> Result<(), StoreError> {
    let sql = "SELECT CASE WHEN pg_try_advisory_lock_shared($1) THEN 1::BIGINT ELSE 0::BIGINT END";
    match ask(engine, sql) {
        Ok(Some(0)) => Err(StoreError::Unavailable(Arc::new(BeingCopied))),
        Ok(_) => Ok(()),
        Err(StoreError::Refused(error)) => {
            tracing::debug!(%error, "the database knows no advisory locks");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes the lock alone, for as long as the connection lasts. False where a server has it, or another copy.
pub(super) fn take(engine: &mut dyn Engine) -> Result<bool, StoreError> {
    let sql = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1::BIGINT ELSE 0::BIGINT END";
    let begun = Instant::now();
    loop {
        match ask(engine, sql) {
            Ok(Some(0)) if begun.elapsed() < MOMENT => sleep(Duration::from_millis(50)),
            Ok(taken) => return Ok(taken != Some(0)),
            Err(StoreError::Refused(error)) => {
                tracing::warn!(%error, "the database knows no advisory locks: make sure that no server is at work on it");
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
    }
}

fn ask(engine: &mut dyn Engine, sql: &str) -> Result<Option<i64>, StoreError> {
    let mut answer = None;
    engine.query(sql, values![LOCK], &mut |row| {
        if let Some(Value::Int(number)) = row.value(0) {
            answer = Some(number);
        }
        Ok(())
    })?;
    Ok(answer)
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the database is being copied (`enlist migrate` or `enlist restore`): start the server when that has ended"
)]
struct BeingCopied;
