//! Coming back by the same certificate.

use std::time::Duration;

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
    assert_eq!(
        factory.refusal("enroll d k2"),
        (403, "tombstoned".to_owned())
    );
}

#[test]
fn it_does_not_go_over_to_another_group_by_itself() {
    let (factory, _) = lamps();
    factory.group(
        "other",
        enlist_wire::Enrollment::Open,
        enlist_wire::WithoutProof::Refuse,
    );
    assert_eq!(
        factory.refusal("GROUP=other; enroll d k2"),
        (409, "attested-already-enrolled".to_owned())
    );
}
