//! Reading a table from its first row to its last, one at a time.

use super::CopyError;
use super::marker;
use super::place::Opened;
use super::row::{Owned, Sum, TableSum};
use super::table::Table;
use crate::StoreError;
use crate::engine::Row;
use crate::value::Value;

/// How many rows are read between two words on how far it has come.
const STRIDE: u64 = 1024;

/// Hands each row of a table to `each`, in the order of its key; with `after`, those behind that key.
pub(super) fn scan(
    source: &mut Opened,
    table: &Table,
    after: Option<&[Owned]>,
    each: &mut dyn FnMut(&dyn Row) -> Result<(), CopyError>,
) -> Result<(), CopyError> {
    let sql = table.select(after.is_some(), source.postgres);
    let values: Vec<_> = after.unwrap_or_default().iter().map(Owned::value).collect();
    let mut failed = None;
    let read = source.engine.stream(&sql, &values, &mut |row| {
        if is_marker(table, row) {
            return Ok(());
        }
        each(row).map_err(|error| {
            failed = Some(error);
            // Whatever it says, the first error is the one to tell of.
            StoreError::Closed
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(read?),
    }
}

/// What a table comes to. `each` hears now and then how many more rows were read.
pub(super) fn sum(
    source: &mut Opened,
    table: &Table,
    each: &mut dyn FnMut(u64),
) -> Result<TableSum, CopyError> {
    let mut sum = Sum::new();
    scan(source, table, None, &mut |row| {
        sum.add(table, row)?;
        if sum.rows().is_multiple_of(STRIDE) {
            each(STRIDE);
        }
        Ok(())
    })?;
    each(sum.rows() % STRIDE);
    Ok(sum.done(table))
}

/// How many rows each table has.
pub(super) fn counts(source: &mut Opened, tables: &[Table]) -> Result<Vec<u64>, CopyError> {
    tables
        .iter()
        .map(|table| {
            let sql = format!("SELECT count(*) FROM {}", table.name);
            Ok(source.count(&sql)?)
        })
        .collect()
}

fn is_marker(table: &Table, row: &dyn Row) -> bool {
    table.name == "settings" && row.value(0) == Some(Value::Text(marker::NAME))
}
