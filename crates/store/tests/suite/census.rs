//! What is counted in slices is what there is.

use std::time::Duration;

use enlist_core::{Actor, DeviceId, Digest, Event, Seal, SecretId, State, StateKind};

use crate::rig::{NOW, Rig, read, write};
use crate::secrets::add_secret;

const DAY: Duration = Duration::from_secs(86_400);

pub async fn slices_hold_every_device_once_whatever_their_size(rig: &Rig) {
    let store = rig.open();
    let (acme, other) = (
        rig.home(&store, "acme").await,
        rig.home(&store, "other").await,
    );
    let late = acme.group.profile.lifetime / 7;
    let ends = [
        (State::Active, Some(NOW)),
        (State::Active, Some(NOW + late)),
        (State::Active, Some(NOW + DAY * 3)),
        (State::Suspended, Some(NOW + DAY * 40)),
        (State::Created, None),
    ];
    let mut at = 0;
    for home in [&acme, &acme, &other] {
        for (state, end) in ends.clone() {
            at += 1;
            let device = rig.device(home, &format!("light-{at}"), state);
            let mut credential = rig.credential(&device);
            let end = end.inspect(|end| credential.current.not_after = *end);
            write(&store, move |tx| {
                assert!(tx.insert_device(&device)?);
                if end.is_some() {
                    assert!(tx.insert_credential(&credential, None)?);
                }
                Ok(())
            })
            .await;
        }
    }
    let bounds = [NOW, NOW + DAY, NOW + DAY * 7, NOW + DAY * 30];
    for size in [1, 2, 4, 15, 16] {
        let (mut from, mut all, mut slices) = (DeviceId::from_bytes([0; 16]), Vec::new(), 0);
        loop {
            let slice = read(&store, move |tx| {
                let end = tx.slice_of_devices(from, size)?;
                let until = end.unwrap_or(DeviceId::from_bytes([0xff; 16]));
                Ok((tx.count_devices_alike((from, until), bounds)?, end))
            })
            .await;
            all.extend(slice.0);
            slices += 1;
            let Some(end) = slice.1 else { break };
            from = end;
        }
        assert_eq!(slices, 15 / size + 1, "{size}");
        let sum = |tenant, state, ends| {
            let alike = all.iter().filter(|one| {
                one.tenant == tenant && one.state == state && one.ends_before == ends
            });
            alike.fold((0, 0), |(devices, late), one| {
                (devices + one.devices, late + one.late)
            })
        };
        let (acme, other) = (acme.tenant.id, other.tenant.id);
        assert_eq!(sum(acme, StateKind::Active, Some(0)), (2, 2), "{size}");
        assert_eq!(sum(acme, StateKind::Active, Some(1)), (2, 2), "{size}");
        assert_eq!(sum(acme, StateKind::Active, Some(2)), (2, 0), "{size}");
        assert_eq!(sum(acme, StateKind::Suspended, Some(4)), (2, 0), "{size}");
        assert_eq!(sum(acme, StateKind::Created, None), (2, 0), "{size}");
        assert_eq!(sum(other, StateKind::Active, Some(0)), (1, 1), "{size}");
        assert_eq!(all.iter().map(|one| one.devices).sum::<u64>(), 15, "{size}");
    }
}

pub async fn secrets_to_look_after_are_counted_by_what_wears_them(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    for (most, used, end, withdrawn) in [
        (Some(10), 9, None, false),
        (Some(10), 8, None, false),
        (Some(10), 10, None, false),
        (None, 0, Some(NOW + DAY), false),
        (None, 0, Some(NOW + DAY * 8), false),
        (Some(10), 10, Some(NOW), false),
        (Some(10), 9, Some(NOW + DAY), true),
        (Some(1), 0, None, false),
    ] {
        let mut secret = rig.secret(&home, most);
        secret.bounds.expires_at = end;
        (secret.used, secret.withdrawn) = (used, withdrawn);
        add_secret(&store, &secret).await;
    }
    let tenant = home.tenant.id;
    for size in [1, 3, 100] {
        let (mut from, mut sum) = (SecretId::from_bytes([0; 16]), [0; 3]);
        loop {
            let (worn, end) = read(&store, move |tx| {
                let end = tx.slice_of_secrets(tenant, from, size)?;
                let until = end.unwrap_or(SecretId::from_bytes([0xff; 16]));
                let when = (NOW, NOW + DAY * 7);
                Ok((tx.count_secrets_worn(tenant, (from, until), when)?, end))
            })
            .await;
            sum[0] += worn.nearly_used_up;
            sum[1] += worn.used_up;
            sum[2] += worn.ending;
            let Some(end) = end else { break };
            from = end;
        }
        assert_eq!(sum, [1, 1, 1], "{size}");
    }
}

pub async fn the_first_event_without_a_place_is_found(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    assert_eq!(unsealed(&store).await, []);
    let subject = home.group.subject();
    let (first, second) = write(&store, move |tx| {
        let event = |at| Event::new("tried", subject.clone(), Actor::Server, at);
        let first = tx.append(&event(NOW))?;
        Ok((first, tx.append(&event(NOW + DAY))?))
    })
    .await;
    assert_eq!(unsealed(&store).await, [first]);
    let tenant = home.tenant.id;
    let hash = Digest::of(b"anything");
    let seal = Seal { seq: 1, hash };
    write(&store, move |tx| tx.insert_seals(tenant, &[(seal, first)])).await;
    assert_eq!(unsealed(&store).await, [second]);
}

async fn unsealed(store: &enlist_store::Store) -> Vec<enlist_core::EventId> {
    read(store, |tx| {
        let found = tx.first_unsealed()?;
        Ok(found)
    })
    .await
}
