//! Events get their places, and keep them.

use enlist_core::{Actor, Digest, Event, EventId, Seal, Timestamp};
use enlist_store::{Location, StoredHead};

use crate::rig::{NOW, Place, Rig, read, write};

fn nowhere() -> EventId {
    EventId::from_bytes([0; 16])
}

fn anywhere() -> EventId {
    EventId::from_bytes([0xff; 16])
}

pub async fn events_get_the_places_that_follow_each_other(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let other = rig.home(&store, "other").await;
    let (tenant, subject) = (home.tenant.id, home.group.subject());
    let elsewhere = other.group.subject();
    // More than the largest statement takes.
    let ids = write(&store, move |tx| {
        let mut ids = Vec::new();
        for number in 0..300 {
            let event = Event::new("tried", subject.clone(), Actor::Server, NOW);
            ids.push(tx.append(&event.with("number", number))?);
            tx.append(&Event::new("other", elsewhere.clone(), Actor::Server, NOW))?;
        }
        Ok(ids)
    })
    .await;
    let last = *ids.last().unwrap();
    let newest = read(&store, move |tx| tx.newest_events(nowhere())).await;
    let own = newest.iter().find(|it| it.tenant.id == tenant).unwrap();
    assert_eq!((own.all, own.past), (Some(last), None));
    assert_eq!(newest.len(), 2);

    let records = read(&store, move |tx| {
        assert_eq!(tx.newest_sealed(tenant)?, None);
        assert_eq!(tx.last_seal(tenant)?, None);
        tx.unsealed_records(tenant, (nowhere(), anywhere()))
    })
    .await;
    assert!(records.iter().map(|it| it.event_id).eq(ids.iter().copied()));
    let mut place = Seal::START;
    let mut seals = Vec::new();
    for record in &records {
        place = place.next(record);
        seals.push((place, record.event_id));
    }
    // All but the last two, and one of them by somebody who was slower.
    let (early, late) = (seals[..298].to_vec(), seals[297..].to_vec());
    assert!(write(&store, move |tx| tx.insert_seals(tenant, &early)).await);
    assert!(!write(&store, move |tx| tx.insert_seals(tenant, &late)).await);
    assert!(write(&store, move |tx| tx.insert_seals(tenant, &[])).await);

    let (middle, expected) = (ids[290], seals.clone());
    read(&store, move |tx| {
        let page = tx.which_are_sealed(tenant, middle, 5)?;
        assert!(page.iter().all(|(_, sealed)| *sealed) && page.len() == 5);
        let page = tx.which_are_sealed(tenant, middle, 100)?;
        let sealed: Vec<_> = page.iter().map(|(_, sealed)| *sealed).collect();
        assert_eq!(sealed, [vec![true; 7], vec![false; 2]].concat());
        let left = tx.unsealed_records(tenant, (nowhere(), anywhere()))?;
        assert_eq!(left.len(), 2);
        assert_eq!(tx.last_seal(tenant)?, Some(expected[297].0));
        assert_eq!(tx.newest_sealed(tenant)?, Some(expected[297].1));
        assert_eq!(tx.seal_hash(tenant, 5)?, Some(expected[4].0.hash));
        assert_eq!(tx.seal_hash(tenant, 299)?, None);
        let events = tx.sealed_events_after(tenant, 3, 2)?;
        let seqs: Vec<_> = events.iter().map(|it| it.seq).collect();
        assert_eq!(seqs, [4, 5]);
        assert_eq!(events[0].hash, expected[3].0.hash);
        assert_eq!(events[0].id, expected[3].1);
        assert_eq!(events[0].event.detail[0].1, "3");
        let words = tx.sealed_records(tenant, (3, 5), 100)?;
        assert_eq!(words.len(), 2);
        assert_eq!(expected[2].0.next(&words[0].record), words[0].seal);
        assert_eq!(tx.sealed_events_after(tenant, 290, 1_000)?.len(), 8);
        Ok(())
    })
    .await;
}

pub async fn heads_are_kept_and_found(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let other = rig.home(&store, "other").await.tenant.id;
    let tenant = home.tenant.id;
    let head = |seq: u64, text: &str| StoredHead {
        seq,
        envelope: text.as_bytes().to_vec(),
        signed_at: Timestamp::from_millis(seq as i64),
    };
    let (three, again, nine) = (head(3, "three"), head(3, "again"), head(9, "nine"));
    let expected = (three.clone(), nine.clone());
    let five = head(5, "five");
    write(&store, move |tx| {
        assert!(tx.insert_head(tenant, &three)?);
        assert!(!tx.insert_head(tenant, &again)?);
        assert!(tx.insert_head(tenant, &nine)?);
        // Neither those at the bounds nor another tenant's.
        assert_eq!(tx.delete_heads(tenant, (3, 9))?, 0);
        assert_eq!(tx.delete_heads(other, (0, 100))?, 0);
        assert!(tx.insert_head(tenant, &five)?);
        assert_eq!(tx.delete_heads(tenant, (3, 9))?, 1);
        Ok(())
    })
    .await;
    read(&store, move |tx| {
        let (three, nine) = expected.clone();
        assert_eq!(tx.newest_head(tenant, (0, u64::MAX))?, Some(nine.clone()));
        assert_eq!(tx.newest_head(tenant, (0, 8))?, Some(three.clone()));
        assert_eq!(tx.newest_head(tenant, (3, 8))?, None);
        assert_eq!(tx.newest_head(other, (0, u64::MAX))?, None);
        Ok(())
    })
    .await;
}

pub async fn a_sealed_event_is_read_word_for_word(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, subject) = (home.tenant.id, home.group.subject());
    let seal = write(&store, move |tx| {
        let event = Event::new("tried", subject.clone(), Actor::Server, NOW);
        let id = tx.append(&event.with("quote", "\"ü\"\n"))?;
        let seal = Seal {
            seq: 1,
            hash: Digest::of(b"anything"),
        };
        tx.insert_seals(tenant, &[(seal, id)])?;
        Ok(seal)
    })
    .await;
    let found = read(&store, move |tx| {
        tx.sealed_records(tenant, (0, u64::MAX), 10)
    })
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].seal, seal);
    assert_eq!(found[0].record.actor, "server");
    assert_eq!(
        found[0].record.detail,
        [("quote".to_owned(), "\"ü\"\n".to_owned())]
    );
}

/// On SQLite, which takes any value for any column.
#[tokio::test]
async fn what_makes_no_sense_any_more_is_passed_over() {
    let rig = Rig::new(Place::new_directory());
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, subject) = (home.tenant.id, home.group.subject());
    write(&store, move |tx| {
        for seq in 1..=9 {
            let event = Event::new("tried", subject.clone(), Actor::Server, NOW);
            let hash = Digest::of(b"anything");
            let id = tx.append(&event)?;
            tx.insert_seals(tenant, &[(Seal { seq, hash }, id)])?;
        }
        Ok(())
    })
    .await;
    let Location::File(path) = rig.location() else {
        unreachable!("it is in a directory")
    };
    let file = rusqlite::Connection::open(path.join("enlist.db")).unwrap();
    let sql = "UPDATE events SET group_id = x'00' WHERE event_id IN (SELECT event_id FROM event_seals WHERE seq BETWEEN 2 AND 7)";
    assert_eq!(file.execute(sql, []).unwrap(), 6);
    read(&store, move |tx| {
        for (limit, expected) in [(1, &[1][..]), (2, &[1, 8]), (100, &[1, 8, 9])] {
            let found = tx.sealed_events_after(tenant, 0, limit)?;
            let seqs: Vec<_> = found.iter().map(|it| it.seq).collect();
            assert_eq!(seqs, expected);
        }
        Ok(())
    })
    .await;
}
