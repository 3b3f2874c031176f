//! Roots come, are approved, and go; and who holds them is counted.

use std::time::Duration;

use enlist_core::{
    CaKey, CaKind, CaRecord, CaStanding, ConfigurationNumbers, DeviceReport, Digest, RootRecord,
    State, Timestamp,
};
use enlist_store::{Readiness, StoreError};

use crate::rig::{Home, NOW, Rig, read, write};

fn ca(rig: &Rig, certificate: u8) -> CaRecord {
    CaRecord {
        id: rig.ca_id(),
        tenant: None,
        kind: CaKind::Root,
        certificate: vec![certificate],
        standing: CaStanding::Current,
        chain: Vec::new(),
        key: CaKey::Wrapped(vec![certificate; 2]),
        created_at: NOW + Duration::from_millis(certificate.into()),
    }
}

fn next(rig: &Rig, certificate: u8) -> RootRecord {
    RootRecord {
        ca: CaRecord {
            standing: CaStanding::Next,
            ..ca(rig, certificate)
        },
        cross: Some(vec![certificate; 3]),
        retired_at: None,
    }
}

fn standings(roots: &[RootRecord]) -> Vec<(u8, CaStanding)> {
    roots
        .iter()
        .map(|root| (root.ca.certificate[0], root.ca.standing))
        .collect()
}

pub async fn one_root_gives_way_to_one_other(rig: &Rig) {
    use CaStanding::{Current, Next, Retired};
    let store = rig.open();
    let (first, second, rival) = (ca(rig, 1), next(rig, 2), next(rig, 3));
    let at = NOW + Duration::from_secs(60);
    let seen = write(&store, move |tx| {
        assert_eq!(tx.current_root()?, None);
        tx.insert_ca(&first)?;
        let current = tx.current_root()?.unwrap();
        assert_eq!((&current.ca, current.cross), (&first, None));

        assert!(tx.insert_next_root(&second)?);
        assert!(!tx.insert_next_root(&rival)?, "there is one");
        assert_eq!(tx.roots()?[0], second);
        let before = standings(&tx.offered_roots()?);
        assert!(tx.change_roots(first.id, second.ca.id, at)?);
        let after = standings(&tx.roots()?);
        assert_eq!(tx.roots()?[1].retired_at, Some(at));
        assert_eq!(tx.current_root()?.unwrap().ca.id, second.ca.id);
        assert_eq!(standings(&tx.offered_roots()?), [(2, Current)]);
        Ok((before, after))
    })
    .await;
    assert_eq!(seen.0, [(1, Current), (2, Next)]);
    assert_eq!(seen.1, [(2, Current), (1, Retired)]);
}

pub async fn a_change_of_roots_that_came_too_late_changes_nothing(rig: &Rig) {
    let store = rig.open();
    let (first, second) = (ca(rig, 1), next(rig, 2));
    let (old, new) = (first.id, second.ca.id);
    write(&store, move |tx| {
        tx.insert_ca(&first)?;
        assert!(tx.insert_next_root(&second)?);
        assert!(tx.change_roots(old, new, NOW)?);
        Ok(())
    })
    .await;
    let again = store
        .write("again", move |tx| {
            if tx.change_roots(old, new, NOW)? {
                return Ok(());
            }
            Err(StoreError::Busy)
        })
        .await;
    assert!(matches!(again, Err(StoreError::Busy)));
    let current = read(&store, |tx| Ok(tx.current_root()?.map(|root| root.ca.id)));
    assert_eq!(current.await, Some(new));
}

pub async fn approvals_are_a_groups_own_and_go_with_it(rig: &Rig) {
    let store = rig.open();
    let (own, stranger) = (
        rig.home(&store, "acme").await,
        rig.home(&store, "other").await,
    );
    let root = rig.ca_id();
    let approvals = write(&store, move |tx| {
        let of = |home: &Home| (home.tenant.id, home.group.id);
        tx.put_root_approval(of(&own), root, b"{1}", NOW)?;
        tx.put_root_approval(of(&own), root, b"{2}", NOW)?;
        let (tenant, group) = of(&own);
        let seen = vec![
            tx.root_approval(tenant, group, root)?,
            tx.root_approval(stranger.tenant.id, group, root)?,
            tx.root_approval(tenant, stranger.group.id, root)?,
        ];
        assert!(tx.delete_group(tenant, group)?);
        assert_eq!(tx.root_approval(tenant, group, root)?, None);
        Ok(seen)
    });
    assert_eq!(approvals.await, [Some(b"{2}".to_vec()), None, None]);
}

/// What a device says, and when.
fn report(device: &enlist_core::Device, roots: &[Digest], seen_at: Timestamp) -> DeviceReport {
    DeviceReport {
        tenant: device.tenant,
        device: device.id,
        seen_at,
        agent: None,
        roots: roots.to_vec(),
        holds: ConfigurationNumbers::default(),
        offered: ConfigurationNumbers::default(),
        configuration: None,
        last_command: 0,
        changed_hardware: None,
    }
}

pub async fn who_holds_a_root_is_counted(rig: &Rig) {
    let store = rig.open();
    let (own, stranger) = (
        rig.home(&store, "acme").await,
        rig.home(&store, "other").await,
    );
    let (old, new) = (rig.digest(), rig.digest());
    let long_ago = NOW - Duration::from_secs(3600);
    let lately = NOW - Duration::from_secs(60);
    let device = |home: &Home, name: &str| rig.device(home, name, State::Active);
    let ready = device(&own, "ready");
    let last_of_many = device(&own, "last-of-many");
    let only_old = device(&own, "only-old");
    let asleep = device(&own, "asleep");
    let silent = device(&own, "silent");
    let away = rig.device(&own, "away", State::Suspended);
    let foreign = device(&stranger, "foreign");
    let mut many: Vec<_> = (0..15).map(|_| rig.digest()).collect();
    many.push(new);
    let reports = [
        report(&ready, &[old, new], NOW),
        report(&last_of_many, &many, NOW),
        report(&only_old, &[old], NOW),
        report(&asleep, &[old], long_ago),
        report(&away, &[old], NOW),
        report(&foreign, &[old], NOW),
    ];
    // It has never reported, and renews all the same.
    let credential = rig.credential(&silent);
    let devices = [
        ready,
        last_of_many,
        only_old.clone(),
        asleep,
        silent.clone(),
        away,
        foreign,
    ];
    let tenant = own.tenant.id;
    write(&store, move |tx| {
        for device in &devices {
            assert!(tx.insert_device(device)?);
        }
        assert!(tx.insert_credential(&credential, None)?);
        reports
            .iter()
            .try_for_each(|report| tx.save_device_report(report))
    })
    .await;
    read(&store, move |tx| {
        let expected = Readiness {
            group: own.group.id,
            active: 5,
            seen: 4,
            ready: 2,
            silent: 1,
        };
        assert_eq!(tx.readiness(tenant, &new, lately)?, [expected]);
        for group in [None, Some(own.group.id)] {
            let mut unready: Vec<_> = tx
                .unready(tenant, group, &new, (lately, 9))?
                .into_iter()
                .map(|one| (one.device, one.seen_at))
                .collect();
            let mut expected = vec![(only_old.id, Some(NOW)), (silent.id, None)];
            unready.sort_unstable();
            expected.sort_unstable();
            assert_eq!(unready, expected);
        }
        let elsewhere = Some(stranger.group.id);
        assert_eq!(tx.unready(tenant, elsewhere, &new, (lately, 9))?, []);
        assert_eq!(tx.unready(tenant, None, &new, (lately, 1))?.len(), 1);
        Ok(())
    })
    .await;
}
