//! Many who want the same at once. Each story runs on several writers where the engine has them.

use std::sync::Arc;

use enlist_core::{
    Actor, Device, Event, InvalidTransition, RenewalRequest, RequestId, Seal, Standing, State,
    StateKind, Tombstone, TombstoneOf,
};
use enlist_store::{Store, StoreError, Tx};
use tokio::task::JoinSet;

use crate::pages::second_group;
use crate::rig::{Home, NOW, Rig, name, read, record, write};
use crate::secrets::{add_secret, at_most, used};

/// Runs `count` jobs at once; how many said yes.
pub async fn yes(
    store: &Arc<Store>,
    count: usize,
    mut job: impl FnMut(usize) -> Box<dyn FnMut(&mut Tx<'_>) -> Result<bool, StoreError> + Send>,
) -> usize {
    let mut running = JoinSet::new();
    for n in 0..count {
        let (store, job) = (Arc::clone(store), job(n));
        running.spawn(async move { store.write("race", job).await.unwrap() });
    }
    running
        .join_all()
        .await
        .into_iter()
        .filter(|yes| *yes)
        .count()
}

pub async fn of_many_devices_with_one_name_one_gets_in(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let admitted = yes(&store, 50, |_| {
        let device = rig.device(&home, "light-1", State::Active);
        Box::new(move |tx| tx.insert_device(&device))
    });
    assert_eq!(admitted.await, 1);
}

pub async fn of_many_devices_with_one_key_one_gets_in(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let key = rig.digest();
    let admitted = yes(&store, 50, |n| {
        let device = rig.device(&home, &format!("light-{n}"), State::Active);
        let mut credential = rig.credential(&device);
        credential.enrolled_key = key;
        Box::new(move |tx| tx.insert_credential(&credential, None))
    });
    assert_eq!(admitted.await, 1);
}

pub async fn of_many_who_seal_the_same_event_at_once_one_does(rig: &Rig) {
    let store = Arc::new(rig.open());
    for round in 0..30 {
        let home = rig.home(&store, &format!("acme-{round}")).await;
        let (tenant, subject) = (home.tenant.id, home.group.subject());
        let event = Event::new("tried", subject, Actor::Server, NOW);
        let id = write(&store, move |tx| tx.append(&event)).await;
        let hash = rig.digest();
        let sealed = yes(&store, 8, |_| {
            Box::new(move |tx| tx.insert_seals(tenant, &[(Seal { seq: 1, hash }, id)]))
        });
        assert_eq!(sealed.await, 1);
    }
}

pub async fn a_name_goes_to_one_of_many_devices_that_move(rig: &Rig) {
    let store = Arc::new(rig.open());
    for round in 0..15 {
        let home = rig.home(&store, &format!("acme-{round}")).await;
        let target = second_group(rig, &store, &home).await.group.id;
        let mut running = JoinSet::new();
        for n in 0..8 {
            let device = rig.device(&home, &format!("light-{n}"), State::Created);
            let created = device.clone();
            assert!(write(&store, move |tx| tx.insert_device(&created)).await);
            let store = Arc::clone(&store);
            running.spawn(async move {
                let wanted = name("wanted");
                store
                    .write("move", move |tx| {
                        tx.move_device(device.tenant, device.id, target, &wanted)
                    })
                    .await
            });
        }
        let mut moved = 0;
        for result in running.join_all().await {
            match result {
                Ok(true) => moved += 1,
                // Who comes too late is told so.
                Ok(false) | Err(StoreError::Conflict(_)) => {}
                Err(error) => panic!("round {round}: {error:?}"),
            }
        }
        assert_eq!(moved, 1, "round {round}");
    }
}

async fn active_device(rig: &Rig, store: &Store, home: &Home) -> Device {
    let device = rig.device(home, "light-1", State::Active);
    let record = device.clone();
    assert!(write(store, move |tx| tx.insert_device(&record)).await);
    device
}

#[derive(Debug)]
enum Refusal {
    Transition(#[allow(dead_code, reason = "it is printed")] InvalidTransition),
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What an operator's suspension does.
fn suspend(tx: &mut Tx<'_>, device: &Device) -> Result<(), Refusal> {
    let loaded = tx.device(device.tenant, device.id)?.unwrap();
    let from = loaded.state().kind();
    let (suspended, event) = loaded
        .suspend(Actor::Server, NOW)
        .map_err(Refusal::Transition)?;
    tx.set_standing_of_device(device.tenant, device.id, Standing::Held(NOW), NOW)?;
    tx.append(&event)?;
    assert!(tx.save_device(&suspended, from)?, "what was loaded is held");
    Ok(())
}

pub async fn of_many_who_suspend_a_device_one_does(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let device = active_device(rig, &store, &home).await;
    let suspended = yes(&store, 40, |_| {
        let device = device.clone();
        Box::new(move |tx| match suspend(tx, &device) {
            Ok(()) => Ok(true),
            Err(Refusal::Transition(_)) => Ok(false),
            Err(Refusal::Store(error)) => Err(error),
        })
    });
    assert_eq!(suspended.await, 1);
    let tenant = home.tenant.id;
    let events = read(&store, move |tx| {
        let filter = enlist_store::EventFilter {
            limit: 100,
            ..Default::default()
        };
        tx.events_page(tenant, &filter)
    });
    assert_eq!(events.await.len(), 1);
}

pub async fn what_was_saved_meanwhile_is_not_saved_over(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let device = active_device(rig, &store, &home).await;
    let credential = rig.credential(&device);
    let record = credential.clone();
    assert!(write(&store, move |tx| tx.insert_credential(&record, None)).await);

    let (suspended, _) = device.suspend(Actor::Server, NOW).unwrap();
    let saved = write(&store, move |tx| {
        Ok([
            tx.save_device(&suspended, StateKind::Active)?,
            tx.save_device(&suspended, StateKind::Active)?,
        ])
    });
    assert_eq!(saved.await, [true, false]);

    let old = credential.current.serial;
    let renewed = yes(&store, 20, |n| {
        let request = RenewalRequest {
            id: RequestId::from_bytes([u8::try_from(n).unwrap(); 16]),
            key: rig.digest(),
        };
        let (renewed, _) = credential.clone().renewed(rig.issued(), 1, request);
        Box::new(move |tx| tx.save_credential(&renewed, 0, old))
    });
    assert_eq!(renewed.await, 1);
}

pub async fn no_certificate_of_a_suspended_device_stays_good(rig: &Rig) {
    let store = Arc::new(rig.open());
    for round in 0..15 {
        let home = rig.home(&store, &format!("acme-{round}")).await;
        let device = active_device(rig, &store, &home).await;
        let credential = rig.credential(&device);
        let (first, kept) = (
            rig.certificate(&device, &credential.current),
            credential.clone(),
        );
        write(&store, move |tx| {
            tx.insert_credential(&kept, None)?;
            record(tx, &first)
        })
        .await;
        let mut running = JoinSet::new();
        for n in 0..6_u8 {
            let store = Arc::clone(&store);
            let device = device.clone();
            if n == 2 {
                running.spawn(async move {
                    store
                        .write("suspend", move |tx| suspend(tx, &device))
                        .await
                        .unwrap();
                });
                continue;
            }
            let issued = rig.issued();
            let certificate = rig.certificate(&device, &issued);
            let request = RenewalRequest {
                id: RequestId::from_bytes([n; 16]),
                key: issued.key,
            };
            running.spawn(async move {
                let renew = move |tx: &mut Tx<'_>| {
                    let device = tx.device(device.tenant, device.id)?.unwrap();
                    if *device.state() != State::Active {
                        return Ok::<_, StoreError>(());
                    }
                    let old = tx.credential(device.tenant, device.id)?.unwrap();
                    let (counter, serial) = (old.counter, old.current.serial);
                    let (renewed, _) = old.renewed(issued, counter + 1, request);
                    assert!(tx.save_credential(&renewed, counter, serial)?);
                    record(tx, &certificate)
                };
                store.write("renew", renew).await.unwrap();
            });
        }
        running.join_all().await;
        let (tenant, id) = (home.tenant.id, device.id);
        let certificates = read(&store, move |tx| tx.certificates_of(tenant, id)).await;
        assert!(!certificates.is_empty());
        for certificate in certificates {
            assert_eq!(certificate.standing, Standing::Held(NOW), "round {round}");
        }
    }
}

pub async fn a_tombstoned_key_does_not_slip_in(rig: &Rig) {
    let store = Arc::new(rig.open());
    for round in 0..15 {
        let home = rig.home(&store, &format!("acme-{round}")).await;
        let device = active_device(rig, &store, &home).await;
        let credential = rig.credential(&device);
        let kept = credential.clone();
        write(&store, move |tx| tx.insert_credential(&kept, None)).await;
        let key = credential.enrolled_key;
        let admitted = yes(&store, 8, |n| {
            if n == 3 {
                let device = device.clone();
                let tombstone = Tombstone {
                    tenant: device.tenant,
                    of: TombstoneOf::Key(key),
                    device: device.id,
                    at: NOW,
                };
                return Box::new(move |tx| {
                    tx.insert_tombstone(&tombstone)?;
                    tx.delete_credential(device.tenant, device.id)?;
                    tx.delete_device(device.tenant, device.id)?;
                    Ok(false)
                });
            }
            let again = rig.device(&home, &format!("again-{n}"), State::Active);
            let mut credential = rig.credential(&again);
            credential.enrolled_key = key;
            Box::new(move |tx| {
                // First insert, then look.
                if !tx.insert_credential(&credential, None)? {
                    return Ok(false);
                }
                if tx
                    .tombstoned(again.tenant, &[&TombstoneOf::Key(key)])?
                    .is_some()
                {
                    tx.delete_credential(again.tenant, again.id)?;
                    return Ok(false);
                }
                Ok(true)
            })
        });
        assert_eq!(admitted.await, 0, "round {round}");
    }
}

pub async fn a_group_with_devices_is_never_deleted(rig: &Rig) {
    let store = Arc::new(rig.open());
    for round in 0..15 {
        let home = rig.home(&store, &format!("acme-{round}")).await;
        let (tenant, group) = (home.tenant.id, home.group.id);
        let mut running = JoinSet::new();
        for n in 0..6 {
            let store = Arc::clone(&store);
            let device = rig.device(&home, &format!("light-{n}"), State::Created);
            running.spawn(async move {
                let result: Result<bool, StoreError> = if n == 2 {
                    store
                        .write("delete_group", move |tx| {
                            if tx.count_devices(tenant, group, 1)? > 0 {
                                return Ok(false);
                            }
                            tx.delete_group(tenant, group)
                        })
                        .await
                } else {
                    store
                        .write("add", move |tx| tx.insert_device(&device))
                        .await
                };
                // Who comes too late is told so.
                assert!(
                    matches!(result, Ok(_) | Err(StoreError::Conflict(_))),
                    "{result:?}"
                );
            });
        }
        running.join_all().await;
        let (there, devices) = read(&store, move |tx| {
            Ok((
                tx.group(tenant, group)?.is_some(),
                tx.count_devices(tenant, group, 10)?,
            ))
        })
        .await;
        assert!(there || devices == 0, "round {round}: {devices} orphans");
    }
}

pub async fn two_secrets_wanted_crosswise_let_everybody_through(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = rig.home(&store, "acme").await;
    let secrets = [rig.secret(&home, Some(1000)), rig.secret(&home, Some(1000))];
    for secret in &secrets {
        add_secret(&store, secret).await;
    }
    let ids = [secrets[0].id, secrets[1].id];
    let tenant = home.tenant.id;
    // Half of them in the one order and half in the other: batches that deadlock.
    let admitted = yes(&store, 200, |n| {
        let (first, second) = (ids[n % 2], ids[(n + 1) % 2]);
        Box::new(move |tx| {
            Ok(tx.count_secret_use(tenant, first, &at_most(1000), NOW)?
                && tx.count_secret_use(tenant, second, &at_most(1000), NOW)?)
        })
    });
    assert_eq!(admitted.await, 200);
    for secret in &secrets {
        assert_eq!(used(&store, secret).await, 200);
    }
}
