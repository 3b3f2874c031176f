//! The same device asks again: after a lost answer, after a refusal, after it was taken out of service.

use enlist_testkit::{Receiver, Rig, refusal};
use enlist_wire::{DeviceAction, Enrollment};
use serde_json::json;

use super::{ask, events, reborn, say};

#[test]
fn a_retry_asks_with_the_same_id_and_another_device_with_another() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": false})));
    ask(&rig, "field", &receiver);
    let mut one = rig.device("field", "press-1", &secret);
    let mut other = rig.device("field", "press-1", &secret);
    for device in [&mut one, &mut other] {
        for _ in 0..2 {
            assert_eq!(refusal(device.enroll(&rig)), "hook-refused");
        }
    }
    let ids: Vec<_> = receiver.received().into_iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[1] != ids[2]);
}

#[test]
fn a_device_that_landed_elsewhere_comes_back_to_its_own_place() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    rig.group("line-4", Enrollment::Known);
    let receiver =
        Receiver::start(|_| say(json!({"allow": true, "group": "line-4", "name": "press-7"})));
    ask(&rig, "intake", &receiver);
    let mut device = rig.device("intake", "unnamed", &secret);
    let first = device.enroll(&rig).unwrap();
    let admin = rig.admin();

    // Another key takes nothing over.
    let mut thief = reborn(&rig, &device);
    assert_eq!(refusal(thief.enroll(&rig)), "device-already-enrolled");
    // The same key with another name, or at another group, is a contradiction.
    let mut renamed = device.clone();
    renamed.name = Some("other".to_owned());
    assert_eq!(refusal(renamed.enroll(&rig)), "enrollment-conflict");

    let action = DeviceAction::default();
    admin
        .deprovision("default", "line-4", "press-7", &action)
        .unwrap();
    let mut reborn = reborn(&rig, &device);
    let second = reborn.enroll(&rig).unwrap();
    assert_eq!(second.device_id, first.device_id);
    assert_eq!(
        (second.group.as_str(), second.name.as_str()),
        ("line-4", "press-7")
    );
    assert_eq!(reborn.enroll(&rig).unwrap(), second);
    assert_eq!(events(&rig, "device-enrolled").len(), 2);

    admin.delete_device("default", "line-4", "press-7").unwrap();
    let mut back = super::reborn(&rig, &device);
    assert_eq!(refusal(back.enroll(&rig)), "tombstoned");
}

#[test]
fn a_hook_that_is_gone_leaves_those_in_that_it_has_let_in() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    rig.group("line-4", Enrollment::Known);
    let receiver = Receiver::start(|_| say(json!({"allow": true, "group": "line-4"})));
    ask(&rig, "intake", &receiver);
    let mut device = rig.device("intake", "press-1", &secret);
    let first = device.enroll(&rig).unwrap();
    rig.admin().delete_hook("default", "intake").unwrap();
    assert_eq!(device.enroll(&rig).unwrap(), first);
    device.renew(&rig).unwrap();
    assert_eq!(receiver.received().len(), 1, "renewals are not asked about");
}
