//! SQLite.

use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::StoreError;
use crate::engine::{Engine, Row, Step};
use crate::value::Value;

/// A connection to a file, or to a database in memory.
pub(crate) struct Sqlite(Connection);

/// How a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// By the one writer.
    Write {
        /// The most pages that the file may have.
        max_pages: Option<u32>,
    },
    /// By one of the readers.
    Read,
    /// By whoever makes a file that is thrown away if it does not get complete: without a journal, and not
    /// made durable.
    Make,
}

/// What every connection is told. `synchronous=FULL` with a write-ahead log makes a commit durable with one
/// sync; the log is folded back into the file every 64 MiB, so that a page which many commits touch is written
/// once, and few commits take that long, and is cut back when a burst has swollen it. What is deleted or
/// replaced, keys among it, is overwritten in pages that are written anyway (`FAST`).
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA busy_timeout = 10000;
    PRAGMA wal_autocheckpoint = 16384;
    PRAGMA journal_size_limit = 134217728;
    PRAGMA trusted_schema = OFF;
    PRAGMA secure_delete = FAST;
";

impl Sqlite {
    pub(crate) fn open(path: &Path, how: Use) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        let sqlite = Self::prepare(connection)?;
        let own = match how {
            // A negative cache size is in KiB. At a commit SQLite looks through all of the cache where pages
            // have changed places before (for a moment, one has a number past the file's end).
            Use::Write { max_pages } => {
                let most = max_pages.map(|pages| format!("PRAGMA max_page_count = {pages};"));
                "PRAGMA journal_mode = WAL; PRAGMA cache_size = -8192;".to_owned()
                    + &most.unwrap_or_default()
            }
            Use::Read => "PRAGMA cache_size = -2048; PRAGMA query_only = ON;".to_owned(),
            Use::Make => {
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;"
                    .to_owned()
            }
        };
        sqlite.0.execute_batch(&own).map_err(failed)?;
        Ok(sqlite)
    }

    /// Writes all that the log holds into the file, and empties the log. Waits for whoever reads or writes.
    pub(crate) fn empty_log(path: &Path) -> Result<(), StoreError> {
        let Self(connection) = Self::open(path, Use::Write { max_pages: None })?;
        let busy: i64 = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(failed)?;
        match busy {
            0 => Ok(()),
            _ => Err(StoreError::Busy),
        }
    }

    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory().map_err(failed)?)
    }

    fn prepare(connection: Connection) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(256);
        // Plans that do not look at bound values: where there are partial indexes, SQLite
        // otherwise makes a new one at every binding, which cost a third of an enrollment.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(failed)?;
        connection.execute_batch(SETTINGS).map_err(failed)?;
        Ok(Self(connection))
    }
}

impl Engine for Sqlite {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, values)?;
        let changed = statement.raw_execute().map_err(failed)?;
        Ok(changed as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            each(row)?;
        }
        Ok(())
    }

    /// There is one writer, so what it reads is held anyway.
    fn query_held(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(sql, values, each)
    }

    fn step(&mut self, step: Step) -> Result<(), StoreError> {
        let statements: &[&str] = match step {
            Step::Begin => &["BEGIN IMMEDIATE"],
            Step::BeginRead => &["BEGIN"],
            Step::Commit => &["COMMIT"],
            // A full disk may have rolled it back already.
            Step::Rollback if self.0.is_autocommit() => &[],
            Step::Rollback => &["ROLLBACK"],
            Step::Save => &["SAVEPOINT job"],
            Step::SaveAnew => &["RELEASE job", "SAVEPOINT job"],
            Step::Undo => &["ROLLBACK TO job"],
        };
        for sql in statements {
            self.execute(sql, &[])?;
        }
        Ok(())
    }

    fn migrate(&mut self, ddl: &str) -> Result<(), StoreError> {
        self.0.execute_batch(ddl).map_err(failed)
    }

    fn has_other_writers(&self) -> bool {
        false
    }

    fn survives_errors(&self) -> bool {
        !self.0.is_autocommit()
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for (at, value) in values.iter().enumerate() {
        statement
            .raw_bind_parameter(at + 1, value)
            .map_err(failed)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn value(&self, column: usize) -> Option<Value<'_>> {
        match self.get_ref(column).ok()? {
            ValueRef::Null => Some(Value::Null),
            ValueRef::Integer(number) => Some(Value::Int(number)),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::Text),
            ValueRef::Blob(bytes) => Some(Value::Bytes(bytes)),
            ValueRef::Real(_) => None,
        }
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is the end of every call chain"
)]
fn failed(error: rusqlite::Error) -> StoreError {
    let (code, extended) = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => (failure.code, failure.extended_code),
        _ => return StoreError::Refused(Arc::new(Plain(error.to_string()))),
    };
    let cause = Arc::new(Plain(error.to_string()));
    match code {
        ErrorCode::DiskFull => StoreError::Full(cause),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Contended(cause),
        ErrorCode::ConstraintViolation
            if matches!(
                extended,
                ffi::SQLITE_CONSTRAINT_UNIQUE
                    | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    | ffi::SQLITE_CONSTRAINT_ROWID
                    | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
            ) =>
        {
            StoreError::Conflict(cause)
        }
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed => StoreError::Unavailable(cause),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt {
            what: format!("pages ({error})"),
        },
        _ => StoreError::Refused(cause),
    }
}

/// An error of rusqlite's may hold what can't cross threads; its text can.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Plain(String);

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::value::values;

    #[test]
    fn a_statement_is_prepared_once() {
        let mut sqlite = Sqlite::in_memory().unwrap();
        sqlite.migrate("CREATE TABLE t (a BLOB, b BIGINT)").unwrap();
        let sql = "SELECT b FROM t WHERE a IN ($1, $2) ORDER BY b LIMIT $3";
        for round in 0..5_i64 {
            let bytes = round.to_be_bytes();
            let values = values![&bytes[..], &bytes[1..], round];
            sqlite.query(sql, values, &mut |_| Ok(())).unwrap();
        }
        let statement = sqlite.0.prepare_cached(sql).unwrap();
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 5);
    }
}
