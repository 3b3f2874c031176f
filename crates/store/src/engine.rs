//! What the two engines have in common, and all that is asked of them.

use crate::StoreError;
use crate::put_off::PutOff;
use crate::value::Value;

/// One connection to a database. Statements number their values `$1…` in order of first use.
pub(crate) trait Engine {
    /// Runs a statement; says how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;

    /// Runs a query, and hands each row to `each`.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// As [`Engine::query`], of more rows than there is memory for: none is kept.
    fn stream(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(sql, values, each)
    }

    /// As [`Engine::query`]; nobody else changes the rows until this transaction ends.
    fn query_held(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Begins or ends a transaction, or a part of one.
    fn step(&mut self, step: Step) -> Result<(), StoreError>;

    /// Runs the statements of a migration, written as SQLite has them.
    fn migrate(&mut self, ddl: &str) -> Result<(), StoreError>;

    /// What the clock of the database's machine says, in milliseconds since the epoch; `None` where that is
    /// this one's.
    fn clock(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// Whether others may write while a transaction does.
    fn has_other_writers(&self) -> bool;

    /// Whether the transaction that was begun can go on after a statement failed in it.
    fn survives_errors(&self) -> bool;

    /// The way to carry out statements of many rows at once, where that pays.
    fn many(&mut self) -> Option<&mut dyn Many> {
        None
    }
}

/// An engine that is best asked seldom.
pub(crate) trait Many {
    /// Carries out what was put off. Says whether all of it came to what was expected.
    fn carry_out(&mut self, put_off: &PutOff) -> Result<bool, StoreError>;
}

/// A row while it is read.
pub(crate) trait Row {
    /// The value of a column, counted from 0; `None` where it is of no known type.
    fn value(&self, column: usize) -> Option<Value<'_>>;
}

/// The steps of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begins one that writes.
    Begin,
    /// Begins one that reads, and sees one moment.
    BeginRead,
    /// Makes it durable.
    Commit,
    /// Takes it back whole.
    Rollback,
    /// Sets the savepoint.
    Save,
    /// Moves the savepoint to here.
    SaveAnew,
    /// Takes back what came after the savepoint, which stays.
    Undo,
}
