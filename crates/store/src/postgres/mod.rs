//! PostgreSQL, and what speaks its protocol.

mod address;
mod connect;
mod failed;
mod headline;
mod link;
mod many;
mod notes;
mod patience;
mod tls;
mod trust;
mod url;
mod value;

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

pub(crate) use address::{Address, configure};
pub(crate) use failed::OutOfReach;
pub(crate) use headline::{headline, url_headline};
pub(crate) use notes::notes;
pub use notes::{DatabaseNotes, database_notes};
pub(crate) use patience::Patience;

use self::link::Link;
use self::many::many;
use crate::StoreError;
use crate::engine::{Engine, Many, Row, Step};
use crate::put_off::{Expected, PutOff};
use crate::value::Value;

/// How long a statement may take: a database that hangs holds nobody for longer.
const LIMIT: Option<Duration> = Some(Duration::from_secs(60));

/// What each connection is told. Not every engine knows each of them, and none is needed for being right.
const WISHES: &[&str] = &[
    // Compiling a plan costs more than any of these statements takes.
    "SET jit = off",
    "SET default_transaction_isolation = 'read committed'",
    // Two batches that want each other's rows: one gives way soon, and is run again.
    "SET lock_timeout = '200ms'",
    // A server that was stopped in mid-transaction does not keep its rows from the others.
    "SET idle_in_transaction_session_timeout = '10s'",
    // Nor does a statement go on that nobody waits for any more.
    "SET client_connection_check_interval = '5s'",
    // Whatever is asked here has an index. Plans are made once and kept: those made while a table is empty
    // must not walk through all of it when it is full.
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
];

/// An answer is given after a durable commit, whatever the server's default is.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
     WHERE current_setting('synchronous_commit') = 'off'";

/// One connection, with its prepared statements.
pub(crate) struct Postgres {
    link: Link,
    limit: Option<Duration>,
    statements: HashMap<String, Statement>,
    /// What was made of statements of one row.
    many: HashMap<&'static str, Statement>,
    /// Whether the engine takes such statements.
    takes_many: bool,
    /// Whether the transaction only reads.
    reads: bool,
    /// Whether it is not known yet that the transaction has begun.
    unconfirmed: bool,
}

impl Postgres {
    /// Connects. Panics inside an async runtime, so it is called on the store's threads alone.
    pub(crate) fn connect(address: &Address) -> Result<Self, StoreError> {
        let mut postgres = Self {
            link: connect::connect(address)?,
            limit: LIMIT,
            statements: HashMap::new(),
            many: HashMap::new(),
            takes_many: true,
            reads: false,
            unconfirmed: false,
        };
        // All at once where all are known, as they mostly are.
        if postgres.script(&WISHES.join("; "), LIMIT).is_err() {
            for wish in WISHES {
                if let Err(error) = postgres.script(wish, LIMIT) {
                    tracing::debug!(wish, %error, "the database does not take a setting");
                }
            }
        }
        postgres.script(DURABLE, LIMIT)?;
        Ok(postgres)
    }

    /// Waits for each statement as long as it takes: for one that works alone and through all there is.
    pub(crate) fn without_limit(mut self) -> Self {
        self.limit = None;
        self
    }

    fn script(&mut self, sql: &str, limit: Option<Duration>) -> Result<(), StoreError> {
        let client = self.link.client();
        self.link.wait(limit, client.batch_execute(sql))
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let client = self.link.client();
        let statement = self.link.wait(self.limit, client.prepare(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The statement for many rows that goes with one for a single row.
    fn statement_for_many(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.many.get(sql) {
            return Ok(statement.clone());
        }
        let one = self.statement(sql)?;
        let sql_for_many =
            many(sql, one.params()).ok_or_else(|| StoreError::Refused(Arc::new(NotForMany)))?;
        let client = self.link.client();
        let prepared = self.link.wait(self.limit, client.prepare(&sql_for_many));
        if let Err(StoreError::Refused(error)) = &prepared {
            tracing::debug!(%error, "the database takes no arrays of rows");
            self.takes_many = false;
        }
        let statement = prepared?;
        self.many.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Nothing is written before it is certain that the transaction has begun.
    fn confirm(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.unconfirmed) {
            self.link.settle(self.limit)?;
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a statement can't be made into one for many rows")]
struct NotForMany;

impl Engine for Postgres {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.confirm()?;
        let statement = self.statement(sql)?;
        let values: Vec<_> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
        let client = self.link.client();
        self.link
            .wait(self.limit, client.execute(&statement, &values))
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.statement(sql)?;
        let values: Vec<_> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
        let client = self.link.client();
        let rows = self
            .link
            .wait(self.limit, client.query(&statement, &values))?;
        self.unconfirmed = false;
        rows.iter().try_for_each(|row| each(row))
    }

    fn stream(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.statement(sql)?;
        let values: Vec<_> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
        let client = self.link.client();
        let rows = client.query_raw(&statement, values);
        let mut rows = pin!(self.link.wait(None, rows)?);
        while let Some(row) = self.link.wait(None, rows.try_next())? {
            each(&row)?;
        }
        Ok(())
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
        match step {
            Step::Begin | Step::BeginRead => {
                self.reads = step == Step::BeginRead;
                self.unconfirmed = true;
                let sql = if self.reads {
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                } else {
                    "BEGIN"
                };
                self.link.send(sql, false);
                Ok(())
            }
            // There is nothing to lose by it.
            Step::Rollback if self.reads => {
                self.link.send("ROLLBACK", true);
                Ok(())
            }
            Step::Rollback => self.script("ROLLBACK", self.limit),
            Step::Commit => self.script("COMMIT", self.limit),
            Step::Save => self.script("SAVEPOINT job", self.limit),
            Step::SaveAnew => self.script("RELEASE SAVEPOINT job; SAVEPOINT job", self.limit),
            Step::Undo => self.script("ROLLBACK TO SAVEPOINT job", self.limit),
        }
    }

    /// Takes as long as it takes.
    fn migrate(&mut self, ddl: &str) -> Result<(), StoreError> {
        let ddl = ddl
            .replace(" BLOB", " BYTEA")
            .replace(") WITHOUT ROWID", ")");
        self.script(&ddl, None)
    }

    fn clock(&mut self) -> Result<Option<i64>, StoreError> {
        let mut clock = None;
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        self.query(sql, &[], &mut |row| {
            if let Some(Value::Int(millis)) = row.value(0) {
                clock = Some(millis);
            }
            Ok(())
        })?;
        Ok(clock)
    }

    fn has_other_writers(&self) -> bool {
        true
    }

    fn survives_errors(&self) -> bool {
        false
    }

    fn many(&mut self) -> Option<&mut dyn Many> {
        if self.takes_many { Some(self) } else { None }
    }
}

impl Many for Postgres {
    /// All statements are sent before the first is waited for.
    fn carry_out(&mut self, put_off: &PutOff) -> Result<bool, StoreError> {
        self.confirm()?;
        let statements: Vec<_> = put_off.statements().collect();
        let prepared: Vec<_> = statements
            .iter()
            .map(|(put, _)| self.statement_for_many(put.sql))
            .collect::<Result<_, _>>()?;
        let columns: Vec<Vec<Vec<Value<'_>>>> = statements
            .iter()
            .zip(&prepared)
            .map(|((_, rows), statement)| {
                let columns = 0..statement.params().len();
                columns
                    .map(|column| rows.column(column).collect())
                    .collect()
            })
            .collect();
        let client = self.link.client();
        let sent = statements.iter().zip(&prepared).zip(&columns);
        let mut sent: Vec<Pin<Box<dyn Future<Output = _> + '_>>> = sent
            .map(|(((put, rows), statement), columns)| {
                let client = &client;
                Box::pin(async move {
                    let values: Vec<_> = columns.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
                    Ok(match put.expected {
                        Expected::EachRow => {
                            client.execute(statement, &values).await? == rows.len() as u64
                        }
                        Expected::NoRow => {
                            let found = client.query_raw(statement, values).await?;
                            pin!(found).next().await.transpose()?.is_none()
                        }
                    })
                }) as Pin<Box<dyn Future<Output = _> + '_>>
            })
            .collect();
        self.link.wait(self.limit, async move {
            // In their order: each is sent when it is first looked at.
            let answers: Vec<Result<bool, tokio_postgres::Error>> =
                futures_util::future::join_all(sent.iter_mut()).await;
            let mut as_expected = true;
            for answer in answers {
                as_expected &= answer?;
            }
            Ok(as_expected)
        })
    }
}
