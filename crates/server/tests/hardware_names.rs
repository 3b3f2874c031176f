//! What a device's hardware is goes into each of its certificates, whatever way it came in.

#![allow(clippy::unwrap_used)]

use enlist_pki::{Certificate, SubjectName, oid};
use enlist_testkit::{FakeDevice, Rig};
use enlist_wire::{
    DeviceAction, EnrollReply, Enrollment, Hardware, HardwareKind, NewDevice, PreEnroll,
};

fn hardware(kind: HardwareKind, value: &str) -> Option<Hardware> {
    let value = value.to_owned();
    Some(Hardware { kind, value })
}

/// The hardware that a certificate names.
fn named(certificate: &Certificate) -> Vec<(oid::Oid, String)> {
    let module = |name: &SubjectName| match name {
        SubjectName::HardwareModule { hw_type, serial } => {
            Some((*hw_type, String::from_utf8(serial.clone()).unwrap()))
        }
        _ => None,
    };
    certificate.names().iter().filter_map(module).collect()
}

#[test]
fn hardware_that_was_claimed_is_named_and_stays_named_after_a_renewal() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    device.hardware = hardware(HardwareKind::Mac, "00:1A:2B:3C:4D:5E");
    device.enroll(&rig).unwrap();
    let expected = [(oid::hardware::MAC, "00:1a:2b:3c:4d:5e".to_owned())];
    assert_eq!(named(&device.certificate()), expected);
    device.renew(&rig).unwrap();
    assert_eq!(named(&device.certificate()), expected);
    let mut device = rig.device("pumps", "pump-2", &secret);
    device.enroll(&rig).unwrap();
    assert_eq!(named(&device.certificate()), []);
}

#[test]
fn hardware_that_waited_for_a_person_is_named() {
    let rig = Rig::new();
    let secret = rig.group("doors", Enrollment::Approve);
    let mut device = rig.device("doors", "door-1", &secret);
    device.hardware = hardware(HardwareKind::Serial, "SN-7");
    let reply = rig.stranger().enroll(&device.request()).unwrap();
    assert!(matches!(reply, EnrollReply::Pending(_)));
    let action = DeviceAction::default();
    rig.admin()
        .approve("default", "doors", "door-1", &action)
        .unwrap();
    device.enroll(&rig).unwrap();
    let expected = [(oid::hardware::SERIAL, "SN-7".to_owned())];
    assert_eq!(named(&device.certificate()), expected);
}

#[test]
fn hardware_that_was_announced_is_named_in_an_identity_made_ahead() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let announced = NewDevice {
        name: "pump-1".to_owned(),
        labels: Default::default(),
        hardware: hardware(HardwareKind::Soc, "1a2b3c4d"),
    };
    rig.admin()
        .create_device("default", "pumps", &announced)
        .unwrap();
    let quadruple = rig
        .admin()
        .pre_enroll("default", "pumps", "pump-1", &PreEnroll::default())
        .unwrap();
    let mut device = FakeDevice::pre_enrolled(&rig, "pump-1", &quadruple);
    let expected = [(oid::hardware::SOC, "1a2b3c4d".to_owned())];
    assert_eq!(named(&device.certificate()), expected);
    device.renew(&rig).unwrap();
    assert_eq!(named(&device.certificate()), expected);
}

#[test]
fn hardware_that_has_to_be_proved_is_not_named_in_an_identity_made_ahead() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let ek = "5a".repeat(32);
    for (name, kind, value) in [
        ("pump-1", HardwareKind::TpmEk, ek.as_str()),
        ("pump-2", HardwareKind::Idevid, "acme/SN-7"),
    ] {
        let announced = NewDevice {
            name: name.to_owned(),
            labels: Default::default(),
            hardware: hardware(kind, value),
        };
        let admin = rig.admin();
        let created = admin.create_device("default", "pumps", &announced);
        let quadruple = admin.pre_enroll("default", "pumps", name, &PreEnroll::default());
        let mut device = FakeDevice::pre_enrolled(&rig, name, &quadruple.unwrap());
        assert_eq!(named(&device.certificate()), []);
        device.renew(&rig).unwrap();
        assert_eq!(named(&device.certificate()), []);
        let after = admin.device("default", "pumps", name).unwrap();
        assert_eq!(after.device_id, created.unwrap().device_id);
        assert_eq!(after.hardware, hardware(kind, value));
    }
}
