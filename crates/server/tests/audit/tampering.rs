//! Somebody has the database, and knows how hashes are made.

use std::path::Path;

use enlist_core::Seal;
use enlist_ops::Location;
use enlist_signed::audit::{Finding, Line, Sealed};
use enlist_testkit::Rig;
use enlist_wire::{Enrollment, Event, EventsQuery};
use rusqlite::Connection;

use super::installation::{Installation, database, runtime};

/// Changes who is on record for event `seq`, and computes all hashes after it anew.
fn rewrite(database: &Connection, lines: &[Line], seq: u64) {
    let mut place = Seal::START;
    for line in lines {
        let Line::Sealed(Sealed { event, .. }) = line else {
            continue;
        };
        let mut event = event.clone();
        let id = event.event_id.as_bytes().to_vec();
        if place.seq + 1 == seq {
            event.actor = "server".to_owned();
            let sql = "UPDATE events SET actor = 'server' WHERE event_id = ?1";
            assert_eq!(database.execute(sql, [&id]).unwrap(), 1);
        }
        place = place.next(&event);
        let sql = "UPDATE event_seals SET hash = ?1 WHERE event_id = ?2";
        let hash = place.hash.as_bytes().to_vec();
        assert_eq!(database.execute(sql, (hash, id)).unwrap(), 1);
    }
}

/// Removes all after event `seq`: the events, their seals, and the heads that tell.
fn cut(database: &Connection, seq: i64) {
    let sql =
        "DELETE FROM events WHERE event_id IN (SELECT event_id FROM event_seals WHERE seq > ?1)";
    database.execute(sql, [seq]).unwrap();
    for table in ["event_seals", "event_heads"] {
        let sql = format!("DELETE FROM {table} WHERE seq > ?1");
        database.execute(&sql, [seq]).unwrap();
    }
}

pub(super) async fn with_events(dir: &Path) -> Installation {
    let here = Installation::open(dir).await;
    here.happens(20).await;
    here.ops.seal_events().await.unwrap();
    here
}

/// The running server signs nothing any more, says so on record, and goes on sealing.
pub(super) async fn refuses_to_sign(here: &Installation, seen: u64) {
    here.happens(1).await;
    here.ops.seal_events().await.unwrap();
    let lines = here.export().await;
    let Some(Line::Broken(broken)) = lines.last() else {
        panic!("{:?}", lines.last());
    };
    assert_eq!(broken.seen.seq, seen);
    let told = |line: &Line| match line {
        Line::Sealed(sealed) => sealed.event.kind == "audit-chain-broken",
        _ => false,
    };
    assert_eq!(lines.iter().filter(|line| told(line)).count(), 1);
    let found = here.verify(&lines, &[]).await.findings;
    assert!(
        found.contains(&Finding::NotSigned { seq: seen }),
        "{found:?}"
    );
    let tenant = "default".to_owned();
    let key = here.ops.audit_key(&here.admin, tenant).await.unwrap();
    assert_eq!(key.broken_at, Some(seen));
}

#[test]
fn a_changed_event_is_found_even_where_all_hashes_were_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let earlier = here.head().await;
        let lines = here.export().await;
        let last = here.verify(&lines, &[]).await.events;
        rewrite(&database(dir.path()), &lines, 5);
        refuses_to_sign(&here, last).await;
        drop(here);

        // A server that knows of nothing finds the head that is on record.
        let again = Installation::open(dir.path()).await;
        refuses_to_sign_on(&again, last).await;
        drop(again);

        // Without that it signs, and only the auditor's own head tells.
        let heads = "DELETE FROM event_heads";
        database(dir.path()).execute(heads, []).unwrap();
        let unknowing = Installation::open(dir.path()).await;
        let found = unknowing.findings(&[]).await;
        assert_eq!(found, []);
        let found = unknowing.findings(&[earlier]).await;
        let rewritten = Finding::Rewritten {
            since: 0,
            until: last,
        };
        assert_eq!(found, [rewritten]);
    });
}

pub(super) async fn refuses_to_sign_on(again: &Installation, seen: u64) {
    let lines = again.export().await;
    let Some(Line::Broken(broken)) = lines.last() else {
        panic!("{:?}", lines.last());
    };
    assert_eq!(broken.seen.seq, seen);
}

#[test]
fn a_record_whose_end_was_cut_off_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let early = here.head().await;
        let count = here.verify(&here.export().await, &[]).await.events;
        here.happens(10).await;
        let late = here.head().await;
        cut(&database(dir.path()), i64::try_from(count).unwrap());
        refuses_to_sign(&here, count + 10).await;
        drop(here);

        let unknowing = Installation::open(dir.path()).await;
        assert_eq!(unknowing.findings(std::slice::from_ref(&early)).await, []);
        // What was recorded meanwhile are two events: the broken chain, and what happened then.
        let found = unknowing.findings(&[early, late]).await;
        let cut_off = Finding::CutOff {
            from: count + 3,
            to: count + 10,
        };
        assert_eq!(found, [cut_off]);
    });
}

#[test]
fn a_changed_event_whose_hash_was_left_alone_is_named() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let change = |sql: &str| {
            let changed = database(dir.path()).execute(sql, []).unwrap();
            assert_eq!(changed, 1, "{sql}");
        };
        let by_seq =
            |seq| format!("event_id = (SELECT event_id FROM event_seals WHERE seq = {seq})");
        change(&format!("UPDATE events SET name = 'x' WHERE {}", by_seq(4)));
        change(&format!(
            "UPDATE events SET detail = 'no JSON' WHERE {}",
            by_seq(6)
        ));
        change(&format!(
            "UPDATE events SET actor = 'nobody' WHERE {}",
            by_seq(8)
        ));
        change(&format!("DELETE FROM events WHERE {}", by_seq(10)));
        let found = here.findings(&[]).await;
        assert_eq!(
            found,
            [
                Finding::Changed { seq: 4 },
                Finding::Changed { seq: 6 },
                Finding::Changed { seq: 8 },
                Finding::Missing { from: 10, to: 10 },
            ]
        );
    });
}

#[test]
fn what_does_not_read_is_changed_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let change = |sql: &str| {
            let changed = database(dir.path()).execute(sql, []).unwrap();
            assert_eq!(changed, 1, "{sql}");
        };
        let columns = [
            "group_id = x'00'",
            "device_id = 'text'",
            "happened_at = 'noon'",
            "happened_at = 1.5",
            "actor = x'ff'",
            "kind = x''",
            "detail = x'00'",
        ];
        for (seq, column) in (4..).zip(columns) {
            change(&format!(
                "UPDATE events SET {column} WHERE event_id = (SELECT event_id FROM event_seals WHERE seq = {seq})"
            ));
        }
        // And one that nobody has recorded, under no id.
        change("INSERT INTO events SELECT tenant_id, x'ff', happened_at, actor, kind, group_id, device_id, name, detail FROM events LIMIT 1");
        let before = here.verify(&here.export().await, &[]).await.events;
        here.happens(3).await;
        assert_eq!(here.ops.seal_events().await.unwrap(), 3);
        let verified = here.verify(&here.export().await, &[]).await;
        assert_eq!(verified.events, before + 3);
        let changed: Vec<_> = (4..11).map(|seq| Finding::Changed { seq }).collect();
        assert_eq!(verified.findings, changed);
    });
}

#[test]
fn what_does_not_read_is_listed_among_the_others_and_marked() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::on(Location::File(dir.path().to_owned()));
    let secret = rig.group("pumps", Enrollment::Open);
    for number in 0..8 {
        rig.enrolled_device("pumps", &format!("pump-{number}"), &secret);
    }
    // Page by page, so that what does not read is also where a page ends.
    let list = || {
        let (mut all, mut query) = (Vec::new(), EventsQuery::default());
        query.limit = Some(1);
        loop {
            let page = rig.admin().events("default", &query).unwrap();
            all.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return all,
            }
        }
    };
    let before = list();
    let columns = [
        "actor = 'nobody'",
        "happened_at = 'noon'",
        "group_id = x'00'",
        "device_id = 'text'",
        "kind = x'6b'",
        "name = x'ff'",
        "detail = 'no JSON'",
        "happened_at = 9223372036854775807",
    ];
    let database = database(dir.path());
    let changed = before.iter().rev().zip(columns);
    for (event, column) in changed.clone() {
        let sql = format!("UPDATE events SET {column} WHERE event_id = ?1");
        let id = event.event_id.as_bytes().to_vec();
        assert_eq!(database.execute(&sql, [id]).unwrap(), 1, "{column}");
    }
    // Under no id at all it is no event, and is in no page's way.
    let stray = "INSERT INTO events SELECT tenant_id, x'ff', happened_at, actor, kind, group_id, device_id, name, detail FROM events LIMIT 1";
    assert_eq!(database.execute(stray, []).unwrap(), 1);

    let after = list();
    let ids = |events: &[Event]| -> Vec<_> { events.iter().map(|one| one.event_id).collect() };
    assert_eq!(ids(&after), ids(&before));
    let find = |event: &Event| after.iter().find(|one| one.event_id == event.event_id);
    for (event, column) in changed {
        let now = find(event).unwrap();
        // A time that nobody has is a time.
        assert_eq!(now.unreadable, !column.contains("9223"), "{column}");
        let said = |text: Option<&str>| text.is_some_and(|text| text.starts_with("unreadable:"));
        let detail = now.detail.get("unreadable").and_then(|it| it.as_str());
        match column.split_once(' ').unwrap().0 {
            "actor" => assert_eq!(now.by, "nobody"),
            "kind" => assert_eq!(now.kind, "unreadable:6b"),
            "name" => assert!(said(now.device.as_deref()), "{now:?}"),
            "detail" => assert_eq!(detail, Some("no JSON")),
            _ if now.unreadable => assert!(said(detail), "{column}: {now:?}"),
            _ => assert_eq!(now.at.to_string(), "9999-12-31T23:59:59.999Z"),
        }
    }
    let untouched = before.len() - columns.len();
    assert!(untouched > 1, "{untouched}");
    assert_eq!(after[..untouched], before[..untouched]);
}

#[test]
fn an_event_with_an_earlier_time_than_the_head_before_it_is_late() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let head = here.head().await;
        here.happens(1).await;
        let sql = "UPDATE events SET happened_at = happened_at - 3600000 WHERE event_id = (SELECT MAX(event_id) FROM events)";
        assert_eq!(database(dir.path()).execute(sql, []).unwrap(), 1);
        let verified = here.verify(&here.export().await, &[head]).await;
        assert_eq!(verified.findings, []);
        let late = |it: &Finding| matches!(it, Finding::Late { seq, .. } if *seq == verified.events);
        assert!(verified.warnings.len() == 1 && late(&verified.warnings[0]), "{verified:?}");
    });
}

#[test]
fn a_long_gap_ends_no_export_and_heads_do_not_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        here.happens(2_200).await;
        for _ in 0..3 {
            here.happens(1).await;
            here.head().await;
        }
        let database = database(dir.path());
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
        let since = "SELECT COUNT(*) FROM event_heads WHERE seq > 2000";
        assert_eq!(count(since).unwrap(), 1);
        let gone = "DELETE FROM events WHERE event_id IN (SELECT event_id FROM event_seals WHERE seq BETWEEN 6 AND 2100)";
        assert_eq!(database.execute(gone, []).unwrap(), 2_095);
        let found = here.findings(&[]).await;
        assert_eq!(found, [Finding::Missing { from: 6, to: 2_100 }]);
        // In replies of 100 events, as a client asks for them.
        let (mut at, mut replies) = (5, 0);
        loop {
            let tenant = "default".to_owned();
            let export = here.ops.export_events(&here.admin, tenant, at, Some(100)).await;
            let (mut export, before) = (export.unwrap(), at);
            while let Some(lines) = export.next().await.unwrap() {
                at = super::installation::events(&lines).last().map_or(at, |(seq, _)| *seq);
            }
            replies += 1;
            if at == before {
                break;
            }
        }
        assert!(at > 2_200 && replies < 6, "{at} {replies}");
    });
}

#[test]
fn a_head_that_somebody_else_has_signed_is_not_gone_on_from() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let here = with_events(dir.path()).await;
        let last = here.verify(&here.export().await, &[]).await.events;
        drop(here);
        let sql = "UPDATE event_heads SET envelope = CAST('{}' AS BLOB) WHERE seq = (SELECT MAX(seq) FROM event_heads)";
        assert_eq!(database(dir.path()).execute(sql, []).unwrap(), 1);
        let again = Installation::open(dir.path()).await;
        refuses_to_sign_on(&again, last).await;
    });
}
