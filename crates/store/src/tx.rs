//! The transaction that a job works in.

use enlist_core::EventId;

use crate::StoreError;
use crate::column::Columns;
use crate::engine::{Engine, Step};
use crate::event_ids::EventIds;
use crate::value::Value;

/// The transaction that a job works in. Its methods are the queries of this store, grouped by
/// what they are about; each that belongs to a tenant takes the tenant.
///
/// # Errors
/// All of its methods fail when the engine does, or holds what can't be understood. After a
/// failure nothing more can be done in the job, and nothing of it is recorded.
pub struct Tx<'a> {
    engine: &'a mut dyn Engine,
    ids: &'a mut EventIds,
    savepoint: &'a mut Savepoint,
    reads: bool,
    wrote: bool,
    failure: Option<StoreError>,
}

/// How things stand with the savepoint that keeps the jobs of one batch apart. It is set only
/// when a job first writes: one that reads and refuses has nothing to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// Not needed: the job is alone in its transaction.
    Never,
    /// Not set yet.
    Unset,
    /// Set, and nothing has been written since.
    Here,
    /// Set, and an earlier job has written since.
    Behind,
}

/// What a run of a job left behind.
pub(crate) struct Left {
    /// Whether it may have written.
    pub(crate) wrote: bool,
    /// What the engine said no to.
    pub(crate) failure: Option<StoreError>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        engine: &'a mut dyn Engine,
        ids: &'a mut EventIds,
        savepoint: &'a mut Savepoint,
        reads: bool,
    ) -> Self {
        Self {
            engine,
            ids,
            savepoint,
            reads,
            wrote: false,
            failure: None,
        }
    }

    pub(crate) fn left(self) -> Left {
        Left {
            wrote: self.wrote,
            failure: self.failure,
        }
    }

    /// Runs a statement that writes; says how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.check()?;
        if self.reads {
            return Err(StoreError::ReadOnly);
        }
        self.about_to_write()?;
        let changed = self.engine.execute(sql, values);
        self.note(changed)
    }

    /// Runs a query and reads its rows, of `table` mostly.
    pub(crate) fn query<T>(
        &mut self,
        table: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.check()?;
        let mut found = Vec::new();
        let mut garbled = None;
        let done = self.engine.query(sql, values, &mut |row| {
            match read(&mut Columns::new(row, table)) {
                Ok(item) => found.push(item),
                Err(error) => garbled = Some(error),
            }
            Ok(())
        });
        self.note(done)?;
        garbled.map_or(Ok(found), Err)
    }

    /// Runs a query of one row at most.
    pub(crate) fn query_one<T>(
        &mut self,
        table: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let found = self.query(table, sql, values, read)?;
        Ok(found.into_iter().next())
    }

    /// As [`Tx::query_one`]; in a writing job nobody else changes the row until the commit.
    pub(crate) fn query_held<T>(
        &mut self,
        table: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.reads {
            return self.query_one(table, sql, values, read);
        }
        self.check()?;
        let mut found = None;
        let done = self.engine.query_held(sql, values, &mut |row| {
            found = Some(read(&mut Columns::new(row, table)));
            Ok(())
        });
        self.note(done)?;
        found.transpose()
    }

    pub(crate) fn next_event_id(&mut self, at: enlist_core::Timestamp) -> EventId {
        self.ids.next(at)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn about_to_write(&mut self) -> Result<(), StoreError> {
        if self.wrote {
            return Ok(());
        }
        let step = match self.savepoint {
            Savepoint::Never | Savepoint::Here => None,
            Savepoint::Unset => Some(Step::Save),
            Savepoint::Behind => Some(Step::SaveAnew),
        };
        if let Some(step) = step {
            let done = self.engine.step(step);
            self.note(done)?;
            *self.savepoint = Savepoint::Here;
        }
        self.wrote = true;
        Ok(())
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}
