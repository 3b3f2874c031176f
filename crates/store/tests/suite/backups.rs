//! A record is backed up and put back.

use std::path::{Path, PathBuf};

use enlist_core::Timestamp;
use enlist_store::{CopyError, Location, backup, verify_backup};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::filled::{backed_up, file, filled, moved, open, put_back, quietly, sums};
use crate::postgres::Postgres;

#[test]
fn a_backup_of_either_engine_is_the_same_and_goes_into_either() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let (source, dir) = (filled(30), TempDir::new().unwrap());
    let there = Location::Postgres(server.database("one"));
    moved(&file(&source), &there);
    // Servers are at work on both.
    let serving = (open(&file(&source)).unwrap(), open(&there).unwrap());
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    let (of_sqlite, of_postgres) = (backed_up(&file(&source), &a), backed_up(&there, &b));
    drop(serving);
    assert_eq!(of_sqlite.digest(), of_postgres.digest());
    assert_eq!(
        (&*of_sqlite.engine, &*of_postgres.engine),
        ("sqlite", "postgresql")
    );
    assert_eq!(verify_backup(&b, &mut quietly).unwrap(), of_postgres);

    let restored = TempDir::new().unwrap();
    let other = Location::Postgres(server.database("two"));
    for (from, to) in [(&b, &file(&restored)), (&a, &other)] {
        put_back(from, to, &dir).unwrap();
        drop(open(to).unwrap());
        let found = sums(to);
        let differ: Vec<_> = found
            .tables()
            .zip(of_sqlite.tables())
            .filter(|(a, b)| a != b)
            .collect();
        assert_eq!(
            differ.len(),
            1,
            "the settings alone, where it is noted: {differ:?}"
        );
        let error = put_back(from, to, &dir).unwrap_err();
        assert!(matches!(error, CopyError::NotEmpty { .. }), "{error}");
    }
}

#[test]
fn a_backup_that_was_changed_is_found_out_and_not_put_back() {
    let (source, dir) = (filled(30), TempDir::new().unwrap());
    let whole = dir.path().join("whole");
    backed_up(&file(&source), &whole);
    let bytes = std::fs::read(&whole).unwrap();
    let target = TempDir::new().unwrap();
    let refused = |path: &Path| {
        let error = verify_backup(path, &mut quietly).unwrap_err();
        assert!(put_back(path, &file(&target), &dir).is_err());
        assert!(
            !target.path().join("enlist.db").exists(),
            "nothing was written"
        );
        error
    };
    let changed = dir.path().join("changed");
    for (table, sql) in [
        (
            "devices",
            "UPDATE devices SET name = name || 'x' WHERE device_id = (SELECT max(device_id) FROM devices)",
        ),
        (
            "api_tokens",
            "DELETE FROM api_tokens WHERE short_id IN (SELECT min(short_id) FROM api_tokens)",
        ),
        (
            "settings",
            "UPDATE settings SET value = x'00' WHERE name = 'installation'",
        ),
    ] {
        std::fs::write(&changed, &bytes).unwrap();
        assert!(
            Connection::open(&changed)
                .unwrap()
                .execute(sql, [])
                .unwrap()
                > 0
        );
        let error = refused(&changed);
        assert!(
            matches!(&error, CopyError::Damaged { table: found, .. } if found == table),
            "{table}: {error}"
        );
    }
    // Wherever the disk has lost something: half of it, or a page.
    std::fs::write(&changed, &bytes[..bytes.len() / 2]).unwrap();
    refused(&changed);
    for at in (1..8).map(|part| bytes.len() / 8 * part / 4096 * 4096) {
        let mut bytes = bytes.clone();
        bytes[at..at + 4096].fill(0xff);
        std::fs::write(&changed, &bytes).unwrap();
        refused(&changed);
    }
    std::fs::write(&changed, "no database at all, but some text").unwrap();
    assert!(matches!(refused(&changed), CopyError::NoBackup { .. }));
    std::fs::write(&changed, "").unwrap();
    assert!(matches!(refused(&changed), CopyError::NoBackup { .. }));
}

/// Rows are read in the order of one index; the others are looked at all the same.
#[test]
fn a_backup_with_a_damaged_index_is_found_out_and_not_put_back() {
    let (source, dir) = (filled(30), TempDir::new().unwrap());
    let (whole, changed) = (dir.path().join("whole"), dir.path().join("changed"));
    backed_up(&file(&source), &whole);
    let bytes = std::fs::read(&whole).unwrap();
    let roots: Vec<(String, u32)> = {
        let database = Connection::open(&whole).unwrap();
        let sql = "SELECT tbl_name, rootpage FROM sqlite_master WHERE type = 'index'";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert!(roots.len() > 30, "{roots:?}");
    let target = TempDir::new().unwrap();
    let mut by_pages = 0;
    for (table, page) in roots {
        let (mut bytes, page) = (bytes.clone(), page as usize);
        bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
        std::fs::write(&changed, &bytes).unwrap();
        let error = put_back(&changed, &file(&target), &dir).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(&changed.display().to_string()), "{told}");
        assert!(told.contains("Use another backup"), "{told}");
        match error {
            CopyError::Damaged { table: found, .. } => assert_eq!(found, table),
            CopyError::DamagedPages { table: found, .. } => {
                assert_eq!(found, table);
                by_pages += 1;
            }
            other => panic!("{table}: {other}"),
        }
        assert!(
            !target.path().join("enlist.db").exists(),
            "nothing was written"
        );
    }
    assert!(by_pages > 5, "{by_pages}");
}

#[test]
fn no_server_starts_on_a_backup_as_it_is() {
    let (source, dir) = (filled(3), TempDir::new().unwrap());
    backed_up(&file(&source), &dir.path().join("enlist.db"));
    let error = open(&file(&dir)).err().unwrap();
    assert!(error.to_string().contains("enlist restore"), "{error}");
    // Nor is it taken for a record to copy.
    std::fs::write(dir.path().join("again"), "").unwrap();
    let at = Timestamp::from_millis(5);
    let again = dir.path().join("again");
    let error = backup(&file(&dir), &again, "1.0", at, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::BackupInPlace { .. }), "{error}");
}

#[test]
fn a_backup_of_an_older_version_is_brought_up_to_date() {
    let (source, dir) = (filled(20), TempDir::new().unwrap());
    let path = dir.path().join("old");
    let made = backed_up(&file(&source), &path);
    // The last step made a table and nothing else.
    let old = Connection::open(&path).unwrap();
    old.execute_batch("DROP TABLE hardware_claims; DELETE FROM schema_version WHERE version = 9;")
        .unwrap();
    assert_eq!(made.schema_version, 9, "undo here what newer steps do");
    old.execute(
        "UPDATE backup SET description =
             replace(description, '\"schema_version\":9', '\"schema_version\":8')",
        [],
    )
    .unwrap();
    drop(old);
    assert_eq!(
        verify_backup(&path, &mut quietly).unwrap().schema_version,
        8
    );
    let before = std::fs::read(&path).unwrap();
    let target = TempDir::new().unwrap();
    put_back(&path, &file(&target), &target).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "the backup stays as it is"
    );
    let left: Vec<PathBuf> = std::fs::read_dir(target.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("restoring"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    drop(open(&file(&target)).unwrap());

    let newer = Connection::open(&path).unwrap();
    let sql = "UPDATE backup SET description =
                   replace(description, '\"schema_version\":8', '\"schema_version\":99')";
    newer.execute(sql, []).unwrap();
    let error = verify_backup(&path, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::NewerBackup { .. }), "{error}");
}
