//! Nothing crosses tenants.

use enlist_core::{
    Actor, Application, ApprovalCode, CaKey, CaKind, CaRecord, CaStanding, Event, Standing, State,
    StateKind, Tombstone, TombstoneOf,
};
use enlist_store::{CertificateFilter, DeviceFilter, EventFilter, Tx};

use crate::rig::{Home, NOW, Rig, record, write};

pub async fn nothing_crosses_tenants(rig: &Rig) {
    let store = rig.open();
    let own = rig.home(&store, "own").await;
    let stranger = rig.home(&store, "stranger").await;
    let hardware: enlist_core::HardwareIdentity = "serial:A1".parse().unwrap();
    let pending = State::Pending {
        code: ApprovalCode::generate(&*rig.rng),
        until: NOW,
    };
    let mut new = rig.new_device(&own, "light-1");
    new.hardware = Some(hardware.clone());
    let device = enlist_core::Device::restore(new, pending, false, NOW);
    let secret = rig.secret(&own, None);
    let bounded = rig.secret(&own, Some(5));
    let credential = rig.credential(&device);
    let certificate = rig.certificate(&device, &credential.current);
    let application = Application {
        device: device.id,
        tenant: own.tenant.id,
        key: rig.digest(),
        token: Some(rig.digest()),
        server_key: false,
        csr: vec![1],
        secret: None,
        ttl: None,
        source: Some([192, 0, 2, 7].into()),
        unproven: Some(own.group.id),
    };
    let tombstone = Tombstone {
        tenant: own.tenant.id,
        of: TombstoneOf::Hardware(hardware.clone()),
        device: device.id,
        at: NOW,
    };
    let ca = CaRecord {
        id: rig.ca_id(),
        tenant: Some(own.tenant.id),
        kind: CaKind::Issuing,
        certificate: vec![1],
        standing: CaStanding::Current,
        chain: Vec::new(),
        key: CaKey::Offline,
        created_at: NOW,
    };
    let event = Event::new("device-applied", device.subject(), Actor::Newcomer, NOW);
    write(&store, move |tx| {
        assert!(tx.insert_device(&device)?);
        tx.insert_secret(&secret)?;
        tx.insert_secret(&bounded)?;
        assert!(tx.insert_credential(&credential, Some(secret.id))?);
        record(tx, &certificate)?;
        assert!(tx.insert_application(&application)?);
        tx.insert_tombstone(&tombstone)?;
        tx.insert_ca(&ca)?;
        tx.append(&event)?;

        let before = everything(tx, &own)?;
        assert!(before.iter().all(|list| list != "[]"), "{before:?}");

        // The stranger knows every id and name, and gets nothing by them.
        let t = stranger.tenant.id;
        let group = own.group.id;
        assert_eq!(tx.group(t, group)?, None);
        assert_eq!(tx.count_devices(t, group, 9)?, 0);
        assert_eq!(tx.secret(t, secret.id)?, None);
        assert_eq!(tx.secret_by_short_id(t, &secret.short_id)?, None);
        assert_eq!(tx.secrets(t, group)?, []);
        assert_eq!(tx.device(t, device.id)?, None);
        assert_eq!(tx.device_by_name(t, group, &device.name)?, None);
        assert_eq!(tx.devices_by_hardware(t, group, &hardware)?, []);
        assert_eq!(tx.application(t, device.id)?, None);
        assert_eq!(tx.application_by_key(t, &application.key)?, None);
        assert_eq!(tx.credential(t, device.id)?, None);
        assert_eq!(tx.credential_by_key(t, &credential.enrolled_key)?, None);
        assert_eq!(tx.certificates_of(t, device.id)?, []);
        assert_eq!(tx.tombstoned(t, &[&tombstone.of])?, None);
        assert_eq!(tx.tombstone(t, &tombstone.of)?, None);
        assert_eq!(tx.tombstones_of(t, device.id)?, []);
        assert_eq!(tx.cas(CaKind::Issuing, Some(t))?, []);
        let own_group = Some(group);
        let devices = DeviceFilter {
            group: own_group,
            limit: 9,
            ..Default::default()
        };
        assert_eq!(tx.devices_page(t, &devices)?, []);
        let certificates = CertificateFilter {
            device: Some(device.id),
            limit: 9,
            ..Default::default()
        };
        assert_eq!(tx.certificates_page(t, &certificates)?, []);
        let events = EventFilter {
            devices: Some(vec![device.id]),
            limit: 9,
            ..Default::default()
        };
        assert_eq!(tx.events_page(t, &events)?, []);

        // Nor does the stranger change anything.
        let mut theirs = own.group.clone();
        theirs.tenant = t;
        theirs.hardware_is_identity = true;
        assert!(!tx.save_group(&theirs)?);
        assert!(!tx.delete_group(t, group)?);
        assert!(!tx.expire_secret(t, secret.id, NOW)?);
        assert!(!tx.withdraw_secret(t, secret.id)?);
        assert!(!tx.count_secret_use(t, secret.id, &secret.bounds, NOW)?);
        assert!(!tx.count_secret_use(t, bounded.id, &bounded.bounds, NOW)?);
        let mut theirs = device.clone();
        theirs.tenant = t;
        theirs.labels.insert("mine".to_owned(), "now".to_owned());
        assert!(!tx.save_device(&theirs, StateKind::Pending)?);
        assert!(!tx.delete_device(t, device.id)?);
        assert!(!tx.delete_application(t, device.id)?);
        let mut theirs = credential.clone();
        theirs.tenant = t;
        theirs.pre_enrolled = true;
        let (counter, serial) = (credential.counter, credential.current.serial);
        assert!(!tx.save_credential(&theirs, counter, serial)?);
        assert!(!tx.delete_credential(t, device.id)?);
        assert!(!tx.set_standing(t, serial, Standing::Held(NOW), NOW)?);
        let held = Standing::Held(NOW);
        assert_eq!(tx.set_standing_of_device(t, device.id, held, NOW)?, 0);
        assert_eq!(tx.delete_tombstones_of(t, device.id)?, 0);

        assert_eq!(everything(tx, &own)?, before);

        // What is the same in both tenants stands in nobody's way.
        let mut twin = rig_twin(&stranger, &device);
        twin.hardware = Some(hardware.clone());
        let twin = enlist_core::Device::restore(twin, State::Active, false, NOW);
        assert!(tx.insert_device(&twin)?);
        let mut same_key = credential.clone();
        same_key.tenant = t;
        same_key.device = twin.id;
        assert!(tx.insert_credential(&same_key, None)?);
        assert_eq!(everything(tx, &own)?, before);
        Ok(())
    })
    .await;
}

fn rig_twin(home: &Home, device: &enlist_core::Device) -> enlist_core::NewDevice {
    enlist_core::NewDevice {
        id: device.id,
        tenant: home.tenant.id,
        group: home.group.id,
        name: device.name.clone(),
        labels: [].into(),
        hardware: None,
        attested: None,
        at: NOW,
    }
}

/// All that is on record of a tenant.
fn everything(tx: &mut Tx<'_>, home: &Home) -> Result<Vec<String>, enlist_store::StoreError> {
    let (tenant, group) = (home.tenant.id, home.group.id);
    let devices = DeviceFilter {
        limit: 9,
        ..Default::default()
    };
    let certificates = CertificateFilter {
        limit: 9,
        ..Default::default()
    };
    let events = EventFilter {
        limit: 9,
        ..Default::default()
    };
    let devices = tx.devices_page(tenant, &devices)?;
    let mut of_devices = Vec::new();
    for device in &devices {
        of_devices.push((
            tx.credential(tenant, device.id)?,
            tx.application(tenant, device.id)?,
            tx.tombstones_of(tenant, device.id)?,
        ));
    }
    Ok(vec![
        format!("{:?}", tx.groups(tenant)?),
        format!("{:?}", tx.secrets(tenant, group)?),
        format!("{devices:?}"),
        format!("{of_devices:?}"),
        format!("{:?}", tx.certificates_page(tenant, &certificates)?),
        format!("{:?}", tx.events_page(tenant, &events)?),
        format!("{:?}", tx.cas(CaKind::Issuing, Some(tenant))?),
    ])
}
