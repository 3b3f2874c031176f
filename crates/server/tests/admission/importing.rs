//! What becomes of the files that manifests are made from.

use std::path::Path;
use std::thread;

use enlist_ops::Location;
use enlist_testkit::{Postgres, Rig, refusal};
use enlist_wire::{BulkResult, Enrollment, EventsQuery, Problem};
use rusqlite::{Connection, params};

use crate::{claiming, import, on, secret, serials};

/// What is said of a file that can't be read.
fn refused_file(rig: &Rig, file: &str) -> String {
    let bearer = format!("Bearer {}", rig.admin_token());
    let headers = [
        ("content-type", "text/csv"),
        ("authorization", bearer.as_str()),
    ];
    let path = "/v1/tenants/default/manifests/batch/entries";
    let answer = rig.raw("POST", path, &headers, file.as_bytes()).text();
    let problem: Problem = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    assert_eq!(problem.slug(), "invalid-request", "{answer}");
    problem.detail
}

fn made(rig: &Rig) -> usize {
    let query = EventsQuery {
        kind: Some("manifest-created".to_owned()),
        ..EventsQuery::default()
    };
    rig.admin().events("default", &query).unwrap().items.len()
}

#[test]
fn a_file_that_holds_no_entry_leaves_no_manifest() {
    let rig = Rig::new();
    let detail = refused_file(&rig, "name,model\nSN-1,x200\n");
    assert!(detail.contains("the header names no kind"), "{detail}");
    let (_, end) = import(&rig, "batch", "text/csv", "mac\nTo be filled by O.E.M.\n");
    assert_eq!((end.created, end.refused), (0, 1));
    let admin = rig.admin();
    assert_eq!(
        refusal(admin.manifest("default", "batch")),
        "manifest-not-found"
    );
    assert_eq!(made(&rig), 0);

    serials(&rig, "batch", ["SN-1".to_owned()]);
    serials(&rig, "batch", ["SN-2".to_owned()]);
    assert_eq!(admin.manifest("default", "batch").unwrap().entries, 2);
    assert_eq!(made(&rig), 1);
}

#[test]
fn two_files_for_a_new_manifest_at_once_both_go_in() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("importing");
    let here = Rig::on_shared(Location::Postgres(url.clone()));
    let there = Rig::beside(&here, Location::Postgres(url));
    for round in 0..20 {
        let name = format!("batch-{round}");
        let add = |rig: &Rig, serial: &str| serials(rig, &name, [serial.to_owned()]);
        thread::scope(|scope| {
            scope.spawn(|| add(&here, "SN-1"));
            scope.spawn(|| add(&there, "SN-2"));
        });
        let manifest = here.admin().manifest("default", &name).unwrap();
        assert_eq!(manifest.entries, 2);
    }
    assert_eq!(made(&here), 20);
}

#[test]
fn an_identity_that_no_hardware_could_prove_is_refused() {
    let rig = Rig::new();
    let rows = [
        ("acme/SN-4711", BulkResult::Created),
        ("acme/sn 1/a", BulkResult::Created),
        ("acme/%00%ff%20", BulkResult::Created),
        ("SN-4711", BulkResult::Refused),
        ("acme/", BulkResult::Refused),
        ("Acme Ltd/SN-1", BulkResult::Refused),
        ("acme/ SN-1", BulkResult::Refused),
        ("acme/100%", BulkResult::Refused),
        ("acme/%FF", BulkResult::Refused),
        ("acme/S\u{dc}-1", BulkResult::Refused),
    ];
    let values: Vec<_> = rows.iter().map(|(value, _)| *value).collect();
    let file = format!("idevid\n{}\n", values.join("\n"));
    let (told, _) = import(&rig, "batch", "text/csv", &file);
    for (told, (value, result)) in told.iter().zip(rows) {
        assert_eq!(
            (&*told.name, told.result),
            (&*format!("idevid:{value}"), result)
        );
    }
    assert_eq!(told.len(), 10);
    let why = &told[3].problem.as_ref().unwrap().detail;
    assert!(why.contains("such as acme/SN-4711"), "{why}");
}

#[test]
fn an_address_that_no_card_has_is_refused_and_others_are_written_in_one_way() {
    let rig = Rig::new();
    let file = "kind,value\nmac,zz\nmac,0:1:2:3:4:5\nuuid,not-a-uuid\nmac,00-1A-2B-3C-4D-5E\nmac,001a.2b3c.4d5e\n";
    let (told, end) = import(&rig, "batch", "text/csv", file);
    assert_eq!((end.refused, end.created, end.existing), (3, 1, 1));
    let why = |row: usize| told[row].problem.as_ref().unwrap().detail.as_str();
    assert!(why(0).starts_with("a mac is 12 hexadecimal"), "{}", why(0));
    assert!(why(2).starts_with("a uuid is 32 hexadecimal"), "{}", why(2));
    assert_eq!(told[1].name, "mac:0:1:2:3:4:5");
    assert_eq!(told[4].name, "mac:00:1a:2b:3c:4d:5e");
}

/// A server on a database that its administrator can reach.
fn on_disk(data: &Path) -> (Rig, Connection) {
    let rig = Rig::on(Location::File(data.to_owned()));
    let database = Connection::open(data.join("enlist.db")).unwrap();
    (rig, database)
}

#[test]
fn a_manifest_is_full_at_ten_million_entries() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, database) = on_disk(dir.path());
    serials(&rig, "batch", ["SN-1".to_owned()]);
    let all_but_two = "UPDATE manifests SET entries = 9999998";
    assert_eq!(database.execute(all_but_two, []).unwrap(), 1);
    let detail = refused_file(&rig, "serial\nSN-2\nSN-3\nSN-4\n");
    assert!(detail.contains("10000000 entries at most"), "{detail}");
    serials(&rig, "batch", ["SN-2".to_owned(), "SN-3".to_owned()]);
    // What is there already fits.
    let (_, end) = import(&rig, "batch", "text/csv", "serial\nSN-3\n");
    assert_eq!(end.existing, 1);
    refused_file(&rig, "serial\nSN-4\n");
    let manifest = rig.admin().manifest("default", "batch").unwrap();
    assert_eq!(manifest.entries, 10_000_000);
}

#[test]
fn a_list_of_manifests_counts_ten_thousand_uses_and_says_that_there_are_more() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, database) = on_disk(dir.path());
    rig.group("pumps", Enrollment::Open);
    serials(&rig, "batch", ["SN-0".to_owned()]);
    let secret = secret(&rig, "pumps", &on("batch"));
    claiming(&rig, "a", &secret, "SN-0").enroll(&rig).unwrap();
    let grow = |from: i64, to: i64| {
        database
            .execute(
                "INSERT INTO manifest_uses (tenant_id, manifest_id, identity, device_id)
                 WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
                 SELECT tenant_id, manifest_id, 'serial:SN-' || i, device_id FROM manifest_uses, n
                 WHERE identity = 'serial:SN-0'",
                params![from, to],
            )
            .unwrap();
        let listed = rig.admin().manifests("default").unwrap().items.remove(0);
        let one = rig.admin().manifest("default", "batch").unwrap();
        [(listed.used, listed.more_used), (one.used, one.more_used)]
    };
    assert_eq!(grow(1, 9_999), [(10_000, false), (10_000, false)]);
    assert_eq!(grow(10_000, 10_001), [(10_000, true), (10_002, false)]);
}
