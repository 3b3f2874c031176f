//! Lists that come in pages.

use enlist_core::{Actor, ApprovalCode, Event, Group, GroupId, State, StateKind, Timestamp};
use enlist_store::{CertificateFilter, DeviceFilter, EventFilter};

use crate::rig::{Home, NOW, Rig, name, read, record, write};

/// The same tenant with one more group.
pub async fn second_group(rig: &Rig, store: &enlist_store::Store, home: &Home) -> Home {
    let id = GroupId::from_bytes(*rig.ca_id().as_bytes());
    let group = Group::new(id, home.tenant.id, name("locks"), NOW);
    let recorded = group.clone();
    assert!(write(store, move |tx| tx.insert_group(&recorded)).await);
    Home {
        tenant: home.tenant.clone(),
        group,
    }
}

pub async fn devices_come_in_pages(rig: &Rig) {
    let store = rig.open();
    let lights = rig.home(&store, "acme").await;
    let locks = second_group(rig, &store, &lights).await;
    let mut all = Vec::new();
    for n in 0..30 {
        let home = if n % 3 == 0 { &locks } else { &lights };
        let state = match n % 5 {
            0 => State::Suspended,
            1 => State::Pending {
                code: ApprovalCode::generate(&*rig.rng),
                until: NOW,
            },
            _ => State::Created,
        };
        all.push(rig.device(home, &format!("thing-{n}"), state));
    }
    let rows = all.clone();
    write(&store, move |tx| {
        for row in &rows {
            assert!(tx.insert_device(row)?);
        }
        Ok(())
    })
    .await;
    all.sort_by_key(|device| device.id);
    let tenant = lights.tenant.id;
    for group in [None, Some(lights.group.id), Some(locks.group.id)] {
        for state in [None, Some(StateKind::Pending), Some(StateKind::Suspended)] {
            let mut filter = DeviceFilter {
                group,
                state,
                after: None,
                limit: 4,
            };
            let mut found = Vec::new();
            loop {
                let asked = filter.clone();
                let page = read(&store, move |tx| tx.devices_page(tenant, &asked)).await;
                assert!(page.len() <= 4);
                let Some(last) = page.last() else { break };
                filter.after = Some(last.id);
                found.extend(page);
            }
            let expected: Vec<_> = all
                .iter()
                .filter(|device| group.is_none_or(|group| device.group == group))
                .filter(|device| state.is_none_or(|state| device.state().kind() == state))
                .cloned()
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(found, expected, "{group:?} {state:?}");
        }
    }
}

pub async fn certificates_come_in_pages(rig: &Rig) {
    let store = rig.open();
    let lights = rig.home(&store, "acme").await;
    let locks = second_group(rig, &store, &lights).await;
    let devices = [
        rig.device(&lights, "light-1", State::Active),
        rig.device(&locks, "lock-1", State::Active),
        rig.device(&lights, "light-2", State::Active),
    ];
    let mut all: Vec<_> = (0..15)
        .map(|n| rig.certificate(&devices[n % 3], &rig.issued()))
        .collect();
    let (rows, certificates) = (devices.clone(), all.clone());
    write(&store, move |tx| {
        for row in &rows {
            assert!(tx.insert_device(row)?);
        }
        certificates
            .iter()
            .try_for_each(|certificate| record(tx, certificate))
    })
    .await;
    all.sort_by_key(|certificate| (certificate.device, certificate.serial));
    let tenant = lights.tenant.id;
    for group in [None, Some(lights.group.id), Some(locks.group.id)] {
        for device in [None, Some(devices[0].id)] {
            let mut filter = CertificateFilter {
                group,
                device,
                after: None,
                limit: 2,
            };
            let mut found = Vec::new();
            loop {
                let asked = filter.clone();
                let page = read(&store, move |tx| tx.certificates_page(tenant, &asked)).await;
                let Some(last) = page.last() else { break };
                filter.after = Some(last.serial);
                found.extend(page);
            }
            let in_group = |id| devices.iter().any(|d| d.id == id && Some(d.group) == group);
            let expected: Vec<_> = all
                .iter()
                .filter(|certificate| group.is_none() || in_group(certificate.device))
                .filter(|certificate| device.is_none_or(|device| certificate.device == device))
                .cloned()
                .collect();
            assert_eq!(found, expected, "{group:?} {device:?}");
        }
    }
    let unknown = CertificateFilter {
        after: Some(rig.issued().serial),
        limit: 100,
        ..CertificateFilter::default()
    };
    let none = read(&store, move |tx| tx.certificates_page(tenant, &unknown)).await;
    assert_eq!(none, []);
}

pub async fn events_come_in_pages(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let first = rig.device(&home, "light-1", State::Active);
    let second = rig.device(&home, "light-2", State::Active);
    // It had the name before.
    let gone = rig.device(&home, "light-1", State::Active);
    let row = first.clone();
    write(&store, move |tx| tx.insert_device(&row)).await;
    let mut all = Vec::new();
    for n in 0..20 {
        let device = [&first, &second, &gone][n % 3];
        let mut subject = device.subject();
        if n % 4 == 0 {
            subject.group = None;
        }
        // Written in their order, all at one time.
        let kind = if n == 17 {
            "device-rejected"
        } else {
            "device-seen"
        };
        let event = Event::new(kind, subject, Actor::Server, NOW).with("n", n);
        let told = event.clone();
        write(&store, move |tx| tx.append(&told)).await;
        all.push(event);
    }
    let (group, name) = (home.group.id, first.name.clone());
    let called = read(&store, move |tx| {
        tx.devices_ever_called(tenant, group, &name)
    })
    .await;
    assert_eq!(called, [first.id, gone.id]);
    let name = second.name.clone();
    let unknown = read(&store, move |tx| {
        tx.devices_ever_called(tenant, group, &name)
    })
    .await;
    assert_eq!(unknown, []);
    for devices in [None, Some(called)] {
        for group in [None, Some(home.group.id)] {
            let mut filter = EventFilter {
                group,
                devices: devices.clone(),
                limit: 3,
                ..EventFilter::default()
            };
            let mut found = Vec::new();
            loop {
                let asked = filter.clone();
                let page = read(&store, move |tx| tx.events_page(tenant, &asked)).await;
                let Some((last, _)) = page.last() else { break };
                filter.after = Some(*last);
                found.extend(page.into_iter().map(|(_, event)| event.unwrap()));
            }
            let expected: Vec<_> = all
                .iter()
                .filter(|event| devices.is_none() || event.subject.device != Some(second.id))
                .filter(|event| group.is_none() || event.subject.group == group)
                .cloned()
                .collect();
            assert_eq!(found, expected);
        }
    }
}

pub async fn lapsed_devices_are_found(rig: &Rig) {
    let store = rig.open();
    let mut expected = Vec::new();
    for n in 0..6 {
        // Each in a tenant of its own.
        let home = rig.home(&store, &format!("acme-{n}")).await;
        let until = Timestamp::from_millis(NOW.as_millis() + 10 - n);
        let pending = State::Pending {
            code: ApprovalCode::generate(&*rig.rng),
            until,
        };
        let rows = [
            rig.device(&home, "waits", pending),
            rig.device(&home, "does-not", State::Created),
        ];
        if until.as_millis() <= NOW.as_millis() + 8 {
            expected.insert(0, (home.tenant.id, rows[0].id));
        }
        write(&store, move |tx| {
            for row in &rows {
                assert!(tx.insert_device(row)?);
            }
            Ok(())
        })
        .await;
    }
    let now = Timestamp::from_millis(NOW.as_millis() + 8);
    let found = read(&store, move |tx| tx.lapsed_devices(now, 100)).await;
    assert_eq!(found, expected);
    let found = read(&store, move |tx| tx.lapsed_devices(now, 2)).await;
    assert_eq!(found, expected[..2]);
}
