//! Secrets with bounds and without, used by many at once.

use std::sync::Arc;

use enlist_core::{SecretBounds, SecretRecord, State, Timestamp};
use enlist_store::Store;

use crate::races::yes;
use crate::rig::{NOW, Rig, read, write};

pub fn at_most(devices: u64) -> SecretBounds {
    SecretBounds {
        max_devices: Some(devices),
        ..SecretBounds::default()
    }
}

fn until(end: Timestamp) -> SecretBounds {
    SecretBounds {
        expires_at: Some(end),
        ..SecretBounds::default()
    }
}

pub async fn add_secret(store: &Store, secret: &SecretRecord) {
    let record = secret.clone();
    write(store, move |tx| tx.insert_secret(&record)).await;
}

pub async fn used(store: &Store, secret: &SecretRecord) -> u64 {
    let (tenant, group, id) = (secret.tenant, secret.group, secret.id);
    let secrets = read(store, move |tx| tx.secrets(tenant, group)).await;
    secrets.iter().find(|s| s.id == id).unwrap().used
}

pub async fn a_bounded_secret_admits_exactly_its_bound(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let secret = rig.secret(&home, Some(37));
    add_secret(&store, &secret).await;
    let (tenant, id) = (home.tenant.id, secret.id);
    let admitted = yes(&store, 100, |n| {
        let device = rig.device(&home, &format!("light-{n}"), State::Active);
        let bounds = at_most(37);
        Box::new(move |tx| {
            let counted = tx.count_secret_use(tenant, id, &bounds, NOW)?;
            Ok(counted && tx.insert_device(&device)?)
        })
    })
    .await;
    assert_eq!(admitted, 37);
    assert_eq!(used(&store, &secret).await, 37);
    let (tenant, group) = (home.tenant.id, home.group.id);
    let count = read(&store, move |tx| tx.count_devices(tenant, group, 1000)).await;
    assert_eq!(count, 37);
}

pub async fn whoever_was_let_in_is_counted_once_and_for_all(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    for (line, most) in [(1, None), (2, Some(5))] {
        let secret = rig.secret(&home, most);
        add_secret(&store, &secret).await;
        let mut devices = Vec::new();
        for n in 0..3 {
            let device = rig.device(&home, &format!("light-{line}-{n}"), State::Active);
            devices.push(device.id);
            let (credential, secret) = (rig.credential(&device), secret.clone());
            write(&store, move |tx| {
                assert!(tx.count_secret_use(tenant, secret.id, &secret.bounds, NOW)?);
                assert!(tx.insert_device(&device)?);
                tx.insert_credential(&credential, Some(secret.id))
            })
            .await;
        }
        // Several at once, and one of them twice: it was let in once.
        let again = [devices[0], devices[0], devices[1]];
        let gone = yes(&store, 3, |n| {
            let device = again[n];
            Box::new(move |tx| tx.delete_credential(tenant, device))
        })
        .await;
        assert_eq!(gone, 2);
        assert_eq!(used(&store, &secret).await, 3, "{most:?}");
    }
}

pub async fn an_unbounded_secret_is_checked_and_its_devices_are_counted(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let mut secret = rig.secret(&home, None);
    let end = Timestamp::from_millis(NOW.as_millis() + 1);
    secret.bounds.expires_at = Some(end);
    add_secret(&store, &secret).await;
    let (tenant, id) = (home.tenant.id, secret.id);
    let admitted = yes(&store, 20, |n| {
        let device = rig.device(&home, &format!("light-{n}"), State::Active);
        let credential = rig.credential(&device);
        let bounds = until(end);
        Box::new(move |tx| {
            Ok(tx.count_secret_use(tenant, id, &bounds, NOW)?
                && tx.insert_device(&device)?
                && tx.insert_credential(&credential, Some(id))?)
        })
    })
    .await;
    assert_eq!(admitted, 20);
    assert_eq!(used(&store, &secret).await, 20);
    let (other, expired) = (rig.secret(&home, None), rig.secret(&home, Some(5)));
    add_secret(&store, &other).await;
    add_secret(&store, &expired).await;
    let (gone, late) = (other.id, expired.id);
    let said = write(&store, move |tx| {
        Ok([
            tx.withdraw_secret(tenant, gone)?,
            tx.count_secret_use(tenant, gone, &SecretBounds::default(), NOW)?,
            tx.expire_secret(tenant, late, end)?,
            tx.count_secret_use(tenant, late, &at_most(5), NOW)?,
            tx.count_secret_use(tenant, late, &at_most(5), end)?,
        ])
    })
    .await;
    assert_eq!(said, [true, false, true, true, false]);
}
