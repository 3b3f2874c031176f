use std::time::{Duration, Instant};

use enlist_signed::audit::Line;

use super::installation::{Installation, database, events, runtime};

#[test]
fn every_event_is_sealed_in_its_order_and_the_record_is_intact() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = Installation::open(dir.path()).await;
        here.happens(30).await;
        assert!(here.ops.seal_events().await.unwrap() >= 31);
        assert_eq!(here.ops.seal_events().await.unwrap(), 0);
        here.happens(5).await;
        let lines = here.export().await;
        let verified = here.verify(&lines, &[]).await;
        assert_eq!(verified.findings, []);
        assert!(verified.events >= 36);
        // In the order in which they happened.
        let ids: Vec<_> = events(&lines).into_iter().map(|(_, id)| id).collect();
        assert!(ids.is_sorted());
        assert!(matches!(lines.last(), Some(Line::Head(_))));
    });
}

#[test]
fn a_database_from_before_is_sealed_from_the_first_event_on() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let before = Installation::open(dir.path()).await;
        before.happens(1_200).await;
    });
    let database = database(dir.path());
    // Events that a server without seals has recorded.
    database
        .execute_batch("DELETE FROM event_seals; DELETE FROM event_heads; DELETE FROM signing_keys WHERE purpose = 'audit'")
        .unwrap();
    drop(database);
    runtime().block_on(async {
        let after = Installation::open(dir.path()).await;
        assert!(after.ops.seal_events().await.unwrap() >= 1_201);
        assert_eq!(after.findings(&[]).await, []);
        assert!(events(&after.export().await).len() >= 1_201);
    });
}

#[test]
fn an_event_that_came_late_is_sealed_late_and_never_left_out() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = Installation::open(dir.path()).await;
        here.happens(3).await;
        here.ops.seal_events().await.unwrap();
        let head = here.head().await;
        // As if another server's clock were half a minute behind, and an hour.
        for (name, seconds) in [("late", 30), ("very late", 3_600)] {
            insert_late(dir.path(), name, seconds);
        }
        let started = Instant::now();
        while here.export_has("late").await.is_none() {
            assert!(started.elapsed() < Duration::from_secs(30));
            here.ops.seal_events().await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(here.findings(std::slice::from_ref(&head)).await, []);
        drop(here);
        // The one that is an hour late is found when all there is is looked at: here, at the next start.
        let again = Installation::open(dir.path()).await;
        again.ops.seal_events().await.unwrap();
        let place = again.export_has("very late").await;
        let late = again.export_has("late").await;
        assert!(place > late, "{place:?} {late:?}");
        assert_eq!(again.findings(&[head]).await, []);
    });
}

impl Installation {
    async fn export_has(&self, name: &str) -> Option<u64> {
        self.export().await.into_iter().find_map(|line| match line {
            Line::Sealed(sealed) if sealed.event.name == name => Some(sealed.seq),
            _ => None,
        })
    }
}

/// A copy of the newest event, under another name and an id of so many seconds before.
fn insert_late(dir: &std::path::Path, name: &str, seconds: i64) {
    let database = database(dir);
    let newest: Vec<u8> = database
        .query_row(
            "SELECT event_id FROM events ORDER BY event_id DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&newest[..6]);
    let millis = i64::from_be_bytes(millis) - seconds * 1_000;
    let mut id = newest.clone();
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    let added = database.execute(
        "INSERT INTO events (tenant_id, event_id, happened_at, actor, kind, group_id, device_id, name, detail)
         SELECT tenant_id, ?1, happened_at, actor, kind, group_id, device_id, ?2, detail
         FROM events WHERE event_id = ?3",
        (&id, name, &newest),
    );
    assert_eq!(added.unwrap(), 1);
}
