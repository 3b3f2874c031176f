//! One TPM that is let in elsewhere while it is being let in.

use enlist_core::lower_hex;
use enlist_testkit::{Answer, Receiver, Rig, refusal};
use enlist_wire::{DeviceState, EnrollReply, Hardware, HardwareKind, NewDevice, NewHook};

use crate::maker::{Maker, TpmDevice, group};

#[test]
fn a_tpm_that_two_groups_await_and_that_comes_to_both_at_once_is_in_one() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let tpm = maker.tpm();
    for (at, name) in [("pumps", "pump-1"), ("hall", "hall-1")] {
        group(&rig, at);
        let awaited = NewDevice {
            name: name.to_owned(),
            labels: Default::default(),
            hardware: Some(Hardware {
                kind: HardwareKind::TpmEk,
                value: lower_hex(&tpm.ek_key().digest()),
            }),
        };
        rig.admin().create_device("default", at, &awaited).unwrap();
    }
    let client = rig.stranger();
    let mut device = TpmDevice::new(&rig, tpm, "hall", "hall-1");
    let at_hall = device.answer(&device.ask(&client).unwrap());
    device.device = rig.device("pumps", "pump-1", "");
    // After the look at the one group, and before what it says is recorded, it comes to the other.
    let elsewhere = rig.stranger();
    let receiver = Receiver::start(move |_| match elsewhere.enroll(&at_hall) {
        Ok(EnrollReply::Enrolled(_)) => Answer::Body(200, b"{\"allow\":true}".to_vec()),
        other => panic!("{other:?}"),
    });
    let hook = NewHook {
        url: receiver.url(),
        ca: Some(receiver.ca_pem().to_owned()),
        timeout_ms: 5000,
    };
    rig.admin().create_hook("default", "pumps", &hook).unwrap();
    assert_eq!(refusal(device.enroll(&client)), "attested-already-enrolled");
    assert_eq!(receiver.received().len(), 1);
    let state = |group: &str, name: &str| {
        let device = rig.admin().device("default", group, name);
        device.unwrap().state
    };
    assert_eq!(state("hall", "hall-1"), DeviceState::Active);
    assert_eq!(state("pumps", "pump-1"), DeviceState::Created);
}
