//! Coming back with a name and a secret, after the certificate has expired.

use std::time::Duration;

use enlist_wire::{DeviceAction, Enrollment, NewGroup, RotateSecret};

use super::hall::Hall;

const DAY: Duration = Duration::from_secs(24 * 3600);
const ASK: &str = "csr pump-1.key / | est pumps/simpleenroll -u pump-1:$SECRET";

#[test]
fn the_same_key_is_issued_anew_after_expiry_and_once_for_all_its_tries() {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    hall.rig.clock.advance(8 * DAY);
    let said = hall.sh(&format!(
        "{ASK}; cp body second; {ASK}; cmp body second
         certificates < body > next.crt; ! cmp -s next.crt pump-1.crt"
    ));
    assert_eq!(said, "200200");
    let secrets = hall.rig.admin().secrets("default", "pumps").unwrap();
    assert_eq!(secrets.items[0].used, 1, "it is the same device");
    assert_eq!(hall.certificates_of("pump-1"), "current expired");
}

#[test]
fn the_key_that_was_re_enrolled_comes_back_and_no_other() {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    hall.sh("key new.key
         test $(csr new.key / | est simplereenroll --cert pump-1.crt --key pump-1.key) = 200
         certificates < body > new.crt
         test $(csr new.key / | est simplereenroll --cert new.crt --key new.key) = 200");
    // The first key is no longer the device's, and the new one needs no secret while it is good.
    assert_eq!(hall.refusal(ASK), (409, "already-enrolled".to_owned()));
    hall.rig.clock.advance(8 * DAY);
    assert_eq!(hall.refusal(ASK), (409, "already-enrolled".to_owned()));
    let new = "csr new.key / | est pumps/simpleenroll -u pump-1:$SECRET";
    assert_eq!(hall.answer(new).0, 200);
    let other = hall.refusal("key o; csr o / | est pumps/simpleenroll -u pump-1:$SECRET");
    assert_eq!(other, (409, "device-already-enrolled".to_owned()));
}

#[test]
fn the_recovery_window_and_the_secret_bound_it() {
    let hall = Hall::new();
    hall.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        recovery_window_d: 10,
        ..NewGroup::named("pumps")
    });
    hall.enroll("pump-1");
    hall.enroll("pump-2");
    hall.rig.clock.advance(8 * DAY);
    let secrets = hall.rig.admin().secrets("default", "pumps").unwrap();
    let id = secrets.items[0].secret_id;
    let rotate = RotateSecret::default();
    let rotated = hall
        .rig
        .admin()
        .rotate_secret("default", "pumps", &rotate)
        .unwrap();
    hall.rig
        .admin()
        .delete_secret("default", "pumps", id)
        .unwrap();
    assert_eq!(hall.refusal(ASK), (403, "secret-withdrawn".to_owned()));
    hall.keep(rotated.secret.expose());
    assert_eq!(hall.answer(ASK).0, 200);
    hall.rig.clock.advance(10 * DAY);
    let late = hall.refusal("csr pump-2.key / | est pumps/simpleenroll -u pump-2:$SECRET");
    assert_eq!(late, (403, "past-recovery".to_owned()));
}

#[test]
fn one_that_was_taken_out_of_service_does_not_come_back() {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    hall.rig.clock.advance(8 * DAY);
    let (admin, action) = (hall.rig.admin(), DeviceAction::default());
    admin
        .suspend("default", "pumps", "pump-1", &action)
        .unwrap();
    assert_eq!(hall.refusal(ASK), (403, "device-suspended".to_owned()));
    admin.resume("default", "pumps", "pump-1", &action).unwrap();
    admin
        .deprovision("default", "pumps", "pump-1", &action)
        .unwrap();
    admin.delete_device("default", "pumps", "pump-1").unwrap();
    assert_eq!(hall.refusal(ASK), (403, "tombstoned".to_owned()));
}

#[test]
fn re_enrolling_without_a_certificate_is_enrolling() {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    assert_eq!(hall.refusal("csr pump-1.key / | est simplereenroll").0, 401);
    let again = "csr pump-1.key / | est pumps/simplereenroll -u pump-1:$SECRET";
    hall.sh(&format!("{again}; certificates < body | cmp - pump-1.crt"));
}
