//! Rows of created devices, inserted barely: many to a statement, the same number to a commit as
//! the program commits at once.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use enlist_core::{DeviceId, SystemClock, SystemRng};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::schema;

const ROWS_A_STATEMENT: usize = 250;
const ROWS_A_COMMIT: usize = 2_000;

/// The time from the first row to the last durable commit.
pub(crate) fn insert(directory: &Path, rows: usize) -> Result<Duration> {
    let connection = schema::create(&directory.join("bulk.db"))?;
    let sql = statement();
    let start = Instant::now();
    let mut next = 1;
    while next <= rows {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let end = (next + ROWS_A_COMMIT).min(rows + 1);
        while next < end {
            let until = (next + ROWS_A_STATEMENT).min(end);
            insert_rows(&connection, &sql, next..until)?;
            next = until;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(start.elapsed())
}

fn insert_rows(connection: &Connection, sql: &str, numbers: std::ops::Range<usize>) -> Result<()> {
    // The rounds are chosen so that statements are always full.
    debug_assert_eq!(numbers.len(), ROWS_A_STATEMENT);
    let mut values = Vec::with_capacity(numbers.len() * 3);
    for number in numbers {
        let id = DeviceId::new(&SystemClock, &SystemRng);
        values.push(Value::Blob(id.as_bytes().to_vec()));
        values.push(Value::Text(format!("test-device-{number}")));
        values.push(Value::Integer(1_800_000_000_000));
    }
    connection
        .prepare_cached(sql)?
        .execute(params_from_iter(values))?;
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
