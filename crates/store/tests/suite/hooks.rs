//! Whom groups ask, and where devices came from.

use std::time::Duration;

use enlist_core::{Hook, Landing, Timestamp};
use enlist_store::StoreError;

use crate::rig::{Home, NOW, Rig, name, read, write};

fn hook(home: &Home) -> Hook {
    Hook {
        tenant: home.tenant.id,
        group: home.group.id,
        url: "https://erp.test/admit".to_owned(),
        anchors: None,
        sealed_secret: vec![1, 2],
        secret_before: None,
        timeout: Duration::from_millis(250),
        created_at: NOW,
    }
}

pub async fn a_hook_is_of_one_group_and_tells_since_when(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "own").await;
    let stranger = rig.home(&store, "stranger").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    let first = hook(&home);
    let (put, theirs) = (first.clone(), hook(&stranger));
    write(&store, move |tx| {
        assert!(tx.insert_hook(&put)?);
        assert!(!tx.insert_hook(&put)?, "there is one");
        assert!(tx.insert_hook(&theirs)?);
        Ok(())
    })
    .await;
    let until = Timestamp::from_secs(9);
    let found = write(&store, move |tx| {
        assert_eq!(
            tx.group(tenant, group)?.and_then(|group| group.hook),
            Some(NOW)
        );
        tx.replace_hook_secret(tenant, group, &[3], until)?;
        tx.hook(tenant, group)
    })
    .await
    .unwrap();
    let replaced = Hook {
        sealed_secret: vec![3],
        secret_before: Some((vec![1, 2], until)),
        ..first
    };
    assert_eq!(found, replaced);
    let left = write(&store, move |tx| {
        assert_eq!(tx.hooks(tenant)?, std::slice::from_ref(&replaced));
        assert!(tx.delete_hook(tenant, group)?);
        assert!(!tx.delete_hook(tenant, group)?, "it is gone");
        assert_eq!(tx.group(tenant, group)?.and_then(|group| group.hook), None);
        tx.hooks(stranger.tenant.id)
    })
    .await;
    assert_eq!(left.len(), 1);
}

pub async fn where_a_device_came_from_is_found_by_how_it_asked(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "own").await;
    let stranger = rig.home(&store, "stranger").await;
    let device =
        enlist_core::Device::create(rig.new_device(&home, "press-7"), enlist_core::Actor::Server).0;
    let landing = Landing {
        tenant: home.tenant.id,
        device: device.id,
        entry: stranger.group.id,
        name: Some(name("unnamed")),
        hardware: Some("serial:SN-1".parse().unwrap()),
    };
    let (tenant, id, entry) = (home.tenant.id, device.id, landing.entry);
    let (put, taken) = (landing.clone(), rig.new_device(&home, "taken"));
    write(&store, move |tx| {
        assert!(tx.insert_device(&device)?);
        let other = enlist_core::Device::create(taken.clone(), enlist_core::Actor::Server).0;
        assert!(tx.insert_device(&other)?);
        assert!(tx.put_landing(&put)?);
        // In place of the one before.
        assert!(tx.put_landing(&put)?);
        assert!(!tx.move_device(tenant, id, device.group, &name("taken"))?);
        assert!(tx.move_device(tenant, id, device.group, &name("press-8"))?);
        Ok(())
    })
    .await;
    let hardware = landing.hardware.clone().unwrap();
    read(&store, move |tx| {
        assert_eq!(tx.landing(tenant, id)?, Some(landing.clone()));
        assert_eq!(tx.landing(stranger.tenant.id, id)?, None);
        assert_eq!(
            tx.landed_by_name(tenant, entry, &name("unnamed"))?,
            Some(id)
        );
        assert_eq!(tx.landed_by_name(tenant, entry, &name("press-8"))?, None);
        assert_eq!(tx.landed_by_hardware(tenant, entry, &hardware)?, [id]);
        let named = tx.device(tenant, id)?.map(|device| device.name);
        assert_eq!(named, Some(name("press-8")));
        Ok(())
    })
    .await;
    // Another one that asked by the same name was second, and is undone.
    let other =
        enlist_core::Device::create(rig.new_device(&home, "other"), enlist_core::Actor::Server).0;
    let second = Landing {
        tenant,
        device: other.id,
        entry,
        name: Some(name("unnamed")),
        hardware: None,
    };
    let other_id = other.id;
    let put = store
        .write("test", move |tx| {
            assert!(tx.insert_device(&other)?);
            match tx.put_landing(&second)? {
                true => Ok(()),
                false => Err(StoreError::Busy),
            }
        })
        .await;
    assert!(matches!(put, Err(StoreError::Busy)), "{put:?}");
    let undone = read(&store, move |tx| tx.device(tenant, other_id)).await;
    assert_eq!(undone, None);
    let gone = write(&store, move |tx| {
        assert!(tx.delete_device(tenant, id)?);
        tx.landing(tenant, id)
    })
    .await;
    assert_eq!(gone, None);
}
