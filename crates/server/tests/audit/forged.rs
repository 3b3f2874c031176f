//! Somebody writes into the tables of seals and heads themselves.

use std::path::Path;

use enlist_core::{Digest, EventId, EventRecord, Seal, TenantId, Timestamp};
use enlist_ops::Ops;
use enlist_signed::audit::{Finding, Line, Place};
use rusqlite::Connection;

use super::installation::{Installation, database, events, runtime};
use super::tampering::{refuses_to_sign, refuses_to_sign_on, with_events};

/// Does what another server on the same database would: seals what is not sealed yet.
fn seal_elsewhere(database: &Connection) -> Seal {
    let sql = "SELECT e.event_id, e.tenant_id, e.happened_at, e.actor, e.kind, e.name, e.detail
        FROM events e LEFT JOIN event_seals s ON s.event_id = e.event_id
        WHERE s.seq IS NULL ORDER BY e.event_id";
    let mut statement = database.prepare(sql).unwrap();
    let unsealed = statement.query_map([], |row| {
        let detail: Option<String> = row.get(6)?;
        Ok(EventRecord {
            event_id: EventId::from_bytes(row.get(0)?),
            tenant_id: TenantId::from_bytes(row.get(1)?),
            at: Timestamp::from_millis(row.get(2)?),
            actor: row.get(3)?,
            kind: row.get(4)?,
            group_id: None,
            device_id: None,
            name: row.get(5)?,
            detail: detail.map_or_else(Vec::new, |json| serde_json::from_str(&json).unwrap()),
        })
    });
    let unsealed: Vec<_> = unsealed.unwrap().map(Result::unwrap).collect();
    assert!(!unsealed.is_empty());
    let sql = "SELECT seq, hash FROM event_seals ORDER BY seq DESC LIMIT 1";
    let last = database.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let (seq, hash) = last.unwrap();
    let mut place = Seal {
        seq: seq.try_into().unwrap(),
        hash: Digest::from_bytes(hash),
    };
    let sql = "INSERT INTO event_seals (tenant_id, seq, event_id, hash) VALUES (?1, ?2, ?3, ?4)";
    for record in unsealed {
        place = place.next(&record);
        let (tenant, event) = (record.tenant_id, record.event_id);
        let hash = place.hash.as_bytes();
        let seq = i64::try_from(place.seq).unwrap();
        let row = (tenant.as_bytes(), seq, event.as_bytes(), hash);
        assert_eq!(database.execute(sql, row).unwrap(), 1);
    }
    place
}

fn changed(database: &Connection, sql: &str) -> usize {
    let changed = database.execute(sql, []).unwrap();
    assert!(changed > 0, "{sql}");
    changed
}

/// A row of seals after which nothing can come.
const LAST_OF_ALL: &str = "INSERT INTO event_seals SELECT tenant_id, 9223372036854775807, x'00112233445566778899aabbccddeeff', hash FROM event_seals WHERE seq = 1";

#[test]
fn a_server_holds_the_record_to_what_it_has_looked_at_though_another_one_sealed_it() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let database = database(dir.path());
        let own = here.verify(&here.export().await, &[]).await.events;
        here.happens(3).await;
        let place = seal_elsewhere(&database);
        assert_eq!(place.seq, own + 3);
        // It looks, and there is nothing left to do for it.
        assert_eq!(here.ops.seal_events().await.unwrap(), 0);
        // What the other one has sealed is rewritten, and all its hashes.
        let rewritten = format!("UPDATE events SET actor = 'server' WHERE event_id = (SELECT event_id FROM event_seals WHERE seq = {})", own + 1);
        assert_eq!(changed(&database, &rewritten), 1);
        changed(&database, &format!("DELETE FROM event_seals WHERE seq > {own}"));
        assert_ne!(seal_elsewhere(&database).hash, place.hash);
        refuses_to_sign(&here, place.seq).await;
    });
}

#[test]
fn a_seal_after_which_nothing_can_come_breaks_the_record_and_does_so_aloud() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let database = database(dir.path());
        changed(&database, LAST_OF_ALL);
        here.happens(1).await;
        here.ops.seal_events().await.unwrap();
        let tenant = "default".to_owned();
        let key = here.ops.audit_key(&here.admin, tenant).await.unwrap();
        // Nothing stands before it.
        let before = 9_223_372_036_854_775_806;
        assert_eq!(key.broken_at, Some(before));
        refuses_to_sign_on(&here, before).await;
        drop(here);
        // With the row gone and the server started again, all goes on as if it had not been.
        let away = "DELETE FROM event_seals WHERE seq = 9223372036854775807";
        assert_eq!(changed(&database, away), 1);
        let again = Installation::open(dir.path()).await;
        assert_eq!(again.findings(&[]).await, []);
    });
}

#[test]
fn more_events_of_one_moment_than_a_look_takes_in_are_all_sealed() {
    const MANY: usize = 41_000;
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        crowd(dir.path(), MANY);
        let (mut sealed, mut looks) = (0, 0);
        while sealed < MANY {
            looks += 1;
            assert!(looks < 5, "{sealed}");
            sealed += here.ops.seal_events().await.unwrap();
        }
    });
}

/// So many copies of the newest event, all of its time.
fn crowd(dir: &Path, events: usize) {
    let mut database = database(dir);
    let newest = "SELECT event_id FROM events ORDER BY event_id DESC LIMIT 1";
    let newest: Vec<u8> = database.query_row(newest, [], |row| row.get(0)).unwrap();
    let copies = database.transaction().unwrap();
    let mut copy = copies
        .prepare("INSERT INTO events SELECT tenant_id, ?1, happened_at, actor, kind, group_id, device_id, name, detail FROM events WHERE tenant_id = (SELECT tenant_id FROM tenants) AND event_id = ?2")
        .unwrap();
    for number in 0..events {
        let mut id = newest.clone();
        id[6..8].fill(0xff);
        id[8..].copy_from_slice(&(number as u64).to_be_bytes());
        assert_eq!(copy.execute((&id, &newest)).unwrap(), 1);
    }
    drop(copy);
    copies.commit().unwrap();
}

#[test]
fn a_seal_under_no_number_is_a_missing_event_and_stops_neither_sealing_nor_heads() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        drop(here.head().await);
        drop(here);
        let database = database(dir.path());
        let changes = [
            "UPDATE event_seals SET seq = -1 WHERE seq = 5",
            "UPDATE event_seals SET seq = 'six' WHERE seq = 6",
        ];
        for change in changes {
            assert_eq!(changed(&database, change), 1);
        }
        changed(&database, "DELETE FROM event_heads");
        // All there is is looked at when it starts, and a head is due.
        let again = Installation::open(dir.path()).await;
        again.happens(2).await;
        assert_eq!(again.ops.seal_events().await.unwrap(), 2);
        let heads = "SELECT COUNT(*) FROM event_heads";
        let heads = database.query_row(heads, [], |row| row.get::<_, i64>(0));
        assert_eq!(heads.unwrap(), 1);
        let found = again.findings(&[]).await;
        assert_eq!(found, [Finding::Missing { from: 5, to: 6 }]);
    });
}

#[test]
fn a_head_that_does_not_read_breaks_the_record_and_stops_neither_sealing_nor_export() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let last = here.verify(&here.export().await, &[]).await.events;
        drop(here);
        let forged = "UPDATE event_heads SET envelope = 'text', signed_at = 'noon' WHERE seq = (SELECT MAX(seq) FROM event_heads)";
        assert_eq!(changed(&database(dir.path()), forged), 1);
        let again = Installation::open(dir.path()).await;
        again.happens(1).await;
        // And what the server says about it.
        assert_eq!(again.ops.seal_events().await.unwrap(), 2);
        refuses_to_sign_on(&again, last).await;
    });
}

#[test]
fn a_broken_record_goes_on_as_the_documentation_has_it() {
    let text = include_str!("../../../../docs/audit.md");
    let (_, sql) = text.split_once("```sql\n").unwrap();
    let sql = sql.split_once("```").unwrap().0;
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let earlier = here.head().await;
        let last = here.verify(&here.export().await, &[]).await.events;
        let database = database(dir.path());
        let hash =
            "UPDATE event_seals SET hash = x'00' WHERE seq = (SELECT MAX(seq) FROM event_seals)";
        assert_eq!(changed(&database, hash), 1);
        refuses_to_sign(&here, last).await;
        drop(here);
        // Being started again is not enough.
        let still = Installation::open(dir.path()).await;
        refuses_to_sign_on(&still, last).await;
        drop(still);
        database.execute_batch(sql).unwrap();
        let again = Installation::open(dir.path()).await;
        again.happens(1).await;
        again.ops.seal_events().await.unwrap();
        // It signs, and what was done to the record stays to be seen.
        let since = again.verify(&again.export().await, &[]).await.findings;
        assert_eq!(since, [Finding::Changed { seq: last }]);
        let found = again.findings(&[earlier]).await;
        assert!(found.contains(&Finding::Changed { seq: last }), "{found:?}");
        let tenant = "default".to_owned();
        let key = again.ops.audit_key(&again.admin, tenant).await.unwrap();
        assert_eq!(key.broken_at, None);
        // Whoever starts from a new head finds nothing more.
        let lines = again.export().await;
        let Some(Line::Head(fresh)) = lines.last() else {
            panic!("{:?}", lines.last());
        };
        let (seq, _) = events(&lines).pop().unwrap();
        again.happens(2).await;
        let later = lines_of(&again.ops, &again, seq, None).await;
        let verified = again.verify(&later, std::slice::from_ref(fresh)).await;
        assert_eq!(verified.findings, []);
    });
}

#[test]
fn what_a_limit_ends_has_no_head_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        drop(here.head().await);
        // Heads about more and more events: the last of the first thousand stays on record.
        for _ in 0..3 {
            here.happens(400).await;
            drop(here.head().await);
        }
        let database = database(dir.path());
        let head = "SELECT seq FROM event_heads WHERE seq <= 1000 ORDER BY seq DESC";
        let head: i64 = database.query_row(head, [], |row| row.get(0)).unwrap();
        // And the event after it is gone.
        let gone = format!("DELETE FROM events WHERE event_id = (SELECT event_id FROM event_seals WHERE seq = {head} + 1)");
        assert_eq!(changed(&database, &gone), 1);
        let limit = u64::try_from(head).unwrap() + 1;
        let lines = lines_of(&here.ops, &here, 0, Some(limit)).await;
        assert_eq!(lines.len() as i64, head);
        assert!(matches!(lines.last(), Some(Line::Sealed(_))), "{:?}", lines.last());
        let rest = lines_of(&here.ops, &here, limit, None).await;
        assert!(matches!(rest.first(), Some(Line::After(Place { seq, .. })) if *seq == limit));
        assert!(matches!(rest.last(), Some(Line::Head(_))));
        // A page further it is among the others.
        let whole = here.export().await;
        let heads = whole.iter().filter(|line| matches!(line, Line::Head(_)));
        assert_eq!(heads.count(), 2);
    });
}

async fn lines_of(ops: &Ops, here: &Installation, since: u64, limit: Option<u64>) -> Vec<Line> {
    let tenant = "default".to_owned();
    let export = ops.export_events(&here.admin, tenant, since, limit).await;
    let (mut export, mut lines) = (export.unwrap(), Vec::new());
    while let Some(more) = export.next().await.unwrap() {
        lines.extend(more);
    }
    lines
}
