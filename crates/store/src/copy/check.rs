//! Whether the pages of a backup are whole. Digests are over rows, and say nothing of an index that is not read
//! in their order; whoever counts the rows, or brings the schema up to date, reads those as well.

use std::path::Path;

use super::place::Opened;
use super::{CopyError, CopyProgress, CopyStep, Hears};
use crate::StoreError;
use crate::value::{Value, values};

/// Has SQLite look at each table and its indexes, page by page and entry by entry. `rows` says how many a table
/// has, for those who wait.
pub(super) fn check(
    opened: &mut Opened,
    file: &Path,
    rows: &dyn Fn(&str) -> u64,
    hears: Hears<'_>,
) -> Result<(), CopyError> {
    let damaged = |table: &str, found: &str| CopyError::DamagedPages {
        path: file.to_owned(),
        table: table.to_owned(),
        // The last line says it; one before may merely name the database.
        found: found.lines().last().unwrap_or_default().to_owned(),
    };
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rootpage";
    let tables = texts(opened, sql, &[])?;
    let total = tables.iter().map(|table| rows(table)).sum();
    let mut done = 0;
    for table in &tables {
        hears(CopyProgress {
            step: CopyStep::Checking,
            rows: done,
            total,
        });
        let sql = "SELECT integrity_check FROM pragma_integrity_check($1) LIMIT 1";
        let found = texts(opened, sql, values![table])
            .map_err(|error| damaged(table, &error.to_string()))?;
        if let Some(found) = found.first()
            && found != "ok"
        {
            return Err(damaged(table, found));
        }
        done += rows(table);
    }
    Ok(())
}

fn texts(opened: &mut Opened, sql: &str, values: &[Value<'_>]) -> Result<Vec<String>, StoreError> {
    let mut texts = Vec::new();
    opened.engine.query(sql, values, &mut |row| {
        if let Some(Value::Text(text)) = row.value(0) {
            texts.push(text.to_owned());
        }
        Ok(())
    })?;
    Ok(texts)
}
