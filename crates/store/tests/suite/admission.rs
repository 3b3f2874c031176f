//! Who gets in: bounds of secrets, and manifests.

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{
    HardwareIdentity, Manifest, ManifestId, SecretBounds, State, TenantId, Timestamp, micros,
};
use enlist_store::{Store, StoreError, Tx};

use crate::races::yes;
use crate::rig::{Home, NOW, Rig, name, read, write};
use crate::secrets::{add_secret, used};

fn serial(text: &str) -> HardwareIdentity {
    format!("serial:{text}").parse().unwrap()
}

async fn manifest(rig: &Rig, store: &Store, home: &Home, called: &str) -> ManifestId {
    let manifest = Manifest {
        id: ManifestId::new(&*rig.rng, &*rig.rng),
        tenant: home.tenant.id,
        name: name(called),
        entries: 0,
        created_at: NOW,
    };
    let id = manifest.id;
    assert!(write(store, move |tx| tx.insert_manifest(&manifest)).await);
    id
}

async fn add(store: &Store, tenant: TenantId, id: ManifestId, entries: &[&str]) -> Vec<bool> {
    let entries: Vec<_> = entries.iter().map(|text| serial(text)).collect();
    write(store, move |tx| {
        tx.insert_manifest_entries(tenant, id, &entries)
    })
    .await
}

pub async fn all_bounds_of_a_secret_read_back_and_hold(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, batch) = (home.tenant.id, manifest(rig, &store, &home, "batch").await);
    let mut secret = rig.secret(&home, Some(5));
    secret.bounds = SecretBounds {
        expires_at: Some(NOW + Duration::from_secs(9)),
        max_devices: Some(5),
        rate: Some("7/10m".parse().unwrap()),
        networks: vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        manifest: Some(batch),
    };
    add_secret(&store, &secret).await;
    let id = secret.id;
    let found = read(&store, move |tx| tx.secret(tenant, id)).await;
    assert_eq!(found, Some(secret.clone()));

    let counted = write(&store, {
        let bounds = secret.bounds.clone();
        move |tx| tx.count_secret_use(tenant, id, &bounds, NOW)
    });
    assert!(counted.await);
    let found = read(&store, move |tx| tx.secret(tenant, id)).await.unwrap();
    assert_eq!(found.used, 1);
    assert_eq!(found.rate_until_us, micros(NOW) + 600_000_000 / 7);

    // Whoever goes by other networks, or another manifest, than are on record looks again.
    for change in [
        |bounds: &mut SecretBounds| bounds.networks.truncate(1),
        |bounds: &mut SecretBounds| bounds.networks.clear(),
        |bounds: &mut SecretBounds| bounds.manifest = None,
    ] {
        let mut other = secret.bounds.clone();
        change(&mut other);
        let counted = write(&store, move |tx| {
            tx.count_secret_use(tenant, id, &other, NOW)
        });
        assert!(!counted.await);
    }
}

pub async fn a_rate_admits_exactly_as_many_as_it_says(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let mut secret = rig.secret(&home, None);
    secret.bounds.rate = Some("30/10m".parse().unwrap());
    add_secret(&store, &secret).await;
    let (tenant, id) = (home.tenant.id, secret.id);
    let come = async |count: usize, at: Timestamp| {
        yes(&store, count, |_| {
            let bounds = secret.bounds.clone();
            Box::new(move |tx| tx.count_secret_use(tenant, id, &bounds, at))
        })
        .await
    };
    assert_eq!(come(100, NOW).await, 30, "all at once");
    let second = Duration::from_secs(1);
    assert_eq!(
        come(20, NOW + 19 * second).await,
        0,
        "one in twenty seconds"
    );
    assert_eq!(come(20, NOW + 20 * second).await, 1);
    assert_eq!(come(20, NOW + 60 * second).await, 2);
    assert_eq!(
        come(20, NOW).await,
        0,
        "a clock that is behind lets nobody in"
    );
    assert_eq!(come(100, NOW + 2000 * second).await, 30);
    assert_eq!(used(&store, &secret).await, 63, "all that were let in");

    // By a server whose clock is ten years ahead, and then by those whose clocks are right.
    let years = 10 * 366 * 86_400 * second;
    assert_eq!(come(100, NOW + years).await, 30);
    let found = read(&store, move |tx| tx.secret(tenant, id)).await.unwrap();
    assert_eq!(found.admits(NOW + 2000 * second), Ok(()));
    assert_eq!(come(100, NOW + 2000 * second).await, 30, "it begins anew");
}

pub async fn a_rate_and_a_most_hold_together(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let mut secret = rig.secret(&home, Some(12));
    secret.bounds.rate = Some("10/s".parse().unwrap());
    add_secret(&store, &secret).await;
    let (tenant, id) = (home.tenant.id, secret.id);
    for (at, admitted) in [(NOW, 10), (NOW + Duration::from_secs(5), 2)] {
        let came = yes(&store, 50, |_| {
            let bounds = secret.bounds.clone();
            Box::new(move |tx| tx.count_secret_use(tenant, id, &bounds, at))
        });
        assert_eq!(came.await, admitted);
    }
    assert_eq!(used(&store, &secret).await, 12);
}

/// What [`yes`] runs many of.
type Job = Box<dyn FnMut(&mut Tx<'_>) -> Result<bool, StoreError> + Send>;

/// A job that enrolls a device by an entry, as ops does it: the device first.
fn enter(rig: &Rig, home: &Home, batch: ManifestId, called: &str, identity: &'static str) -> Job {
    let (tenant, device) = (home.tenant.id, rig.device(home, called, State::Active));
    Box::new(move |tx| {
        // Ids make the devices of a story, so that what was refused is taken back here.
        if !tx.insert_device(&device)? {
            return Ok(false);
        }
        if tx.use_manifest_entry(tenant, batch, &serial(identity), device.id)? {
            return Ok(true);
        }
        tx.delete_device(tenant, device.id)?;
        Ok(false)
    })
}

pub async fn an_entry_of_a_manifest_admits_one_device(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    let batch = manifest(rig, &store, &home, "batch").await;
    assert_eq!(add(&store, tenant, batch, &["a", "b"]).await, [true, true]);
    let admitted = yes(&store, 60, |n| {
        enter(rig, &home, batch, &format!("light-{n}"), ["a", "b"][n % 2])
    });
    assert_eq!(admitted.await, 2);
    let uses = move |tx: &mut Tx<'_>| tx.count_manifest_uses(tenant, batch, 1000);
    assert_eq!(read(&store, uses).await, 2);
    let one = move |tx: &mut Tx<'_>| tx.count_manifest_uses(tenant, batch, 1);
    assert_eq!(read(&store, one).await, 1);
    let first = move |tx: &mut Tx<'_>| tx.manifest_use(tenant, batch, &serial("a"));
    let device = read(&store, first).await.flatten().unwrap();

    // The same device again is as before; another one is not let in.
    let again = write(&store, move |tx| {
        tx.use_manifest_entry(tenant, batch, &serial("a"), device)
    });
    assert!(again.await);
    assert_eq!(
        yes(&store, 3, |n| enter(
            rig,
            &home,
            batch,
            &format!("other-{n}"),
            "a"
        ))
        .await,
        0
    );

    // Once it is gone its entry is free, for one.
    assert!(write(&store, move |tx| tx.delete_device(tenant, device)).await);
    assert_eq!(read(&store, first).await, Some(None));
    assert_eq!(read(&store, uses).await, 1);
    let next = yes(&store, 40, |n| {
        enter(rig, &home, batch, &format!("next-{n}"), "a")
    });
    assert_eq!(next.await, 1);
    assert_eq!(read(&store, uses).await, 2);
    let count = read(&store, move |tx| tx.count_devices(tenant, group, 1000)).await;
    assert_eq!(count, 2);
}

pub async fn entries_are_counted_once_and_come_in_pages(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let batch = manifest(rig, &store, &home, "batch").await;
    let texts: Vec<String> = (0..700).map(|n| format!("sn-{n:04}")).collect();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(add(&store, tenant, batch, &all[300..]).await, [true; 400]);
    let doubled = [&all[..350], &all[..2]].concat();
    let new = add(&store, tenant, batch, &doubled).await;
    assert_eq!(new.iter().filter(|new| **new).count(), 300);
    assert!(
        new[..300].iter().all(|new| *new),
        "the others are there already"
    );
    let found = read(&store, move |tx| tx.manifest(tenant, batch))
        .await
        .unwrap();
    assert_eq!(found.entries, 700);
    let store = Arc::new(store);
    let light = yes(&store, 1, |_| enter(rig, &home, batch, "light", "sn-0003"));
    assert_eq!(light.await, 1);

    for (unused, expected) in [(false, 700), (true, 699)] {
        let (mut after, mut seen, mut with_device) = (String::new(), Vec::new(), Vec::new());
        loop {
            let from = after.clone();
            let page = read(&store, move |tx| {
                tx.manifest_entries(tenant, batch, unused, &from, 99)
            })
            .await;
            let Some(last) = page.last() else { break };
            after = last.identity.to_string();
            for entry in page {
                with_device.extend(entry.device.map(|(_, name)| name.to_string()));
                seen.push(entry.identity.to_string());
            }
        }
        assert!(seen.is_sorted());
        assert_eq!(seen.len(), expected);
        let devices: &[&str] = if unused { &[] } else { &["light"] };
        assert_eq!(with_device, devices);
    }
}

pub async fn a_deleted_manifest_lets_nobody_in_and_is_cleared_away(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let batch = manifest(rig, &store, &home, "batch").await;
    add(&store, tenant, batch, &["a", "b", "c"]).await;
    let mut secret = rig.secret(&home, None);
    secret.bounds.manifest = Some(batch);
    secret.bounds.expires_at = Some(NOW + Duration::from_secs(1));
    add_secret(&store, &secret).await;
    let id = secret.id;
    let named = write(&store, move |tx| {
        let later = NOW + Duration::from_secs(1);
        let named = [
            tx.manifest_bounds_a_secret(tenant, batch, NOW)?,
            tx.manifest_bounds_a_secret(tenant, batch, later)?,
        ];
        tx.withdraw_secret(tenant, id)?;
        Ok((named, tx.manifest_bounds_a_secret(tenant, batch, NOW)?))
    });
    assert_eq!(named.await, ([true, false], false));

    assert!(!write(&store, |tx| tx.clear_deleted_manifest(2)).await);
    assert!(write(&store, move |tx| tx.delete_manifest(tenant, batch, NOW)).await);
    assert!(!write(&store, move |tx| tx.delete_manifest(tenant, batch, NOW)).await);
    let found = read(&store, move |tx| {
        Ok((
            tx.manifest(tenant, batch)?,
            tx.manifest_by_name(tenant, &name("batch"))?,
            tx.manifests(tenant)?,
        ))
    });
    assert_eq!(found.await, (None, None, vec![]));
    // The name is free at once, and the new one has nothing of the old one.
    let next = manifest(rig, &store, &home, "batch").await;
    let mut steps = 0;
    while write(&store, |tx| tx.clear_deleted_manifest(2)).await {
        steps += 1;
    }
    assert_eq!(steps, 3, "two entries, one, and the manifest itself");
    let left = read(&store, move |tx| {
        Ok([
            tx.manifest_lists(tenant, batch, &serial("a"))?,
            tx.manifest_lists(tenant, next, &serial("a"))?,
        ])
    });
    assert_eq!(left.await, [false, false]);
}

pub async fn manifests_do_not_cross_tenants(rig: &Rig) {
    let store = rig.open();
    let (home, stranger) = (
        rig.home(&store, "acme").await,
        rig.home(&store, "other").await,
    );
    let batch = manifest(rig, &store, &home, "batch").await;
    add(&store, home.tenant.id, batch, &["a"]).await;
    let t = stranger.tenant.id;
    write(&store, move |tx| {
        assert_eq!(tx.manifest(t, batch)?, None);
        assert_eq!(tx.manifest_by_name(t, &name("batch"))?, None);
        assert_eq!(tx.manifests(t)?, []);
        assert!(!tx.manifest_lists(t, batch, &serial("a"))?);
        assert_eq!(tx.manifest_entries(t, batch, false, "", 9)?, []);
        assert!(!tx.delete_manifest(t, batch, NOW)?);
        Ok(())
    })
    .await;
}
