//! Writing rows, many at once, with a note of how far it has come in the same transaction.

use super::CopyError;
use super::marker::Marker;
use super::place::Opened;
use super::row::{Owned, value};
use super::table::Table;
use crate::StoreError;
use crate::engine::{Engine, Row, Step};

/// Rows and bytes that are committed together.
const BATCH: usize = 2000;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Rows to a statement, where a statement is a round trip; fewer where fewer are left.
const AT_ONCE: [usize; 5] = [256, 64, 16, 4, 1];

/// Fills the tables of a target.
pub(super) struct Filling<'a> {
    target: &'a mut Opened,
    pub(super) marker: Marker,
    rows: Vec<Vec<Owned>>,
    bytes: usize,
}

impl<'a> Filling<'a> {
    pub(super) fn new(target: &'a mut Opened, marker: Marker) -> Self {
        Self {
            target,
            marker,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds a row. Says how many were written because of it.
    pub(super) fn push(&mut self, table: &Table, row: &dyn Row) -> Result<u64, CopyError> {
        let mut owned = Vec::with_capacity(table.columns.len());
        for column in 0..table.columns.len() {
            let value = Owned::of(value(row, table, column)?);
            if let Owned::Text(text) = &value
                && self.target.postgres
                && text.contains('\0')
            {
                return Err(CopyError::ZeroCharacter {
                    table: table.name.clone(),
                    column: table.columns[column].clone(),
                });
            }
            self.bytes += value.size();
            owned.push(value);
        }
        self.rows.push(owned);
        if self.rows.len() < BATCH && self.bytes < BATCH_BYTES {
            return Ok(0);
        }
        self.flush(table)
    }

    /// Writes what is left of a table, which is complete then.
    pub(super) fn end(&mut self, table: &Table) -> Result<u64, CopyError> {
        let written = self.rows.len() as u64;
        self.marker.tables += 1;
        self.marker.after = None;
        self.write(table)?;
        Ok(written)
    }

    fn flush(&mut self, table: &Table) -> Result<u64, CopyError> {
        let written = self.rows.len() as u64;
        self.marker.after = self.rows.last().map(|row| key_of(table, row));
        self.write(table)?;
        Ok(written)
    }

    fn write(&mut self, table: &Table) -> Result<(), CopyError> {
        self.marker.rows += self.rows.len() as u64;
        let engine = &mut *self.target.engine;
        engine.step(Step::Begin)?;
        let written = write_rows(engine, self.target.postgres, table, &self.rows)
            .and_then(|()| self.marker.write(engine));
        if written.is_err() {
            // The first error is the one to tell of.
            let _ = engine.step(Step::Rollback);
        }
        written
            .and_then(|()| engine.step(Step::Commit))
            .map_err(|error| self.target.not_written(error))?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn write_rows(
    engine: &mut dyn Engine,
    postgres: bool,
    table: &Table,
    rows: &[Vec<Owned>],
) -> Result<(), StoreError> {
    // On SQLite a statement is no round trip, and a short one is the quickest.
    let sizes = if postgres { &AT_ONCE[..] } else { &[1] };
    let mut left = rows;
    for size in sizes {
        let sql = table.insert(*size);
        while left.len() >= *size {
            let (now, later) = left.split_at(*size);
            let values: Vec<_> = now.iter().flatten().map(Owned::value).collect();
            engine.execute(&sql, &values)?;
            left = later;
        }
    }
    Ok(())
}

fn key_of(table: &Table, row: &[Owned]) -> Vec<Owned> {
    let at = |key: &String| table.columns.iter().position(|column| column == key);
    let values = table.key.iter().filter_map(at).map(|at| row[at].clone());
    values.collect()
}
