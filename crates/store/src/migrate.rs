//! Bringing the schema up to date: numbered steps, forward only, each in its own transaction.

use crate::engine::{Engine, Step};
use crate::value::{Value, values};
use crate::{OpenError, StoreError};

/// All steps, from version 1 on.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_signing.sql"),
    include_str!("migrations/0003_configuration.sql"),
    include_str!("migrations/0004_orders.sql"),
    include_str!("migrations/0005_roots.sql"),
    include_str!("migrations/0006_revocation.sql"),
    include_str!("migrations/0007_admission.sql"),
    include_str!("migrations/0008_gone.sql"),
    include_str!("migrations/0009_claims.sql"),
];

/// The version that this program knows.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// How often another server that migrates at the same time may get in between.
const ATTEMPTS: u32 = 20;

/// Applies the steps that are missing.
pub(crate) fn migrate(engine: &mut dyn Engine) -> Result<(), OpenError> {
    let mut attempts = 0;
    loop {
        match try_to(engine) {
            Err(OpenError::Database(StoreError::Contended(_) | StoreError::Conflict(_)))
                if attempts < ATTEMPTS =>
            {
                attempts += 1;
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

fn try_to(engine: &mut dyn Engine) -> Result<(), OpenError> {
    engine.migrate(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)",
    )?;
    let found = version(engine)?;
    if found > KNOWN {
        return Err(OpenError::NewerSchema {
            found,
            known: KNOWN,
        });
    }
    for (version, ddl) in (1..).zip(MIGRATIONS).skip_while(|(step, _)| *step <= found) {
        let done = step(engine, version, ddl);
        if done.is_err() {
            // The first error is the one to tell of.
            let _ = engine.step(Step::Rollback);
        }
        done?;
        tracing::info!(version, "the database schema is up to date");
    }
    Ok(())
}

fn step(engine: &mut dyn Engine, version: i64, ddl: &str) -> Result<(), StoreError> {
    engine.step(Step::Begin)?;
    // First, so that of two servers one waits here, and then finds the step done.
    engine.execute(
        "INSERT INTO schema_version (version) VALUES ($1)",
        values![version],
    )?;
    engine.migrate(ddl)?;
    engine.step(Step::Commit)
}

/// The version of the schema that is there; 0 where there is none.
pub(crate) fn version(engine: &mut dyn Engine) -> Result<i64, StoreError> {
    let mut version = 0;
    engine.query(
        "SELECT version FROM schema_version ORDER BY version DESC LIMIT 1",
        &[],
        &mut |row| {
            if let Some(Value::Int(found)) = row.value(0) {
                version = found;
            }
            Ok(())
        },
    )?;
    Ok(version)
}
