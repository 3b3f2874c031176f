//! What those need who tell the world how certificates stand.

use enlist_core::{
    CertificateRecord, RevocationReason, Serial, Standing, State, TenantId, Timestamp,
};
use enlist_store::{StandingChange, Store, Tx};

use crate::rig::{NOW, Rig, read, record, write};

fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

fn revoked(at: Timestamp) -> Standing {
    Standing::Revoked {
        at,
        reason: RevocationReason::Superseded,
    }
}

fn as_changed(
    certificate: &CertificateRecord,
    standing: Standing,
    at: Timestamp,
) -> StandingChange {
    StandingChange {
        since: at,
        serial: certificate.serial,
        issuer: certificate.issuer,
        not_after: certificate.not_after,
        standing,
    }
}

async fn certificates(rig: &Rig, store: &Store, count: i64) -> Vec<CertificateRecord> {
    let home = rig.home(store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let all: Vec<_> = (0..count)
        .map(|n| {
            let mut certificate = rig.certificate(&device, &rig.issued());
            certificate.not_after = later(1000 + n % 3);
            certificate
        })
        .collect();
    let rows = all.clone();
    write(store, move |tx| {
        rows.iter().try_for_each(|row| record(tx, row))
    })
    .await;
    all
}

async fn change(store: &Store, one: &CertificateRecord, to: Standing, at: Timestamp) {
    let (tenant, serial) = (one.tenant, one.serial);
    assert!(write(store, move |tx| tx.set_standing(tenant, serial, to, at)).await);
}

async fn changed(store: &Store, since: Timestamp) -> Vec<StandingChange> {
    let mut found = Vec::new();
    let (mut since, mut after) = (since, None);
    loop {
        let page = read(store, move |tx| tx.standings_changed(since, after, 3)).await;
        assert!(page.len() <= 3);
        let Some(last) = page.last() else {
            return found;
        };
        (since, after) = (last.since, Some(last.serial));
        found.extend(page);
    }
}

async fn live(store: &Store, not_after: Timestamp) -> Vec<Serial> {
    let mut found = Vec::new();
    let mut from = Some((not_after, None));
    while let Some((not_after, after)) = from {
        let (page, next) = read(store, move |tx| tx.revocations_live(not_after, after, 3)).await;
        assert!(page.len() <= 3);
        found.extend(page.into_iter().map(|one| one.serial));
        from = next.map(|(not_after, serial)| (not_after, Some(serial)));
    }
    found
}

pub async fn what_changed_its_standing_is_found_by_time(rig: &Rig) {
    let store = rig.open();
    let all = certificates(rig, &store, 12).await;
    assert_eq!(changed(&store, NOW).await, []);
    let mut expected = Vec::new();
    for (n, one) in all.iter().enumerate().take(11) {
        // Many at the same moment, as when a group is deleted.
        let at = later(if n < 8 { 1 } else { 2 });
        change(&store, one, revoked(at), at).await;
        expected.push(as_changed(one, revoked(at), at));
    }
    expected.sort_by_key(|one| (one.since, one.serial));
    assert_eq!(changed(&store, NOW).await, expected);
    assert_eq!(changed(&store, later(2)).await.len(), 3);
    assert_eq!(changed(&store, later(3)).await, []);
}

pub async fn what_comes_off_hold_is_a_change_too(rig: &Rig) {
    let store = rig.open();
    let all = certificates(rig, &store, 2).await;
    let (tenant, device) = (all[0].tenant, all[0].device);
    let to = |to, at| move |tx: &mut Tx<'_>| tx.set_standing_of_device(tenant, device, to, at);
    let held = Standing::Held(later(1));
    assert_eq!(write(&store, to(held, later(1))).await, 2);
    assert_eq!(write(&store, to(Standing::Good, later(5))).await, 2);
    let found = changed(&store, later(4)).await;
    assert!(found.iter().all(|one| one.standing == Standing::Good));
    assert!(found.iter().all(|one| one.since == later(5)));
    assert_eq!(found.len(), 2);
    assert_eq!(live(&store, NOW).await, []);
    let serial = all[0].serial;
    let record = read(&store, move |tx| tx.certificate(serial))
        .await
        .unwrap();
    assert_eq!(record, all[0], "nothing of it is seen on the certificate");
}

pub async fn what_is_revoked_and_unexpired_comes_in_pages(rig: &Rig) {
    let store = rig.open();
    let all = certificates(rig, &store, 20).await;
    for (n, one) in all.iter().enumerate() {
        match n % 4 {
            0 => {}
            1 => change(&store, one, Standing::Good, NOW).await,
            2 => change(&store, one, Standing::Held(NOW), NOW).await,
            _ => change(&store, one, revoked(NOW), NOW).await,
        }
    }
    for not_after in [NOW, later(1001), later(1002), later(1003)] {
        let mut expected: Vec<_> = all
            .iter()
            .enumerate()
            .filter(|(n, one)| n % 4 > 1 && one.not_after >= not_after)
            .map(|(_, one)| (one.not_after, one.serial))
            .collect();
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|(_, serial)| serial).collect();
        assert_eq!(live(&store, not_after).await, expected, "{not_after:?}");
    }
}

pub async fn what_was_issued_is_known_with_its_standing(rig: &Rig) {
    let store = rig.open();
    let all = certificates(rig, &store, 2).await;
    change(&store, &all[1], revoked(later(1)), later(1)).await;
    let unknown = rig.issued().serial;
    let serials = [all[0].serial, all[1].serial, unknown];
    read(&store, move |tx| {
        let found = serials.map(|serial| tx.issued_standing(serial));
        let [good, bad, none] = found.map(Result::unwrap);
        assert_eq!(good.unwrap().standing, Standing::Good);
        assert_eq!(bad.unwrap().standing, revoked(later(1)));
        assert_eq!(bad.unwrap().issuer, all[1].issuer);
        assert_eq!(bad.unwrap().not_after, all[1].not_after);
        assert_eq!(none, None);
        Ok(())
    })
    .await;
}

async fn counts(store: &Store) -> Vec<(TenantId, u64)> {
    read(store, |tx| {
        let mut all = tx.credential_counts()?;
        all.sort_unstable();
        Ok(all)
    })
    .await
}

pub async fn credentials_are_counted_by_tenant(rig: &Rig) {
    let store = rig.open();
    assert_eq!(counts(&store).await, []);
    let mut expected = Vec::new();
    for (tenant, count) in [("acme", 3), ("other", 1)] {
        let home = rig.home(&store, tenant).await;
        for n in 0..count {
            let device = rig.device(&home, &format!("light-{n}"), State::Active);
            let credential = rig.credential(&device);
            write(&store, move |tx| {
                tx.insert_device(&device)?;
                tx.insert_credential(&credential, None)
            })
            .await;
        }
        expected.push((home.tenant.id, count));
    }
    let found = counts(&store).await;
    expected.sort_unstable();
    assert_eq!(found, expected);
}

pub async fn parts_of_lists_never_become_fewer(rig: &Rig) {
    let store = rig.open();
    let one = rig.home(&store, "acme").await.tenant.id;
    rig.home(&store, "other").await;
    for (parts, expected) in [(1, vec![]), (8, vec![(one, 8)]), (4, vec![(one, 8)])] {
        write(&store, move |tx| tx.raise_crl_parts(one, parts)).await;
        read(&store, move |tx| {
            assert_eq!(tx.crl_parts()?, expected);
            Ok(())
        })
        .await;
    }
}
