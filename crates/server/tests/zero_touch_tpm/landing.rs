//! TPMs that ask at one group and belong in another.

use enlist_core::lower_hex;
use enlist_testkit::{Answer, Receiver, Rig, SoftTpm, refusal};
use enlist_wire::{
    Allocation, Client, DeviceAction, EnrollReply, EnrollRequest, Enrolled, Enrollment,
    GroupChange, NewHook,
};
use serde_json::json;

use crate::maker::{Maker, TpmDevice, group};

#[track_caller]
fn enters(client: &Client, request: &EnrollRequest) -> Enrolled {
    match client.enroll(request).unwrap() {
        EnrollReply::Enrolled(enrolled) => *enrolled,
        EnrollReply::Pending(pending) => panic!("it waits: {pending:?}"),
    }
}

fn allocate(rig: &Rig, to: &str) {
    let change = GroupChange {
        allocation: Some(Allocation::Hash {
            groups: vec![to.to_owned()],
        }),
        ..GroupChange::default()
    };
    let changed = rig.admin().change_group("default", "pumps", &change);
    changed.unwrap();
}

/// That of the device in its place.
fn proved(rig: &Rig, group: &str, name: &str) -> Option<String> {
    let device = rig.admin().device("default", group, name).unwrap();
    device.attested.map(|attested| attested.value)
}

fn identity(tpm: &SoftTpm) -> Option<String> {
    Some(lower_hex(&tpm.ek_key().digest()))
}

#[test]
fn one_that_a_hook_has_placed_comes_back_to_its_place_by_its_tpm() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    rig.group("line-4", Enrollment::Known);
    let answer = json!({"allow": true, "group": "line-4", "name": "press-7"}).to_string();
    let receiver = Receiver::start(move |_| Answer::Body(200, answer.clone().into_bytes()));
    let hook = NewHook {
        url: receiver.url(),
        ca: Some(receiver.ca_pem().to_owned()),
        timeout_ms: 5000,
    };
    rig.admin().create_hook("default", "pumps", &hook).unwrap();
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&client).unwrap();
    let request = pump.answer(&challenge);
    let first = enters(&client, &request);
    let place = |enrolled: &Enrolled| (enrolled.group.clone(), enrolled.name.clone());
    assert_eq!(place(&first), ("line-4".to_owned(), "press-7".to_owned()));
    assert_eq!(proved(&rig, "line-4", "press-7"), identity(&pump.tpm));
    let told = receiver.received()[0].json();
    assert_eq!(told["group"], "pumps");

    // A lost reply, with the challenge that it has answered and with another: nobody is asked again.
    assert_eq!(enters(&client, &request), first);
    let other = pump.answer(&pump.ask(&client).unwrap());
    assert_eq!(enters(&client, &other), first);
    assert_eq!(receiver.received().len(), 1);
    // Nobody takes it over: neither the same TPM with another key, nor another one by its name.
    pump.begin_anew(&rig);
    let taken = "attested-already-enrolled";
    assert_eq!(refusal(pump.enroll(&client)), taken);
    let mut thief = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    assert_eq!(refusal(thief.enroll(&client)), "hardware-mismatch");

    let act = DeviceAction::default();
    let admin = rig.admin();
    let out = admin.deprovision("default", "line-4", "press-7", &act);
    out.unwrap();
    let replayed = client.enroll(&pump.answer(&challenge));
    assert_eq!(refusal(replayed), "challenge-used");
    let second = enters(&client, &pump.answer(&pump.ask(&client).unwrap()));
    assert_eq!(second.device_id, first.device_id);
    assert_eq!(place(&second), place(&first));
    assert_ne!(second.serial, first.serial);
    assert_eq!(proved(&rig, "line-4", "press-7"), identity(&pump.tpm));
}

#[test]
fn one_that_was_allocated_comes_back_to_its_place_by_its_tpm_under_whatever_name() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    rig.group("hall", Enrollment::Known);
    rig.group("yard", Enrollment::Known);
    allocate(&rig, "hall");
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&client).unwrap();
    let request = pump.answer(&challenge);
    let first = enters(&client, &request);
    assert_eq!(first.group, "hall");
    assert_eq!(proved(&rig, "hall", "pump-1"), identity(&pump.tpm));
    // Newcomers go elsewhere from now on; a lost reply does not.
    allocate(&rig, "yard");
    assert_eq!(enters(&client, &request), first);
    let act = DeviceAction::default();
    let admin = rig.admin();
    for name in [None, Some("pump-1")] {
        admin
            .deprovision("default", "hall", "pump-1", &act)
            .unwrap();
        pump.device = rig.device("pumps", "pump-1", "");
        pump.device.name = name.map(ToOwned::to_owned);
        let replayed = client.enroll(&pump.answer(&challenge));
        assert_eq!(refusal(replayed), "challenge-used");
        let back = enters(&client, &pump.answer(&pump.ask(&client).unwrap()));
        assert_eq!(back.device_id, first.device_id, "{name:?}");
        assert_eq!(
            (back.group.as_str(), back.name.as_str()),
            ("hall", "pump-1")
        );
        assert_eq!(proved(&rig, "hall", "pump-1"), identity(&pump.tpm));
    }
    let late = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-2");
    let late = enters(&client, &late.answer(&late.ask(&client).unwrap()));
    assert_eq!(late.group, "yard");
}
