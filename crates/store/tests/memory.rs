//! However many rows there are, copying them takes little memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../../testkit/src/postgres.rs"]
#[allow(
    dead_code,
    reason = "a part of the test kit, which depends on this crate"
)]
mod postgres;

use std::sync::Arc;

use enlist_core::{Rng, SystemRng};
use enlist_store::{Location, Store, migrate};

const ROWS: u64 = 200_000;
const MOST_KIB: u64 = 64 * 1024;

#[test]
fn two_hundred_thousand_certificates_are_moved_in_little_memory() {
    let Some(server) = postgres::Postgres::start() else {
        return;
    };
    let [source, back] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let from = Location::File(source.path().into());
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    drop(Store::open(from.clone(), rng).unwrap());
    let database = rusqlite::Connection::open(source.path().join("enlist.db")).unwrap();
    database
        .execute_batch(&format!(
            "INSERT INTO settings (name, value) VALUES ('installation', x'01');
             WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {ROWS})
             INSERT INTO certificates SELECT randomblob(16), zeroblob(16),
                 CAST(printf('%016d', n) AS BLOB), zeroblob(16),
                 randomblob(32), n, n, 'good', NULL, NULL, randomblob(350) FROM counted;"
        ))
        .unwrap();
    drop(database);
    let there = Location::Postgres(server.database("large"));
    // From here on the peak is counted anew.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    let copied = migrate(&from, &there, false, &mut |_| ()).unwrap();
    assert!(copied.rows() > ROWS);
    migrate(
        &there,
        &Location::File(back.path().into()),
        false,
        &mut |_| (),
    )
    .unwrap();
    let grown = status("VmHWM:").saturating_sub(before);
    assert!(grown < MOST_KIB, "{grown} KiB");
}

/// A line of what the system knows of this process, in KiB.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
