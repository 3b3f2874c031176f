//! Groups into which a person lets devices.

use enlist_wire::{DeviceAction, Enrollment};

use super::hall::Hall;

const ASK: &str = "est pumps/simpleenroll -u pump-1:$SECRET < csr";

fn waiting() -> Hall {
    let hall = Hall::new();
    hall.group("pumps", Enrollment::Approve);
    hall.sh("key k; csr k / > csr");
    let (status, body) = hall.answer(ASK);
    assert_eq!(status, 202);
    let head = hall.read("head").to_lowercase();
    assert!(head.contains("retry-after: 15\r\n"), "{head}");
    assert!(body.contains("code "), "{body}");
    hall
}

#[test]
fn a_device_asks_until_a_person_has_said_yes() {
    let hall = waiting();
    assert_eq!(hall.answer(ASK).0, 202, "the same application");
    hall.rig
        .admin()
        .approve("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    hall.sh(&format!(
        "test $({ASK}) = 200
         certificates < body > k.crt
         openssl x509 -in k.crt -noout -pubkey | cmp - <(openssl pkey -in k -pubout)"
    ));
    assert_eq!(hall.certificates_of("pump-1"), "current");
}

#[test]
fn a_device_that_was_turned_away_begins_anew() {
    let hall = waiting();
    hall.rig
        .admin()
        .reject("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    assert_eq!(hall.answer(ASK).0, 202);
}
