//! Many devices in one call.

#![allow(clippy::unwrap_used)]

use enlist_testkit::Rig;
use enlist_wire::{BulkEnd, BulkResult, BulkRow, Enrollment};

const PATH: &str = "/v1/tenants/default/groups/pumps/devices/bulk";

fn bulk(rig: &Rig, kind: &str, body: &str) -> (Vec<BulkRow>, BulkEnd) {
    let bearer = format!("Bearer {}", rig.admin_token());
    let headers = [("content-type", kind), ("authorization", bearer.as_str())];
    let answer = rig.raw("POST", PATH, &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let mut lines: Vec<_> = text.lines().collect();
    let end = serde_json::from_str(lines.pop().unwrap()).unwrap();
    let rows = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    (rows.collect(), end)
}

#[test]
fn a_range_is_created_and_created_again_it_is_there() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let range = r#"{"count": 5000, "prefix": "pump-"}"#;
    let (rows, end) = bulk(&rig, "application/json", range);
    assert_eq!((end.created, end.existing, end.refused), (5000, 0, 0));
    assert_eq!(rows.len(), 5000);
    assert_eq!(
        (rows[0].name.as_str(), rows[4999].name.as_str()),
        ("pump-1", "pump-5000")
    );
    let ids: Vec<_> = rows.iter().map(|row| row.device_id.unwrap()).collect();
    assert!(
        ids[..2000].is_sorted(),
        "a chunk is listed as it was asked for"
    );
    let (_, end) = bulk(
        &rig,
        "application/json",
        r#"{"count": 6000, "prefix": "pump-"}"#,
    );
    assert_eq!((end.created, end.existing, end.refused), (1000, 5000, 0));
}

#[test]
fn a_list_gets_a_result_for_each_row_in_order() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let list = "\"a\"\n\"Bad Name\"\n\n{\"name\":\"b\",\"labels\":{\"region\":\"north\"}}\nnonsense\n\"a\"\n\"c\"";
    let (rows, end) = bulk(&rig, "application/x-ndjson", list);
    let results: Vec<_> = rows
        .iter()
        .map(|row| (row.name.as_str(), row.result))
        .collect();
    assert_eq!(
        results,
        [
            ("a", BulkResult::Created),
            ("Bad Name", BulkResult::Refused),
            ("b", BulkResult::Created),
            ("nonsense", BulkResult::Refused),
            ("a", BulkResult::Existing),
            ("c", BulkResult::Created),
        ]
    );
    let problem = rows[1].problem.as_ref().unwrap();
    assert_eq!(problem.slug(), "invalid-name");
    assert_eq!(problem.suggestion.as_deref(), Some("bad-name"));
    assert_eq!((end.created, end.existing, end.refused), (3, 1, 2));
    let device = rig.admin().device("default", "pumps", "b").unwrap();
    assert_eq!(device.labels["region"], "north");
}

#[test]
fn a_chunk_leaves_one_event() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    bulk(
        &rig,
        "application/json",
        r#"{"count": 2500, "prefix": "pump-"}"#,
    );
    let events = rig
        .admin()
        .events("default", &Default::default())
        .unwrap()
        .items;
    let mut created: Vec<u32> = events
        .iter()
        .filter(|event| event.kind == "devices-created")
        .map(|event| event.detail["count"].as_str().unwrap().parse().unwrap())
        .collect();
    // Two chunks are under way at one time; on PostgreSQL either may be the first on record.
    created.sort_unstable();
    assert_eq!(created, [500, 2000]);
}

#[test]
fn a_name_that_was_deleted_is_refused_in_its_row() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-2", &secret);
    rig.admin()
        .delete_device("default", "pumps", "pump-2")
        .unwrap();
    let (rows, end) = bulk(
        &rig,
        "application/json",
        r#"{"count": 3, "prefix": "pump-"}"#,
    );
    assert_eq!((end.created, end.refused), (2, 1));
    assert_eq!(rows[1].problem.as_ref().unwrap().slug(), "tombstoned");
}

#[test]
fn a_range_that_can_not_be_is_refused_whole() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let bearer = format!("Bearer {}", rig.admin_token());
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    for (range, slug) in [
        (r#"{"count": 3, "prefix": "Pump "}"#, "invalid-name"),
        (
            r#"{"count": 3, "prefix": "p", "start": 18446744073709551615}"#,
            "invalid-request",
        ),
        (r#"{"count": -1, "prefix": "p"}"#, "invalid-request"),
    ] {
        let answer = rig.raw("POST", PATH, &headers, range.as_bytes());
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (422, slug),
            "{range}"
        );
    }
}
