//! PostgreSQL, and what speaks its protocol.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use crate::engine::{Engine, Row, Step};
use crate::value::Value;
use crate::{OpenError, StoreError};

/// One connection, with its prepared statements.
pub(crate) struct Postgres {
    client: Client,
    statements: HashMap<String, Statement>,
}

/// Reads a database URL, without connecting.
pub(crate) fn configure(url: &str) -> Result<Config, OpenError> {
    let mut config: Config = url
        .parse()
        .map_err(|error: postgres::Error| OpenError::Url(Arc::new(error)))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(OpenError::Url(Arc::new(NoTlsYet)));
    }
    if config.get_application_name().is_none() {
        config.application_name("enlist");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    if config.get_tcp_user_timeout().is_none() {
        // A database that vanished is noticed, and the next connection finds its successor.
        config.tcp_user_timeout(Duration::from_secs(30));
        config.keepalives_idle(Duration::from_secs(30));
    }
    Ok(config)
}

#[derive(Debug, thiserror::Error)]
#[error("`sslmode=require` is not supported yet: use a local socket or a network of its own")]
struct NoTlsYet;

impl Postgres {
    /// Connects. Panics inside an async runtime, so it is called on the store's threads alone.
    pub(crate) fn connect(config: &Config) -> Result<Self, StoreError> {
        let mut client = config.connect(NoTls).map_err(failed)?;
        // Compiling a plan costs more than any of these statements takes.
        let wishes = [
            "SET jit = off",
            "SET default_transaction_isolation = 'read committed'",
            // Two batches that want each other's rows: one gives way soon, and is run again.
            "SET lock_timeout = '200ms'",
        ];
        for wish in wishes {
            // Not every engine knows each of them, and none is needed for being right.
            if let Err(error) = client.batch_execute(wish) {
                tracing::debug!(wish, %error, "the database does not take a setting");
            }
        }
        // An answer is given after a durable commit, whatever the server's default is.
        client
            .batch_execute(
                "SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') = 'off'",
            )
            .map_err(failed)?;
        Ok(Self {
            client,
            statements: HashMap::new(),
        })
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(failed)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Engine for Postgres {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        let values: Vec<_> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
        self.client.execute(&statement, &values).map_err(failed)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.statement(sql)?;
        let values: Vec<_> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
        let rows = self.client.query(&statement, &values).map_err(failed)?;
        rows.iter().try_for_each(|row| each(row))
    }

    fn query_held(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(&format!("{sql} FOR UPDATE"), values, each)
    }

    fn step(&mut self, step: Step) -> Result<(), StoreError> {
        let sql = match step {
            Step::Begin => "BEGIN",
            Step::BeginRead => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Step::Commit => "COMMIT",
            Step::Rollback => "ROLLBACK",
            Step::Save => "SAVEPOINT job",
            Step::SaveAnew => "RELEASE SAVEPOINT job; SAVEPOINT job",
            Step::Undo => "ROLLBACK TO SAVEPOINT job",
        };
        self.client.batch_execute(sql).map_err(failed)
    }

    fn migrate(&mut self, ddl: &str) -> Result<(), StoreError> {
        let ddl = ddl
            .replace(" BLOB", " BYTEA")
            .replace(") WITHOUT ROWID", ")");
        self.client.batch_execute(&ddl).map_err(failed)
    }

    fn survives_errors(&self) -> bool {
        false
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Value::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
            Value::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            // Its content is nobody's business.
            _ => Err(format!("a value of another type where {ty} belongs").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Value::Int),
            Type::TEXT => <&str>::from_sql(ty, raw).map(Value::Text),
            Type::BYTEA => Ok(Value::Bytes(raw)),
            _ => Err(format!("{ty} is not read").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Row for postgres::Row {
    fn value(&self, column: usize) -> Option<Value<'_>> {
        self.try_get(column).ok()
    }
}

fn failed(error: postgres::Error) -> StoreError {
    let code = error.code().cloned();
    let cause = Arc::new(error);
    let Some(code) = code else {
        // Not an answer of the database: the connection broke, or never was.
        return StoreError::Unavailable(cause);
    };
    if [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ]
    .contains(&code)
    {
        return StoreError::Contended(cause);
    }
    if [
        SqlState::UNIQUE_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
        // Two servers that make the same table at once.
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ]
    .contains(&code)
    {
        return StoreError::Conflict(cause);
    }
    match code.code().get(..2) {
        _ if code == SqlState::DISK_FULL => StoreError::Full(cause),
        // Connection; resources; operator's doing; who; where.
        Some("08" | "53" | "57" | "28" | "3D") => StoreError::Unavailable(cause),
        _ => StoreError::Refused(cause),
    }
}
