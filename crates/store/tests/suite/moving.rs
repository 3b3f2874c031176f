//! A record is moved: every row of every table, whatever stands in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use enlist_core::Timestamp;
use enlist_store::{CopyError, CopyProgress, CopyStep, Location, OpenError, backup, migrate};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::filled::{file, filled, moved, open, quietly, raw, sums};
use crate::postgres::Postgres;

#[test]
fn a_record_goes_from_engine_to_engine_row_by_row() {
    let source = filled(40);
    let from = file(&source);
    let Some(server) = Postgres::start() else {
        return;
    };
    let there = Location::Postgres(server.database("moved"));
    let copied = moved(&from, &there);
    assert_eq!(copied.tables.len(), 30);
    assert!(copied.tables.iter().all(|table| table.rows >= 40));
    assert_eq!(sums(&from).digest(), sums(&there).digest());
    drop(open(&there).unwrap());

    let back = TempDir::new().unwrap();
    assert_eq!(moved(&there, &file(&back)).tables, copied.tables);
    assert_eq!(sums(&from).digest(), sums(&file(&back)).digest());
    drop(open(&file(&back)).unwrap());

    let again = migrate(&from, &there, false, &mut quietly).unwrap_err();
    assert!(matches!(again, CopyError::NotEmpty { .. }), "{again}");
    let once_more = migrate(&from, &there, true, &mut quietly).unwrap_err();
    assert!(
        matches!(once_more, CopyError::NotEmpty { .. }),
        "what is complete is not discarded: {once_more}"
    );
}

/// Copies until `stop` says so, and falls dead there.
fn broken_off(from: &Location, to: &Location, stop: impl Fn(CopyProgress) -> bool) {
    let died = catch_unwind(AssertUnwindSafe(|| {
        migrate(from, to, false, &mut |told| {
            assert!(!stop(told), "power cut");
        })
    }));
    assert!(died.is_err(), "it got to its end");
}

/// What is not whole is not made whole by copying it, however far it had come.
fn not_a_source(of: &Location) {
    let dir = TempDir::new().unwrap();
    let moved = migrate(of, &file(&dir), false, &mut quietly).unwrap_err();
    assert!(!dir.path().join("enlist.db").exists());
    let path = dir.path().join("b");
    std::fs::write(&path, "").unwrap();
    let at = Timestamp::from_millis(5);
    let backed_up = backup(of, &path, "1.0", at, &mut quietly).unwrap_err();
    for error in [moved, backed_up] {
        let told = error.to_string();
        assert!(
            matches!(&error, CopyError::Unfinished { made_by, .. } if *made_by == "migrate"),
            "{told}"
        );
        assert!(told.contains("enlist migrate"), "{told}");
    }
}

fn goes_on(to: &Location) {
    let (source, other) = (filled(2500), filled(3));
    let from = file(&source);
    for share in [0, 20, 55, 80] {
        broken_off(&from, to, |told| {
            told.step == CopyStep::Copying && told.rows * 100 >= told.total * share
        });
        let error = open(to).err().unwrap();
        assert!(matches!(error, OpenError::Unfinished { .. }), "{error}");
        not_a_source(to);
    }
    broken_off(&from, to, |told| told.step == CopyStep::Verifying);
    not_a_source(to);
    let foreign = Connection::open(other.path().join("enlist.db")).unwrap();
    foreign
        .execute(
            "UPDATE settings SET value = x'02' WHERE name = 'installation'",
            [],
        )
        .unwrap();
    let error = migrate(&file(&other), to, false, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::AnotherCopy { .. }), "{error}");

    let copied = moved(&from, to);
    assert_eq!(copied.resumed_at, copied.rows(), "it had come so far");
    assert_eq!(sums(&from).digest(), sums(to).digest());
    drop(open(to).unwrap());
}

#[test]
fn what_was_broken_off_goes_on_into_sqlite() {
    let target = TempDir::new().unwrap();
    goes_on(&file(&target));
}

#[test]
fn what_was_broken_off_goes_on_into_postgresql() {
    if let Some(server) = Postgres::start() {
        goes_on(&Location::Postgres(server.database("broken")));
    }
}

#[test]
fn an_unfinished_copy_of_another_record_is_discarded_when_told() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let (one, other) = (filled(50), filled(9));
    raw(other.path())
        .execute(
            "UPDATE settings SET value = x'02' WHERE name = 'installation'",
            [],
        )
        .unwrap();
    let dir = TempDir::new().unwrap();
    for to in [file(&dir), Location::Postgres(server.database("anew"))] {
        broken_off(&file(&one), &to, |told| told.step == CopyStep::Verifying);
        migrate(&file(&other), &to, true, &mut quietly).unwrap();
        assert_eq!(sums(&file(&other)).digest(), sums(&to).digest());
    }
}

#[test]
fn a_source_that_changes_meanwhile_is_found_out() {
    let (source, target) = (filled(50), TempDir::new().unwrap());
    let writer = raw(source.path());
    let mut changed = false;
    let done = migrate(&file(&source), &file(&target), false, &mut |told| {
        if told.step == CopyStep::Copying && told.rows == told.total && !changed {
            changed = true;
            let sql = "UPDATE devices SET state = 'active' WHERE device_id =
                       (SELECT min(device_id) FROM devices)";
            writer.execute(sql, []).unwrap();
        }
    });
    let error = done.unwrap_err();
    assert!(
        matches!(&error, CopyError::Differs { table } if table == "devices"),
        "{error}"
    );
    let refused = open(&file(&target)).err().unwrap().to_string();
    assert!(refused.contains("--anew"), "{refused}");
    migrate(&file(&source), &file(&target), true, &mut quietly).unwrap();
}

#[test]
fn servers_and_copies_keep_each_other_away() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let source = filled(5);
    let there = Location::Postgres(server.database("held"));
    let serving = open(&file(&source)).unwrap();
    let error = migrate(&file(&source), &there, false, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::InUse { .. }), "{error}");
    drop(serving);
    moved(&file(&source), &there);

    let serving = open(&there).unwrap();
    let dir = TempDir::new().unwrap();
    let error = migrate(&there, &file(&dir), false, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::InUse { .. }), "{error}");
    drop(serving);
    let mut refused = None;
    migrate(&there, &file(&dir), false, &mut |_| {
        refused.get_or_insert_with(|| open(&there).is_err());
    })
    .unwrap();
    assert_eq!(
        refused,
        Some(true),
        "a server started on what was being copied"
    );
    drop(open(&there).unwrap());
}

#[test]
fn what_is_no_record_is_refused() {
    let (nothing, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let copy = |from: &Location| migrate(from, &file(&target), false, &mut quietly).unwrap_err();
    assert!(matches!(copy(&file(&nothing)), CopyError::NoRecord { .. }));
    drop(open(&file(&nothing)).unwrap());
    assert!(matches!(copy(&file(&nothing)), CopyError::NotSetUp { .. }));

    let roundabout = Location::File(nothing.path().join("."));
    let error = migrate(&roundabout, &file(&nothing), false, &mut quietly).unwrap_err();
    assert!(matches!(error, CopyError::SamePlace { .. }), "{error}");

    let old = filled(1);
    raw(old.path())
        .execute(
            "DELETE FROM schema_version WHERE version =
                 (SELECT max(version) FROM schema_version)",
            [],
        )
        .unwrap();
    let error = copy(&file(&old));
    assert!(matches!(error, CopyError::OlderSchema { .. }), "{error}");
    let new = filled(1);
    raw(new.path())
        .execute("INSERT INTO schema_version (version) VALUES (999)", [])
        .unwrap();
    let error = copy(&file(&new));
    assert!(
        matches!(
            &error,
            CopyError::Open {
                source: OpenError::NewerSchema { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_text_that_postgresql_cannot_hold_is_named() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let source = filled(3);
    let sql = "UPDATE events SET name = 'a' || char(0) || 'b'";
    raw(source.path()).execute(sql, []).unwrap();
    let there = Location::Postgres(server.database("zero"));
    let error = migrate(&file(&source), &there, false, &mut quietly).unwrap_err();
    assert!(
        matches!(&error, CopyError::ZeroCharacter { table, column }
            if table == "events" && column == "name"),
        "{error}"
    );
}
