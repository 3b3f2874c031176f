//! Coming back by the same certificate.

use std::time::Duration;

use enlist_testkit::refusal;
use enlist_wire::DeviceAction;

use super::factory::Factory;

fn lamps() -> (Factory, String) {
    let factory = Factory::with_lamps();
    factory.sh("device d SN-1 plant");
    let name = factory.enters("enroll d k");
    (factory, name)
}

#[test]
fn another_key_for_a_device_in_service_takes_nothing_over() {
    let (factory, name) = lamps();
    let second = (409, "attested-already-enrolled".to_owned());
    assert_eq!(factory.refusal("enroll d k2"), second);
    assert_eq!(factory.refusal("enroll d k2 'name=\"lamp-2\"'"), second);
    let admin = factory.hall.rig.admin();
    let act = DeviceAction::default();
    admin.suspend("default", "lamps", &name, &act).unwrap();
    assert_eq!(factory.refusal("enroll d k2"), second);
    let devices = admin.devices("default", "lamps", &Default::default());
    assert_eq!(devices.unwrap().items.len(), 1);
}

#[test]
fn a_lost_disk_or_a_certificate_past_recovery_needs_an_operator_and_then_nothing_else() {
    let (factory, name) = lamps();
    let rig = &factory.hall.rig;
    let admin = rig.admin();
    let before = admin.device("default", "lamps", &name).unwrap();
    rig.clock.advance(Duration::from_secs(40 * 24 * 3600));
    assert_eq!(
        factory.refusal("enroll d k2"),
        (409, "attested-already-enrolled".to_owned())
    );
    let act = DeviceAction::default();
    admin.deprovision("default", "lamps", &name, &act).unwrap();
    assert_eq!(factory.enters("enroll d k2"), name);
    let after = admin.device("default", "lamps", &name).unwrap();
    assert_eq!(after.device_id, before.device_id);
    assert_eq!(after.attested, before.attested);
}

#[test]
fn a_deleted_one_stays_out() {
    let (factory, name) = lamps();
    let admin = factory.hall.rig.admin();
    admin.delete_device("default", "lamps", &name).unwrap();
    let out = (403, "tombstoned".to_owned());
    assert_eq!(factory.refusal("enroll d k2"), out);
    // Whatever it calls itself, it is told as what it can be let back.
    let (_, reply) = factory.asks("enroll d k2 'name=\"lamp-9\"'");
    let detail = reply["detail"].as_str().unwrap_or_default();
    let command = format!("enlist allow-reenroll device {name} -g lamps");
    assert!(detail.contains(&command), "{reply}");
    // Until it may come back as what it is, by which it is known.
    let act = DeviceAction::default();
    let back = admin.allow_reenroll("default", "lamps", &name, &act);
    assert_eq!(factory.enters("enroll d k2"), name);
    let after = admin.device("default", "lamps", &name).unwrap();
    assert_eq!(after.device_id, back.unwrap().device_id);
    assert!(after.attested.is_some());
}

#[test]
fn one_that_was_passed_on_is_buried_and_let_back_where_it_asks() {
    let factory = Factory::with_lamps();
    factory.group(
        "hall",
        enlist_wire::Enrollment::Known,
        enlist_wire::WithoutProof::Refuse,
    );
    let admin = factory.hall.rig.admin();
    let change = enlist_wire::GroupChange {
        allocation: Some(enlist_wire::Allocation::Hash {
            groups: vec!["hall".to_owned()],
        }),
        ..enlist_wire::GroupChange::default()
    };
    admin.change_group("default", "lamps", &change).unwrap();
    factory.sh("device d SN-1 plant");
    let name = factory.enters("enroll d k");
    let act = DeviceAction::default();
    admin.deprovision("default", "hall", &name, &act).unwrap();
    assert_eq!(factory.enters("enroll d k2"), name);
    admin.delete_device("default", "hall", &name).unwrap();
    let out = (403, "tombstoned".to_owned());
    assert_eq!(factory.refusal("enroll d k3"), out);
    admin
        .allow_reenroll("default", "hall", &name, &act)
        .unwrap();
    assert_eq!(factory.enters("enroll d k3"), name);
    let back = admin.device("default", "hall", &name).unwrap();
    assert!(back.attested.is_some());
}

#[test]
fn the_name_of_one_that_was_deprovisioned_is_free_for_the_holder_of_a_secret() {
    let (factory, name) = lamps();
    let rig = &factory.hall.rig;
    let admin = rig.admin();
    let secret = admin.create_secret("default", "lamps", &Default::default());
    let secret = secret.unwrap().secret.expose().to_owned();
    let as_it = || rig.device("lamps", &name, &secret).enroll(rig);
    assert_eq!(refusal(as_it()), "hardware-mismatch");
    let act = DeviceAction::default();
    let before = admin.deprovision("default", "lamps", &name, &act).unwrap();
    assert_eq!(before.attested, None);
    // Another chip alone is nobody who was given the name.
    factory.sh("device e SN-2 plant");
    let mismatch = (409, "hardware-mismatch".to_owned());
    let by_name = format!("enroll e k2 'name=\"{name}\"'");
    assert_eq!(factory.refusal(&by_name), mismatch);
    let after = as_it().unwrap();
    assert_eq!(after.device_id, before.device_id);
}
