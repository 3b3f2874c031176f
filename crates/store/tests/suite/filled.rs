//! Records with rows in every table, to be moved about.

use std::path::Path;
use std::sync::Arc;

use enlist_core::{Rng, Timestamp};
use enlist_store::{
    BackupDescription, Copied, CopyError, CopyProgress, Location, OpenError, Store, StoreError, Tx,
    backup, migrate, restore,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use crate::rig::Counted;

/// Texts that databases like to order otherwise than by their bytes.
const AWKWARD: [&str; 6] = ["Z", "a", "ä", "_", "a b'\"\\", "\u{1f4a1}"];

/// A SQLite record with so many rows in each table.
pub fn filled(rows: usize) -> TempDir {
    let dir = TempDir::new().unwrap();
    drop(open(&Location::File(dir.path().into())).unwrap());
    let mut database = raw(dir.path());
    database.pragma_update(None, "foreign_keys", false).unwrap();
    let within = database.transaction().unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
               AND name <> 'schema_version'";
    let tables: Vec<String> = column(&within, sql);
    for table in tables {
        fill(&within, &table, rows);
    }
    let sql = "INSERT INTO settings (name, value) VALUES ('installation', x'01')";
    within.execute(sql, []).unwrap();
    within.commit().unwrap();
    dir
}

pub fn fill(database: &Connection, table: &str, rows: usize) {
    let names: Vec<String> = column(
        database,
        &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
    );
    let kinds: Vec<String> = column(
        database,
        &format!(
            "SELECT type || \"notnull\" || (pk > 0) FROM pragma_table_info('{table}') ORDER BY cid"
        ),
    );
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO {table} VALUES ({marks})");
    let mut insert = database.prepare(&sql).unwrap();
    for row in 0..rows {
        let values = names.iter().zip(&kinds).enumerate();
        let values: Vec<Value> = values
            .map(|(at, (name, kind))| value(table, name, kind, row, at))
            .collect();
        insert.execute(rusqlite::params_from_iter(values)).unwrap();
    }
}

pub fn value(table: &str, name: &str, kind: &str, row: usize, at: usize) -> Value {
    let may_be_null = kind.ends_with("00");
    match name {
        "tenant_id" if table != "tenants" => Value::Blob(vec![7; 16]),
        "group_id" => Value::Blob(id(row as u64, 1)),
        _ if may_be_null && (row + at).is_multiple_of(3) => Value::Null,
        _ if kind.starts_with("BIGINT") => Value::Integer(match row % 4 {
            0 => i64::MIN + row as i64,
            1 => i64::MAX - row as i64,
            2 => -(row as i64),
            _ => row as i64,
        }),
        _ if kind.starts_with("TEXT") => {
            Value::Text(format!("{}{row}", AWKWARD[(row + at) % AWKWARD.len()]))
        }
        // Of many lengths, none and zeroes among them.
        "der" | "envelope" | "body" => Value::Blob(vec![0; row % 40]),
        _ => Value::Blob(id(row as u64, at as u64)),
    }
}

pub fn id(row: u64, at: u64) -> Vec<u8> {
    // Not in the order in which they are made.
    let number = (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [number.to_be_bytes(), at.to_be_bytes()].concat()
}

pub fn column(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

pub fn raw(directory: &Path) -> Connection {
    Connection::open(directory.join("enlist.db")).unwrap()
}

pub fn rng() -> Arc<dyn Rng> {
    Arc::<Counted>::default()
}

pub fn open(location: &Location) -> Result<Store, OpenError> {
    Store::open(location.clone(), rng())
}

pub fn file(directory: &TempDir) -> Location {
    Location::File(directory.path().into())
}

pub fn quietly(_: CopyProgress) {}

pub fn moved(from: &Location, to: &Location) -> Copied {
    migrate(from, to, false, &mut quietly).unwrap()
}

/// What a place comes to: a backup says so.
pub fn sums(of: &Location) -> BackupDescription {
    let dir = TempDir::new().unwrap();
    backed_up(of, &dir.path().join("b"))
}

pub fn backed_up(of: &Location, path: &Path) -> BackupDescription {
    std::fs::write(path, "").unwrap();
    let at = Timestamp::from_millis(5);
    backup(of, path, "1.0", at, &mut quietly).unwrap()
}

pub fn put_back(file: &Path, to: &Location, scratch: &TempDir) -> Result<Copied, CopyError> {
    let finish = &mut |tx: &mut Tx<'_>, found: &BackupDescription| -> Result<(), StoreError> {
        tx.put_setting("restored", found.program.as_bytes())
    };
    restore(
        file,
        to,
        scratch.path(),
        false,
        &rng(),
        finish,
        &mut quietly,
    )
}
