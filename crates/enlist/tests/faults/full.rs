//! The disk is full, and then there is room again.
//!
//! It is a file system of the server's or PostgreSQL's own, so this runs where one may be mounted.

use std::thread;
use std::time::Duration;

use enlist_testkit::PostgresLab;

use super::crowd::{Crowd, urls};
use super::record;
use super::site::Site;

/// Takes all the room there is.
const FILL: &str = "dd if=/dev/zero of=$0/filler bs=1k 2>/dev/null; test -s $0/filler";

#[test]
fn a_server_whose_sqlite_has_no_room_says_so_records_nothing_by_halves_and_goes_on() {
    let site = Site::new(None);
    let mount = "mkdir -p one && mount -t tmpfs -o size=64m,mode=0700 enlist one";
    if site
        .shell
        .sh(&format!("unshare --mount sh -c '{mount}'"))
        .status
        != 0
    {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let mut one = site.server_after("one", mount);
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 400);
    let held = crowd.comes(&site, &urls(&[&one]), |progress| {
        progress.wait_for(50);
        let filled = one.inside(&FILL.replace("$0", "one"));
        assert_eq!(filled.status, 0, "{filled:?}");
        progress.wait_for_refusal("storage-full");
        // What was recorded can be read.
        assert!(
            site.ok(&one, "enlist get devices -g crowd")
                .contains("device-")
        );
        let freed = one.inside("rm one/filler");
        assert_eq!(freed.status, 0, "{freed:?}");
    });
    assert!(one.is_up(), "it outlives it");
    record::is_right(&site, &one, &crowd, &held);
    let log = one.log();
    let times = |what: &str| log.matches(what).count();
    let told = times("jobs could not be done");
    assert!(told > 0, "{log}");
    assert_eq!(told, times("jobs are done again"), "each time once: {log}");
}

#[test]
fn a_postgresql_whose_tables_have_no_room_is_waited_for() {
    let Some(lab) = PostgresLab::with_small_disk(40) else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off", "autovacuum=off"]);
    let small = lab.small().display().to_string();
    lab.run("mkdir $0/space", &[&small]);
    cluster.sql(
        "postgres",
        &format!("CREATE TABLESPACE small LOCATION '{small}/space'"),
    );
    cluster.sql("postgres", "CREATE DATABASE tight TABLESPACE small");
    let site = Site::new(Some(&cluster.url("tight")));
    let mut one = site.server("one");
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 400);
    let held = crowd.comes(&site, &urls(&[&one]), |progress| {
        progress.wait_for(50);
        lab.run(FILL, &[&small]);
        progress.wait_for_refusal("storage-full");
        assert!(
            site.ok(&one, "enlist get devices -g crowd")
                .contains("device-")
        );
        lab.run("rm $0/filler", &[&small]);
    });
    assert!(one.is_up(), "it outlives it");
    record::is_right(&site, &one, &crowd, &held);
}

#[test]
fn a_postgresql_whose_log_has_no_room_loses_nothing_that_was_acknowledged() {
    let Some(lab) = PostgresLab::with_small_disk(80) else {
        return;
    };
    let settings = ["fsync=on", "max_wal_size=4MB", "min_wal_size=2MB"];
    let cluster = lab.cluster("small/only", &settings);
    let site = Site::new(Some(&cluster.database("tight")));
    let mut one = site.server("one");
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 400);
    let small = lab.small().display().to_string();
    let held = crowd.comes(&site, &urls(&[&one]), |progress| {
        progress.wait_for(50);
        lab.run(FILL, &[&small]);
        // It takes itself down where its log can't go on; where a table can't, it says so.
        let before = progress.answers();
        while progress.setbacks().is_empty() {
            assert!(
                progress.answers() < before + 700,
                "it finds room for everybody"
            );
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(500));
        lab.run("rm $0/filler", &[&small]);
        if !cluster.is_up() {
            cluster.start();
        }
    });
    assert!(one.is_up(), "it outlives it");
    one.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}
