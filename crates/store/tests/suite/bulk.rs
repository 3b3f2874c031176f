//! Devices by the thousand.

use enlist_core::{Device, DeviceId, GroupId, State};
use enlist_store::{DeviceFilter, StoreError};

use crate::rig::{Rig, read, write};

pub async fn bulk_says_of_each_row_whether_it_is_new(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let taken = [3, 255, 256, 600, 699];
    for n in taken {
        let device = rig.device(&home, &format!("light-{n}"), State::Active);
        assert!(write(&store, move |tx| tx.insert_device(&device)).await);
    }
    let mut rows: Vec<_> = (0..700)
        .map(|n| rig.new_device(&home, &format!("light-{n}")))
        .collect();
    rows[10].labels = [("region".to_owned(), "north".to_owned())].into();
    rows[11].hardware = Some("serial:A-11".parse().unwrap());
    // Twice in one call: the first gets the name.
    rows.push(rig.new_device(&home, "light-20"));
    let (tenant, group) = (home.tenant.id, home.group.id);
    let devices = rows.clone();
    let added = write(&store, move |tx| tx.insert_devices(tenant, group, &devices)).await;
    let expected: Vec<_> = (0..701).map(|n| n != 700 && !taken.contains(&n)).collect();
    assert_eq!(added, expected);

    let all = read(&store, move |tx| {
        tx.devices_page(
            tenant,
            &DeviceFilter {
                group: Some(group),
                limit: 1000,
                ..DeviceFilter::default()
            },
        )
    })
    .await;
    assert_eq!(all.len(), 700);
    for n in [10, 11, 699 - 1] {
        let row = Device::restore(rows[n].clone(), State::Created, false, rows[n].at);
        assert!(all.contains(&row), "row {n} reads back whole");
    }
    // The same again, as after an interruption: all are there.
    let devices: Vec<_> = rows
        .iter()
        .map(|row| enlist_core::NewDevice {
            id: new_id(rig),
            ..row.clone()
        })
        .collect();
    let added = write(&store, move |tx| tx.insert_devices(tenant, group, &devices)).await;
    assert_eq!(added, [false; 701]);
}

fn new_id(rig: &Rig) -> DeviceId {
    DeviceId::from_bytes(*rig.ca_id().as_bytes())
}

pub async fn bulk_into_a_missing_group_adds_nothing(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let rows: Vec<_> = (0..20)
        .map(|n| rig.new_device(&home, &format!("light-{n}")))
        .collect();
    let tenant = home.tenant.id;
    let nowhere = GroupId::from_bytes(*rig.ca_id().as_bytes());
    let result: Result<_, StoreError> = store
        .write("bulk", move |tx| tx.insert_devices(tenant, nowhere, &rows))
        .await;
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    let all = read(&store, move |tx| {
        tx.devices_page(
            tenant,
            &DeviceFilter {
                limit: 10,
                ..DeviceFilter::default()
            },
        )
    })
    .await;
    assert_eq!(all, []);
}
