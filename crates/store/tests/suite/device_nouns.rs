//! What is recorded of devices reads back as it was.

use enlist_core::{
    Actor, ApiTokenId, Application, ApprovalCode, Device, Event, RenewalRequest, RequestId,
    RevocationReason, Standing, State, StateKind, Timestamp, Tombstone, TombstoneOf,
};
use enlist_store::EventFilter;

use crate::rig::{NOW, Rig, name, read, record, write};

pub async fn devices_read_back_in_every_state(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let states = [
        State::Created,
        State::Pending {
            code: ApprovalCode::generate(&*rig.rng),
            until: NOW,
        },
        State::Active,
        State::Suspended,
        State::Decommissioning,
        State::Decommissioned,
    ];
    let hardware: enlist_core::HardwareIdentity = "mac:00:1a:2b:3c:4d:5e".parse().unwrap();
    for (n, state) in states.into_iter().enumerate() {
        let mut new = rig.new_device(&home, &format!("light-{n}"));
        new.labels = [("größe".to_owned(), "\"klein\"\n".to_owned())].into();
        new.hardware = Some(hardware.clone());
        let device = Device::restore(new, state, n % 2 == 0, Timestamp::from_millis(7));
        write(&store, move |tx| {
            assert!(tx.insert_device(&device)?);
            assert!(!tx.insert_device(&Device::restore(
                enlist_core::NewDevice {
                    id: enlist_core::DeviceId::from_bytes([9; 16]),
                    tenant: device.tenant,
                    group: device.group,
                    name: device.name.clone(),
                    labels: device.labels.clone(),
                    hardware: None,
                    attested: None,
                    at: NOW,
                },
                State::Created,
                false,
                NOW
            ))?);
            assert_eq!(tx.device(tenant, device.id)?, Some(device.clone()));
            assert_eq!(
                tx.device_by_name(tenant, device.group, &device.name)?,
                Some(device.clone())
            );
            Ok(())
        })
        .await;
    }
    let group = home.group.id;
    let found = read(&store, move |tx| {
        tx.devices_by_hardware(tenant, group, &hardware)
    })
    .await;
    assert_eq!(found.len(), 6);
    let pending = found[1].clone();
    write(&store, move |tx| {
        // Every column that can change does.
        let at = Timestamp::from_millis(NOW.as_millis() + 5);
        let (mut active, _) = pending.clone().approve(Actor::Server, at).unwrap();
        active.labels.clear();
        active.hardware = None;
        assert!(tx.save_device(&active, StateKind::Pending)?);
        assert_eq!(tx.device(tenant, active.id)?, Some(active.clone()));
        assert!(tx.delete_device(tenant, active.id)?);
        assert!(!tx.delete_device(tenant, active.id)?);
        assert_eq!(tx.device(tenant, active.id)?, None);
        Ok(())
    })
    .await;
}

pub async fn an_application_reads_back(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Created);
    let application = Application {
        device: device.id,
        tenant: home.tenant.id,
        key: rig.digest(),
        token: Some(rig.digest()),
        server_key: false,
        csr: vec![0x30, 0x82, 0],
        secret: Some(rig.secret(&home, None).id),
        ttl: Some(u32::MAX),
        source: Some([192, 0, 2, 7].into()),
        unproven: None,
    };
    let (tenant, group) = (home.tenant.id, home.group.id);
    write(&store, move |tx| {
        assert!(tx.insert_application(&application)?);
        assert_eq!(
            tx.application(tenant, device.id)?,
            Some(application.clone())
        );
        assert_eq!(
            tx.application_by_key(tenant, &application.key)?,
            Some(application.clone())
        );
        let mut other = application.clone();
        other.device = enlist_core::DeviceId::from_bytes([9; 16]);
        assert!(!tx.insert_application(&other)?, "the key waits already");
        assert!(tx.delete_application(tenant, device.id)?);
        assert!(!tx.delete_application(tenant, device.id)?);
        other.secret = None;
        other.token = None;
        other.server_key = true;
        other.ttl = None;
        other.unproven = Some(group);
        assert_eq!(tx.count_unproven(tenant, group, 9)?, 0);
        assert!(tx.insert_application(&other)?);
        assert_eq!(tx.application(tenant, other.device)?, Some(other.clone()));
        for n in 10..13 {
            other.device = enlist_core::DeviceId::from_bytes([n; 16]);
            other.key = enlist_core::Digest::of(&[n]);
            assert!(tx.insert_application(&other)?);
        }
        assert_eq!(tx.count_unproven(tenant, group, 9)?, 4);
        assert_eq!(tx.count_unproven(tenant, group, 3)?, 3);
        Ok(())
    })
    .await;
}

pub async fn a_credential_reads_back(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let mut credential = rig.credential(&device);
    credential.pre_enrolled = true;
    // All 64 bits of a counter count.
    credential.counter = u64::MAX - 1;
    let request = RenewalRequest {
        id: RequestId::from_bytes([7; 16]),
        key: rig.digest(),
    };
    let (renewed, _) = credential.clone().renewed(rig.issued(), u64::MAX, request);
    let mut double = rig.credential(&rig.device(&home, "light-2", State::Active));
    double.enrolled_key = credential.enrolled_key;
    let tenant = home.tenant.id;
    write(&store, move |tx| {
        assert!(tx.insert_credential(&credential, None)?);
        assert!(!tx.insert_credential(&double, None)?, "the key is enrolled");
        assert_eq!(tx.credential(tenant, device.id)?, Some(credential.clone()));
        assert_eq!(
            tx.credential_by_key(tenant, &credential.enrolled_key)?,
            Some(credential.clone())
        );
        let serial = credential.current.serial;
        assert!(!tx.save_credential(&renewed, 3, serial)?);
        assert!(!tx.save_credential(&renewed, u64::MAX - 1, double.current.serial)?);
        assert!(tx.save_credential(&renewed, u64::MAX - 1, serial)?);
        assert_eq!(tx.credential(tenant, device.id)?, Some(renewed.clone()));
        assert!(tx.delete_credential(tenant, device.id)?);
        assert!(!tx.delete_credential(tenant, device.id)?);
        assert!(tx.insert_credential(&renewed, None)?);
        assert_eq!(tx.credential(tenant, device.id)?, Some(renewed.clone()));
        Ok(())
    })
    .await;
}

pub async fn certificates_read_back_in_every_standing(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let tenant = home.tenant.id;
    let mut standings = vec![Standing::Good, Standing::Held(NOW)];
    standings.extend(RevocationReason::ALL.map(|reason| Standing::Revoked { at: NOW, reason }));
    let first = rig.certificate(&device, &rig.issued());
    let kept = first.clone();
    write(&store, move |tx| record(tx, &kept)).await;
    for standing in standings {
        let mut certificate = rig.certificate(&device, &rig.issued());
        certificate.standing = standing;
        let serial = first.serial;
        write(&store, move |tx| {
            record(tx, &certificate)?;
            assert_eq!(
                tx.certificate(certificate.serial)?,
                Some(certificate.clone())
            );
            assert!(tx.set_standing(tenant, serial, standing, NOW)?);
            assert_eq!(tx.certificate(serial)?.unwrap().standing, standing);
            Ok(())
        })
        .await;
    }
    let unknown = rig.issued().serial;
    let changed = write(&store, move |tx| {
        assert_eq!(tx.certificate(unknown)?, None);
        tx.set_standing(tenant, unknown, Standing::Good, NOW)
    });
    assert!(!changed.await);
}

pub async fn certificates_of_a_device_change_standing_together(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let other = rig.device(&home, "light-2", State::Active);
    let (tenant, id) = (home.tenant.id, device.id);
    let superseded = Standing::Revoked {
        at: NOW,
        reason: RevocationReason::Superseded,
    };
    let revoked = Standing::Revoked {
        at: NOW,
        reason: RevocationReason::KeyCompromise,
    };
    // In the order of their validity: expired, superseded, two that stand.
    let mut certificates: Vec<_> = (0..4)
        .map(|n| {
            let mut certificate = rig.certificate(&device, &rig.issued());
            certificate.not_before = Timestamp::from_millis(n);
            certificate
        })
        .collect();
    certificates[0].not_after = NOW;
    certificates[1].standing = superseded;
    certificates.push(rig.certificate(&other, &rig.issued()));
    let bystander = certificates[4].serial;
    write(&store, move |tx| {
        certificates
            .iter()
            .try_for_each(|certificate| record(tx, certificate))
    })
    .await;
    let steps = [
        (Standing::Good, 0, Standing::Good),
        (Standing::Held(NOW), 2, Standing::Held(NOW)),
        (Standing::Held(NOW), 0, Standing::Held(NOW)),
        (Standing::Good, 2, Standing::Good),
        (Standing::Held(NOW), 2, Standing::Held(NOW)),
        (revoked, 2, revoked),
        (Standing::Good, 0, revoked),
        (Standing::Held(NOW), 0, revoked),
        (superseded, 0, revoked),
    ];
    for (to, count, then) in steps {
        write(&store, move |tx| {
            assert_eq!(
                tx.set_standing_of_device(tenant, id, to, NOW)?,
                count,
                "{to:?}"
            );
            let now: Vec<_> = tx
                .certificates_of(tenant, id)?
                .into_iter()
                .map(|certificate| certificate.standing)
                .collect();
            assert_eq!(now, [Standing::Good, superseded, then, then]);
            let untouched = tx.certificate(bystander)?.unwrap();
            assert_eq!(untouched.standing, Standing::Good);
            Ok(())
        })
        .await;
    }
}

pub async fn tombstones_read_back(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let device = rig.device(&home, "light-1", State::Created).id;
    let other = rig.device(&home, "light-2", State::Created).id;
    let stone = |of: &TombstoneOf, device| Tombstone {
        tenant,
        of: of.clone(),
        device,
        at: NOW,
    };
    let hardware = TombstoneOf::Hardware("serial:A: 1".parse().unwrap());
    let key = TombstoneOf::Key(rig.digest());
    let its_name = TombstoneOf::Name(home.group.id, name("light-1"));
    let another = TombstoneOf::Key(rig.digest());
    // In the order of their kinds.
    let all = [&hardware, &key, &its_name].map(|of| stone(of, device));
    let also = stone(&hardware, other);
    write(&store, move |tx| {
        for tombstone in &all {
            tx.insert_tombstone(tombstone)?;
            tx.insert_tombstone(tombstone)?;
            assert_eq!(tx.tombstone(tenant, &tombstone.of)?, Some((device, NOW)));
        }
        tx.insert_tombstone(&also)?;
        assert_eq!(tx.tombstones_of(tenant, device)?, all);
        assert_eq!(tx.tombstoned(tenant, &[])?, None);
        assert_eq!(tx.tombstoned(tenant, &[&another])?, None);
        assert_eq!(
            tx.tombstoned(tenant, &[&another, &its_name])?,
            Some(all[2].clone())
        );
        assert_eq!(tx.delete_tombstones_of(tenant, device)?, 3);
        assert_eq!(tx.tombstoned(tenant, &[&key, &its_name])?, None);
        assert_eq!(
            tx.tombstone(tenant, &hardware)?,
            Some((other, NOW)),
            "the other device's stays"
        );
        Ok(())
    })
    .await;
}

pub async fn events_read_back_in_order(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let device = rig.device(&home, "light-1", State::Active);
    let token = ApiTokenId::from_bytes([3; 16]);
    let actors = [
        Actor::Operator(token),
        Actor::Device(device.id),
        Actor::Newcomer,
        Actor::Server,
    ];
    let mut events: Vec<_> = actors
        .into_iter()
        .map(|actor| {
            Event::new("device-created", device.subject(), actor, NOW)
                .with("why", "because \"so\"")
                .with("why", 2)
        })
        .collect();
    // About the tenant alone, and without detail.
    let mut subject = device.subject();
    (subject.group, subject.device) = (None, None);
    let later = Timestamp::from_millis(NOW.as_millis() + 1);
    events.push(Event::new("tenant-created", subject, Actor::Server, later));
    let all = events.clone();
    let ids = write(&store, move |tx| {
        let first = tx.append(&all[0])?;
        for event in &all[1..] {
            tx.append(event)?;
        }
        Ok(first)
    });
    let first = ids.await;
    let filter = EventFilter {
        limit: 100,
        ..EventFilter::default()
    };
    let found = read(&store, move |tx| tx.events_page(tenant, &filter)).await;
    assert_eq!(found[0].0, first);
    assert!(found.is_sorted_by_key(|(id, _)| *id));
    let found: Vec<_> = found.into_iter().map(|(_, event)| event.unwrap()).collect();
    assert_eq!(found, events);
}

pub async fn events_of_one_time_keep_the_order_of_their_making(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    // One after the other, each by whichever writer is free.
    for number in 0..60_u32 {
        let event = Event::new("counted", device.subject(), Actor::Server, NOW);
        let event = event.with("number", number);
        write(&store, move |tx| tx.append(&event).map(drop)).await;
    }
    let (tenant, filter) = (
        home.tenant.id,
        EventFilter {
            limit: 100,
            ..EventFilter::default()
        },
    );
    let found = read(&store, move |tx| tx.events_page(tenant, &filter)).await;
    let numbers = found
        .into_iter()
        .map(|(_, event)| event.unwrap().detail[0].1.clone());
    let numbers: Vec<_> = numbers.collect();
    let made: Vec<_> = (0..60).map(|number| number.to_string()).collect();
    assert_eq!(numbers, made);
}
