//! Rows of created devices, inserted barely: many to a statement, the same number to a commit as
//! the program commits at once.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use enlist_core::{DeviceId, SystemClock, SystemRng};
use rusqlite::Connection;

use super::schema;

const ROWS_A_STATEMENT: usize = 250;
const ROWS_A_COMMIT: usize = 2_000;

struct Row {
    id: DeviceId,
    name: String,
}

/// The time from the first row to the last durable commit. The rows are made before the clock
/// starts; there are as many as fill whole commits.
pub(crate) fn insert(directory: &Path, rows: usize) -> Result<Duration> {
    let connection = schema::create(&directory.join("bulk.db"))?;
    let sql = statement();
    let rows: Vec<_> = (1..=rows)
        .map(|number| Row {
            id: DeviceId::new(&SystemClock, &SystemRng),
            name: format!("test-device-{number}"),
        })
        .collect();
    let start = Instant::now();
    for commit in rows.chunks_exact(ROWS_A_COMMIT) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for rows in commit.chunks_exact(ROWS_A_STATEMENT) {
            insert_rows(&connection, &sql, rows)?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(start.elapsed())
}

fn insert_rows(connection: &Connection, sql: &str, rows: &[Row]) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for (at, row) in rows.iter().enumerate() {
        statement.raw_bind_parameter(at * 3 + 1, &row.id.as_bytes()[..])?;
        statement.raw_bind_parameter(at * 3 + 2, &row.name)?;
        statement.raw_bind_parameter(at * 3 + 3, 1_800_000_000_000_i64)?;
    }
    statement.raw_execute()?;
    Ok(())
}

fn statement() -> String {
    let mut sql = String::from(
        "INSERT INTO devices (tenant_id, group_id, device_id, name, created_at, changed_at,
             state, enrolled) VALUES ",
    );
    for row in 0..ROWS_A_STATEMENT {
        let comma = if row == 0 { "" } else { ", " };
        let [id, name, at] = [1, 2, 3].map(|column| row * 3 + column);
        let _ = write!(
            sql,
            "{comma}(x'01010101010101010101010101010101', x'02020202020202020202020202020202', ?{id}, ?{name}, ?{at}, ?{at}, 'created', 0)"
        );
    }
    sql
}
