//! Hardware that nobody vouches for, where a person may.

use enlist_wire::{DeviceAction, DeviceState, Enrollment, WithoutProof};

use super::factory::Factory;

#[test]
fn a_foreign_root_lands_in_the_queue_where_the_group_says_so() {
    let factory = Factory::new();
    factory.group("lamps", Enrollment::Open, WithoutProof::Approve);
    factory.sh("root other; device d SN-1 other; device a SN-1 plant");
    let (status, waiting) = factory.asks("enroll d k");
    assert_eq!(status, 202, "{waiting}");
    let name = waiting["name"].as_str().unwrap().to_owned();
    let told = factory.told("device-applied", "unproved").unwrap();
    assert!(
        told.contains("SN-1") && told.contains("other root"),
        "{told}"
    );
    assert_eq!(
        factory.attested("lamps", &name),
        None,
        "it has proved nothing"
    );
    let device = factory.hall.rig.admin().device("default", "lamps", &name);
    let pending = device.unwrap().pending.unwrap();
    assert_eq!(pending.unproved, Some(told), "the queue shows it, too");
    // One that is vouched for does not wait, and its place is not taken.
    factory.enters("enroll a ka");
    let admin = factory.hall.rig.admin();
    let yes = DeviceAction::default();
    admin.approve("default", "lamps", &name, &yes).unwrap();
    assert_eq!(factory.enters("enroll d k"), name);
}

#[test]
fn in_a_group_with_approval_one_that_is_vouched_for_waits_as_proved() {
    let factory = Factory::new();
    factory.group("lamps", Enrollment::Approve, WithoutProof::Refuse);
    factory.sh("device d SN-1 plant; root other; device f SN-2 other");
    let (status, waiting) = factory.asks("enroll d k");
    assert_eq!(status, 202, "{waiting}");
    let name = waiting["name"].as_str().unwrap().to_owned();
    let admin = factory.hall.rig.admin();
    let device = admin.device("default", "lamps", &name).unwrap();
    assert_eq!(device.state, DeviceState::Pending);
    assert_eq!(
        factory.attested("lamps", &name).unwrap(),
        "idevid:acme/sn-1"
    );
    assert_eq!(
        factory.refusal("enroll d other-key"),
        (409, "attested-already-enrolled".to_owned())
    );
    assert_eq!(
        factory.refusal("enroll f k2"),
        (403, "attestation-unknown-manufacturer".to_owned())
    );
}
