//! Orders, reports, receipts and tokens are there as they were put there.

use enlist_core::{
    Actor, CommandRecord, ConfigurationNumbers, ConfigurationRefusal, ConfigurationReport, Device,
    DeviceReport, Outcome, ReceiptRecord, State, Timestamp,
};

use crate::rig::{NOW, Rig, write};

fn later(ms: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + ms)
}

fn command(device: &Device, number: u64) -> CommandRecord {
    CommandRecord {
        tenant: device.tenant,
        device: device.id,
        number,
        order: "rotate-key".to_owned(),
        envelope: b"{\"payload\":1}".to_vec(),
        by: Actor::Server,
        given_at: later(i64::try_from(number).unwrap()),
        fetched_at: None,
        outcome: None,
    }
}

pub async fn commands_are_numbered_fetched_and_closed_once(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let stranger = rig.home(&store, "stranger").await.tenant.id;
    let device = rig.device(&home, "light-1", State::Active);
    let (tenant, id) = (device.tenant, device.id);
    write(&store, move |tx| {
        assert_eq!(tx.last_command(tenant, id)?, 0);
        for number in 1..=3 {
            assert!(tx.insert_command(&command(&device, number))?);
        }
        let mut double = command(&device, 3);
        double.order = "wipe".to_owned();
        assert!(!tx.insert_command(&double)?, "the number is taken");
        assert_eq!(tx.last_command(tenant, id)?, 3);
        assert_eq!(tx.last_command(stranger, id)?, 0);
        assert_eq!(tx.command(tenant, id, 2)?, Some(command(&device, 2)));
        assert_eq!(tx.command(stranger, id, 2)?, None);
        assert_eq!(tx.open_commands(tenant, id, 1, 1)?, [command(&device, 2)]);
        assert_eq!(tx.open_commands(stranger, id, 0, 9)?, []);

        assert!(tx.has_unfetched_command(tenant, id)?);
        assert_eq!(tx.devices_with_orders_since(later(3), 9)?, [id]);
        assert_eq!(tx.devices_with_orders_since(later(4), 9)?, []);
        tx.fetched_commands(tenant, id, 2, later(10))?;
        assert!(tx.has_unfetched_command(tenant, id)?);
        tx.fetched_commands(tenant, id, 3, later(11))?;
        assert!(!tx.has_unfetched_command(tenant, id)?);
        assert_eq!(tx.devices_with_orders_since(NOW, 9)?, []);
        let fetched = tx.command(tenant, id, 1)?.unwrap().fetched_at;
        assert_eq!(fetched, Some(later(10)), "the first time counts");

        let done = Outcome {
            at: later(20),
            done: true,
            detail: None,
        };
        let failed = Outcome {
            at: later(21),
            done: false,
            detail: Some("no".to_owned()),
        };
        assert!(!tx.close_command(stranger, id, 1, &done)?);
        assert!(tx.close_command(tenant, id, 1, &done)?);
        assert!(!tx.close_command(tenant, id, 1, &failed)?, "once");
        assert_eq!(tx.close_commands(stranger, id, &failed)?, 0);
        assert_eq!(tx.close_commands(tenant, id, &failed)?, 2);
        assert!(tx.insert_command(&command(&device, 4))?);
        assert_eq!(tx.devices_with_orders_since(NOW, 9)?, [id]);
        assert_eq!(tx.close_commands(tenant, id, &failed)?, 1);
        assert_eq!(tx.devices_with_orders_since(NOW, 9)?, [], "given up");

        let all = tx.commands_page(tenant, id, 0, 3)?;
        let outcomes: Vec<_> = all.into_iter().filter_map(|one| one.outcome).collect();
        assert_eq!(outcomes, [done, failed.clone(), failed]);
        assert_eq!(tx.open_commands(tenant, id, 0, 9)?, []);
        Ok(())
    })
    .await;
}

pub async fn a_report_takes_the_place_of_the_one_before(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let stranger = rig.home(&store, "stranger").await.tenant.id;
    let device = rig.device(&home, "light-1", State::Active);
    let numbers = ConfigurationNumbers {
        schema: 1,
        group: 2,
        device: 3,
    };
    let full = DeviceReport {
        tenant: device.tenant,
        device: device.id,
        seen_at: NOW,
        agent: Some("enlist-agent/1".to_owned()),
        roots: vec![rig.digest(), rig.digest()],
        holds: numbers,
        offered: ConfigurationNumbers {
            device: 4,
            ..numbers
        },
        configuration: Some(ConfigurationReport {
            in_force: numbers,
            schema_version: 2,
            digest: "00".repeat(32),
            since: NOW,
            because: "applied".to_owned(),
            refused: Some(ConfigurationRefusal {
                numbers,
                reason: "invalid".to_owned(),
                detail: "it's \"wrong\"".to_owned(),
                at: NOW,
            }),
        }),
        last_command: 7,
        changed_hardware: Some("serial:A2".parse().unwrap()),
    };
    let bare = DeviceReport {
        seen_at: later(1),
        agent: None,
        roots: Vec::new(),
        holds: ConfigurationNumbers::default(),
        offered: ConfigurationNumbers::default(),
        configuration: None,
        last_command: 0,
        changed_hardware: None,
        ..full.clone()
    };
    let (tenant, id) = (device.tenant, device.id);
    write(&store, move |tx| {
        assert_eq!(tx.device_report(tenant, id)?, None);
        for report in [&full, &bare, &full] {
            tx.save_device_report(report)?;
            assert_eq!(tx.device_report(tenant, id)?.as_ref(), Some(report));
        }
        assert_eq!(tx.device_report(stranger, id)?, None);
        tx.delete_device_report(stranger, id)?;
        assert!(tx.device_report(tenant, id)?.is_some());
        tx.delete_device_report(tenant, id)?;
        assert_eq!(tx.device_report(tenant, id)?, None);
        Ok(())
    })
    .await;
}

pub async fn a_receipt_is_kept_once_a_key(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let stranger = rig.home(&store, "stranger").await.tenant.id;
    let device = rig.device(&home, "light-1", State::Decommissioned);
    let first = ReceiptRecord {
        tenant: device.tenant,
        device: device.id,
        serial: rig.issued().serial,
        envelope: b"{}".to_vec(),
        received_at: NOW,
        late: false,
    };
    let second = ReceiptRecord {
        serial: rig.issued().serial,
        received_at: later(1),
        late: true,
        ..first.clone()
    };
    let (tenant, id) = (device.tenant, device.id);
    write(&store, move |tx| {
        assert!(tx.insert_receipt(&first)?);
        let mut other = first.clone();
        other.envelope = b"{1}".to_vec();
        assert!(!tx.insert_receipt(&other)?);
        assert!(tx.insert_receipt(&second)?);
        assert_eq!(tx.receipt(tenant, id, first.serial)?, Some(first.clone()));
        assert_eq!(tx.receipt(stranger, id, first.serial)?, None);
        assert_eq!(tx.receipts_of(tenant, id)?, [second.clone(), first.clone()]);
        assert_eq!(tx.receipts_of(stranger, id)?, []);
        Ok(())
    })
    .await;
}

pub async fn a_token_is_replaced_and_the_one_before_retired(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let stranger = rig.home(&store, "stranger").await.tenant.id;
    let device = rig.device(&home, "light-1", State::Active);
    let credential = rig.credential(&device);
    let (old, new, third) = (credential.token, rig.digest(), rig.digest());
    let (tenant, id) = (device.tenant, device.id);
    write(&store, move |tx| {
        assert!(tx.insert_credential(&credential, None)?);
        assert!(!tx.replace_token(stranger, id, old, &new)?);
        assert!(tx.replace_token(tenant, id, old, &new)?);
        assert!(!tx.replace_token(tenant, id, old, &third)?, "raced");
        let held = tx.credential(tenant, id)?.unwrap();
        assert_eq!((held.token, held.previous_token), (Some(new), old));
        let old = old.unwrap();
        assert!(!tx.retire_previous_token(tenant, id, &old)?);
        assert!(tx.retire_previous_token(tenant, id, &new)?);
        assert!(!tx.retire_previous_token(tenant, id, &new)?);
        let held = tx.credential(tenant, id)?.unwrap();
        assert_eq!((held.token, held.previous_token), (Some(new), None));
        Ok(())
    })
    .await;
}

pub async fn a_device_without_a_token_reads_back_and_may_take_one(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let mut credential = rig.credential(&device);
    credential.token = None;
    let (new, tenant, id) = (rig.digest(), device.tenant, device.id);
    write(&store, move |tx| {
        assert!(tx.insert_credential(&credential, None)?);
        assert_eq!(tx.credential(tenant, id)?, Some(credential.clone()));
        assert!(
            !tx.replace_token(tenant, id, Some(new), &new)?,
            "it has none"
        );
        assert!(tx.replace_token(tenant, id, None, &new)?);
        let held = tx.credential(tenant, id)?.unwrap();
        assert_eq!((held.token, held.previous_token), (Some(new), None));
        Ok(())
    })
    .await;
}
