//! The transaction that a job works in.

use enlist_core::{EventId, Timestamp};

use crate::StoreError;
use crate::ahead::{Ahead, Savepoint};
use crate::column::Columns;
use crate::engine::{Engine, Step};
use crate::event_ids::EventIds;
use crate::put_off::{Mark, Put};
use crate::value::Value;

/// The transaction that a job works in. Its methods are the queries of this store, grouped by
/// what they are about; each that belongs to a tenant takes the tenant.
///
/// # Errors
/// All of its methods fail when the engine does, or holds what can't be understood. After a
/// failure nothing more can be done in the job, and nothing of it is recorded.
pub struct Tx<'a> {
    engine: &'a mut dyn Engine,
    ids: &'a EventIds,
    ahead: &'a mut Ahead,
    /// What had been put off when the job began; none where nothing is put off.
    mark: Option<Mark>,
    reads: bool,
    wrote: bool,
    failure: Option<StoreError>,
}

/// What a run of a job left behind.
pub(crate) struct Left {
    /// Whether it has written.
    pub(crate) wrote: bool,
    /// From where on what is put off is this job's; none where it has put nothing off.
    pub(crate) hopes: Option<Mark>,
    /// What the engine said no to.
    pub(crate) failure: Option<StoreError>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        engine: &'a mut dyn Engine,
        ids: &'a EventIds,
        ahead: &'a mut Ahead,
        reads: bool,
    ) -> Self {
        Self {
            engine,
            ids,
            mark: ahead.is_hopeful.then(|| ahead.put_off.mark()),
            ahead,
            reads,
            wrote: false,
            failure: None,
        }
    }

    pub(crate) fn left(self) -> Left {
        let put_off = &self.ahead.put_off;
        Left {
            wrote: self.wrote,
            hopes: self.mark.filter(|mark| put_off.is_past(mark)),
            failure: self.failure,
        }
    }

    /// Runs a statement that writes; says how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.about_to_execute(sql)?;
        let changed = self.engine.execute(sql, values);
        let changed = self.note(changed)?;
        self.wrote |= changed > 0;
        Ok(changed)
    }

    /// Runs a statement that writes one row at most, and reads what it returns.
    pub(crate) fn execute_returning<T>(
        &mut self,
        table: &'static str,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.about_to_execute(sql)?;
        let found = self.query_one(table, sql, values, read)?;
        self.wrote |= found.is_some();
        Ok(found)
    }

    /// Runs a statement on one row that nearly always comes to what is expected, or puts it off in that
    /// hope: where the hope fails, the job is run again. Says whether it did, or will.
    pub(crate) fn put(
        &mut self,
        put: &'static Put,
        values: &[Value<'_>],
    ) -> Result<bool, StoreError> {
        if !self.puts_off() {
            return Ok(self.execute(put.sql, values)? > 0);
        }
        self.check()?;
        self.ahead.put_off.add(put, values);
        Ok(true)
    }

    /// Whether [`Tx::put`] puts off.
    pub(crate) fn puts_off(&self) -> bool {
        !self.reads && self.ahead.is_hopeful
    }

    /// Puts off a look that nearly always finds nothing. False where nothing is put off: it is to be looked
    /// at once.
    pub(crate) fn hope_for_none(
        &mut self,
        look: &'static Put,
        values: &[Value<'_>],
    ) -> Result<bool, StoreError> {
        if !self.puts_off() {
            return Ok(false);
        }
        self.check()?;
        self.ahead.put_off.add(look, values);
        Ok(true)
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
        self.see(sql)?;
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

    /// As [`Tx::query_one`], of what changes seldom: asked once for all jobs of a batch, each of which waited
    /// when it was asked.
    pub(crate) fn query_one_settled<T: Clone + 'static>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.check()?;
        if let Some(known) = self.ahead.known::<Option<T>>(sql, values) {
            return Ok(known);
        }
        let found = self.query_one(table, sql, values, read)?;
        self.ahead.remember(sql, values, &found);
        Ok(found)
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
        self.see(sql)?;
        let mut found = None;
        let done = self.engine.query_held(sql, values, &mut |row| {
            found = Some(read(&mut Columns::new(row, table)));
            Ok(())
        });
        self.note(done)?;
        found.transpose()
    }

    pub(crate) fn next_event_id(&mut self, at: Timestamp) -> EventId {
        self.ids.next(at)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Sees to it that a query sees what has been put off.
    pub(crate) fn see(&mut self, sql: &str) -> Result<(), StoreError> {
        if self.ahead.put_off.concerns(sql) {
            self.carry_out()?;
        }
        Ok(())
    }

    /// Carries out what this job and earlier ones have put off.
    fn carry_out(&mut self) -> Result<(), StoreError> {
        let own = self.mark.as_ref();
        self.wrote |= own.is_some_and(|mark| self.ahead.put_off.is_past(mark));
        let done = self.ahead.carry_out(self.engine);
        if let Some(mark) = &mut self.mark {
            *mark = self.ahead.put_off.mark();
        }
        self.note(done)
    }

    /// Whether others may write at the same time.
    pub(crate) fn has_other_writers(&self) -> bool {
        self.engine.has_other_writers()
    }

    fn about_to_execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.check()?;
        if self.reads {
            return Err(StoreError::ReadOnly);
        }
        // Rows that are put off may be what a new one refers to.
        if self.ahead.put_off.concerns(sql) || sql.starts_with("INSERT") {
            self.carry_out()?;
        }
        self.ahead.changes(sql);
        self.about_to_write()
    }

    fn about_to_write(&mut self) -> Result<(), StoreError> {
        if self.wrote {
            return Ok(());
        }
        let step = match self.ahead.savepoint {
            Savepoint::Never | Savepoint::Here => None,
            Savepoint::Unset => Some(Step::Save),
            Savepoint::Behind => Some(Step::SaveAnew),
        };
        if let Some(step) = step {
            let done = self.engine.step(step);
            self.note(done)?;
            self.ahead.savepoint = Savepoint::Here;
        }
        Ok(())
    }

    /// What the clock of the database's machine says; `None` where the database is on this one, or does not
    /// say. To compare clocks by, and for nothing else: the time comes through `Clock`.
    pub fn database_clock(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let clock = self.engine.clock();
        Ok(self.note(clock)?.map(Timestamp::from_millis))
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}
