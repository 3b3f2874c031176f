//! Statements of configuration.

use std::sync::Arc;

use enlist_core::{
    Actor, ConfigurationEntry, ConfigurationStatement, ConfigurationTarget, DeviceId, Timestamp,
};
use enlist_store::{StoreError, Tx};
use tokio::task::JoinSet;

use crate::rig::{Home, NOW, Rig, read, write};

fn device(n: u8) -> DeviceId {
    DeviceId::from_bytes([n; 16])
}

fn statement(
    home: &Home,
    target: ConfigurationTarget,
    version: u64,
    schema_version: u32,
) -> ConfigurationStatement {
    ConfigurationStatement {
        tenant: home.tenant.id,
        group: home.group.id,
        entry: ConfigurationEntry {
            target,
            version,
            schema_version,
            changes: "[]".to_owned(),
            actor: Actor::Server,
            at: Timestamp::from_millis(NOW.as_millis() + i64::try_from(version).unwrap()),
        },
        envelope: vec![0, 0xff, 7],
        body: format!("{{\"version\":{version}}}"),
    }
}

pub async fn statements_read_back_and_take_each_number_once(rig: &Rig) {
    use ConfigurationTarget::{Device, Group, Schema};
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let other = rig.home(&store, "other").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    let all = [Schema, Group, Device(device(1)), Device(device(2))]
        .map(|target| statement(&home, target, 1, 3));
    write(&store, move |tx| {
        for one in &all {
            assert!(tx.insert_configuration(one)?);
            assert!(!tx.insert_configuration(one)?, "the number is taken");
        }
        assert_eq!(tx.count_configurations(tenant, group)?, 4);
        assert_eq!(tx.count_configurations(other.tenant.id, group)?, 0);
        for one in &all {
            let target = one.entry.target;
            let found = tx.configuration(tenant, group, target, 1)?;
            assert_eq!(found.as_ref(), Some(one));
            assert_eq!(tx.configuration(tenant, group, target, 2)?, None);
            assert_eq!(tx.configuration(other.tenant.id, group, target, 1)?, None);
            assert_eq!(
                tx.configuration_newest(tenant, group, target)?,
                Some(one.entry.clone())
            );
        }
        assert_eq!(
            tx.configured_devices(tenant, group, None, 10)?,
            [device(1), device(2)]
        );
        assert_eq!(
            tx.configured_devices(tenant, group, Some(device(1)), 10)?,
            [device(2)]
        );
        Ok(())
    })
    .await;
}

pub async fn the_newest_of_a_schema_version_is_found(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    let target = ConfigurationTarget::Group;
    write(&store, move |tx| {
        for (version, schema_version) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
            tx.insert_configuration(&statement(&home, target, version, schema_version))?;
        }
        let version = |found: Option<ConfigurationStatement>| found.map(|one| one.entry.version);
        let up_to = |tx: &mut Tx<'_>, most| {
            let whole = tx.configuration_up_to(tenant, group, target, most)?;
            let entry = tx.configuration_entry_up_to(tenant, group, target, most)?;
            assert_eq!(whole.as_ref().map(|one| &one.entry), entry.as_ref());
            Ok::<_, StoreError>(version(whole))
        };
        assert_eq!(up_to(tx, 0)?, None);
        assert_eq!(up_to(tx, 1)?, Some(4));
        assert_eq!(up_to(tx, 9)?, Some(4));
        for (most, found) in [(0, None), (1, Some(4)), (2, Some(3)), (u32::MAX, Some(3))] {
            let highest = tx.configuration_highest(tenant, group, target, most)?;
            assert_eq!(version(highest), found);
        }
        Ok(())
    })
    .await;
}

pub async fn history_comes_in_pages_newest_first(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    let target = ConfigurationTarget::Group;
    write(&store, move |tx| {
        for version in 1..=5 {
            tx.insert_configuration(&statement(&home, target, version, 1))?;
        }
        Ok(())
    })
    .await;
    read(&store, move |tx| {
        let mut versions = |before| {
            let page = tx.configuration_page(tenant, group, target, before, 2)?;
            Ok::<_, StoreError>(page.iter().map(|one| one.version).collect::<Vec<_>>())
        };
        assert_eq!(versions(None)?, [5, 4]);
        assert_eq!(versions(Some(4))?, [3, 2]);
        assert_eq!(versions(Some(2))?, [1]);
        assert_eq!(versions(Some(1))?, [0; 0]);
        Ok(())
    })
    .await;
}

pub async fn configuration_goes_with_its_device_and_its_group(rig: &Rig) {
    use ConfigurationTarget::{Device, Group};
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let (tenant, group) = (home.tenant.id, home.group.id);
    write(&store, move |tx| {
        for target in [Group, Device(device(1)), Device(device(2))] {
            tx.insert_configuration(&statement(&home, target, 1, 1))?;
        }
        assert_eq!(tx.delete_configuration_of(tenant, group, device(1))?, 1);
        assert_eq!(tx.configured_devices(tenant, group, None, 10)?, [device(2)]);
        assert!(tx.delete_group(tenant, group)?);
        assert_eq!(tx.count_configurations(tenant, group)?, 0);
        Ok(())
    })
    .await;
}

pub async fn what_is_new_is_found_by_time(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let group = home.group.id;
    write(&store, move |tx| {
        for version in 1..=3 {
            let target = ConfigurationTarget::Device(device(u8::try_from(version).unwrap()));
            tx.insert_configuration(&statement(&home, target, version, 1))?;
        }
        let since = Timestamp::from_millis(NOW.as_millis() + 2);
        let new = tx.configurations_since(since, 10)?;
        let target = |n| ConfigurationTarget::Device(device(n));
        let expected = [3, 2].map(|n| (home.tenant.id, group, target(n)));
        assert_eq!(new, expected);
        assert_eq!(tx.configurations_since(since, 1)?, expected[..1]);
        Ok(())
    })
    .await;
}

pub async fn of_many_who_state_something_for_a_group_each_sees_the_others(rig: &Rig) {
    const MANY: u8 = 40;
    let store = Arc::new(rig.open());
    let home = Arc::new(rig.home(&store, "acme").await);
    let schema = statement(&home, ConfigurationTarget::Schema, 1, 1);
    write(&store, move |tx| tx.insert_configuration(&schema)).await;
    let mut running = JoinSet::new();
    for n in 1..=MANY {
        let (store, home) = (store.clone(), home.clone());
        let (tenant, group) = (home.tenant.id, home.group.id);
        running.spawn(async move {
            let job = move |tx: &mut Tx<'_>| {
                tx.hold_configuration(tenant, group)?;
                let seen = tx.count_configurations(tenant, group)?;
                let own = ConfigurationTarget::Device(device(n));
                tx.insert_configuration(&statement(&home, own, 1, 1))?;
                Ok::<_, StoreError>(seen)
            };
            store.write("state", job).await.unwrap()
        });
    }
    let mut seen = running.join_all().await;
    seen.sort_unstable();
    let one_after_another: Vec<u64> = (1..=u64::from(MANY)).collect();
    assert_eq!(seen, one_after_another);
}
