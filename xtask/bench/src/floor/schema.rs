//! The tables, and a bare connection to them.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;

/// The same tables and indexes that the program has.
const TABLES: &str = include_str!("../../../../crates/store/src/migrations/0001_start.sql");

/// A new database at `path`, as durable as the program's: a commit is on disk when it returns.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
         PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 16384;",
    )?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}
