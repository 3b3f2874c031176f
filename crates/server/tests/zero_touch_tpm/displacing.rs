//! A name that somebody waits under: who takes it over by a proof, and who does not.

use enlist_testkit::{Rig, SoftTpm, refusal};
use enlist_wire::{
    AttestationKind, DeviceAction, DeviceState, EnrollReply, Enrollment, Event, EventsQuery,
    Hardware, HardwareKind, NewGroup, WithoutProof, ZeroTouch,
};

use crate::maker::{Maker, TpmDevice};

/// A group `pumps` that takes secrets and TPMs, and lets everybody else wait; its secret comes back.
fn pumps(rig: &Rig, enrollment: Enrollment) -> String {
    rig.group_with(&NewGroup {
        enrollment,
        hardware_is_identity: true,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Approve,
        }),
        ..NewGroup::named("pumps")
    })
}

fn with_tpm(rig: &Rig, tpm: SoftTpm, name: &str) -> TpmDevice {
    TpmDevice::new(rig, tpm, "pumps", name)
}

#[track_caller]
fn waits(rig: &Rig, device: &mut TpmDevice) {
    let reply = device.enroll(&rig.stranger()).unwrap();
    assert!(matches!(reply, EnrollReply::Pending(_)), "{reply:?}");
}

#[track_caller]
fn refused(rig: &Rig, device: &mut TpmDevice) -> String {
    refusal(device.enroll(&rig.stranger()))
}

#[track_caller]
fn state(rig: &Rig, name: &str) -> DeviceState {
    let device = rig.admin().device("default", "pumps", name);
    device.unwrap().state
}

fn rejected(rig: &Rig) -> Vec<Event> {
    let query = EventsQuery {
        kind: Some("device-rejected".to_owned()),
        ..EventsQuery::default()
    };
    rig.admin().events("default", &query).unwrap().items
}

#[test]
fn a_proof_takes_over_a_name_that_was_applied_for_without_one() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    pumps(&rig, Enrollment::Open);
    let mut squatter = with_tpm(&rig, SoftTpm::new(), "pump-1");
    squatter.device.hardware = Some(Hardware {
        kind: HardwareKind::Serial,
        value: "SN-1".to_owned(),
    });
    waits(&rig, &mut squatter);
    // Another one that proves nothing takes over neither its name nor what it claims to be.
    let mut other = with_tpm(&rig, SoftTpm::new(), "pump-1");
    assert_eq!(refused(&rig, &mut other), "hardware-mismatch");
    other.device.name = Some("pump-2".to_owned());
    other.device.hardware = squatter.device.hardware.clone();
    assert_eq!(refused(&rig, &mut other), "hardware-conflict");
    assert_eq!(rejected(&rig), []);
    waits(&rig, &mut squatter);

    let mut pump = with_tpm(&rig, maker.tpm(), "pump-1");
    let reply = pump.enroll(&rig.stranger()).unwrap();
    let EnrollReply::Enrolled(enrolled) = &reply else {
        panic!("it waits: {reply:?}");
    };
    assert_eq!(enrolled.name, "pump-1");
    assert_eq!(pump.enroll(&rig.stranger()).unwrap(), reply, "a lost reply");
    let gone = rejected(&rig);
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].detail["reason"], "displaced");
    assert_eq!(gone[0].by, "server");
    assert_ne!(gone[0].device_id, Some(enrolled.device_id));

    // What was turned away begins anew, and the name is not to be had any more.
    assert_eq!(refused(&rig, &mut squatter), "hardware-mismatch");
    squatter.device.name = Some("pump-3".to_owned());
    waits(&rig, &mut squatter);
    assert_eq!(rejected(&rig).len(), 1);
}

#[test]
fn where_a_person_decides_a_proof_takes_the_place_in_the_queue() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let secret = pumps(&rig, Enrollment::Approve);
    let mut squatter = with_tpm(&rig, SoftTpm::new(), "pump-1");
    waits(&rig, &mut squatter);
    let mut pump = with_tpm(&rig, maker.tpm(), "pump-1");
    waits(&rig, &mut pump);
    assert_eq!(rejected(&rig).len(), 1);
    let device = rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert!(device.attested.is_some(), "it is the one that proves");

    // And keeps it: against another proof, against none, and against the holder of a secret.
    for tpm in [maker.tpm(), SoftTpm::new()] {
        let mut other = with_tpm(&rig, tpm, "pump-1");
        assert_eq!(refused(&rig, &mut other), "hardware-mismatch");
    }
    let by_secret = rig.device("pumps", "pump-1", &secret).request();
    let by_secret = rig.stranger().enroll(&by_secret);
    assert_eq!(refusal(by_secret), "hardware-mismatch");
    // Who waits with a secret keeps the place as well.
    let holder = rig.device("pumps", "pump-2", &secret).request();
    let reply = rig.stranger().enroll(&holder).unwrap();
    assert!(matches!(reply, EnrollReply::Pending(_)), "{reply:?}");
    let mut late = with_tpm(&rig, maker.tpm(), "pump-2");
    assert_eq!(refused(&rig, &mut late), "hardware-mismatch");
    assert_eq!(rig.stranger().enroll(&holder).unwrap(), reply);
    assert_eq!(rejected(&rig).len(), 1);
    waits(&rig, &mut pump);
}

#[test]
fn who_is_in_is_displaced_by_no_proof() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let secret = pumps(&rig, Enrollment::Open);
    let (admin, yes) = (rig.admin(), DeviceAction::default());
    // By a secret, by a person, by its TPM.
    let by_secret = rig.enrolled_device("pumps", "pump-1", &secret);
    let mut approved = with_tpm(&rig, SoftTpm::new(), "pump-2");
    waits(&rig, &mut approved);
    admin.approve("default", "pumps", "pump-2", &yes).unwrap();
    assert!(approved.enroll(&rig.stranger()).is_ok());
    let mut proved = with_tpm(&rig, maker.tpm(), "pump-3");
    assert!(proved.enroll(&rig.stranger()).is_ok());
    for name in ["pump-1", "pump-2", "pump-3"] {
        let mut late = with_tpm(&rig, maker.tpm(), name);
        assert_eq!(refused(&rig, &mut late), "hardware-mismatch", "{name}");
        assert_eq!(state(&rig, name), DeviceState::Active);
    }
    // With the secret, too, another key takes nothing over.
    let late = with_tpm(&rig, maker.tpm(), "pump-1");
    let mut request = late.answer(&late.ask(&rig.stranger()).unwrap());
    request.secret = Some(secret.into());
    let taken = rig.stranger().enroll(&request);
    assert_eq!(refusal(taken), "device-already-enrolled");
    for device in [&by_secret, &approved.device, &proved.device] {
        assert!(device.client(&rig).device_self().is_ok());
    }
    assert_eq!(rejected(&rig), []);
}

#[test]
fn one_that_waits_is_in_once_its_maker_is_believed() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    pumps(&rig, Enrollment::Open);
    let mut pump = with_tpm(&rig, maker.tpm(), "pump-1");
    waits(&rig, &mut pump);
    maker.import(&rig, "default");
    let reply = pump.enroll(&rig.stranger()).unwrap();
    assert!(matches!(reply, EnrollReply::Enrolled(_)), "{reply:?}");
    assert_eq!(pump.enroll(&rig.stranger()).unwrap(), reply);
    assert_eq!(rejected(&rig).len(), 1, "its application from before");
    assert_eq!(state(&rig, "pump-1"), DeviceState::Active);
}
