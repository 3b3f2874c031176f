//! The next certificate, for one that shows the one it has.

use std::time::Duration;

use enlist_wire::{CsrExtras, DeviceAction, Enrollment, NewGroup};

use super::hall::Hall;

/// Asks with pump-1's certificate; `$K` is the key to certify.
const AGAIN: &str = "csr $K / | est pumps/simplereenroll --cert pump-1.crt --key pump-1.key";

fn enrolled() -> Hall {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    hall
}

#[test]
fn the_key_may_stay_or_be_a_new_one() {
    let hall = enrolled();
    let kept = format!(
        "K=pump-1.key; test $({AGAIN}) = 200; certificates < body > next.crt
        ! cmp -s pump-1.crt next.crt; openssl x509 -in next.crt -noout -subject"
    );
    hall.sh(&kept);
    assert_eq!(hall.certificates_of("pump-1"), "current previous");
    // The new one has been used: the one before is gone.
    hall.sh("key new.key
         test $(csr new.key / | est simplereenroll --cert next.crt --key pump-1.key) = 200
         certificates < body > new.crt
         openssl x509 -in new.crt -noout -pubkey | cmp - <(openssl pkey -in new.key -pubout)");
    assert_eq!(
        hall.certificates_of("pump-1"),
        "current previous superseded"
    );
    let old = hall.refusal(&format!("K=pump-1.key; {AGAIN}"));
    assert_eq!(old, (403, "certificate-superseded".to_owned()));
}

#[test]
fn the_same_certificate_and_csr_get_the_same_answer_and_others_another() {
    let hall = enrolled();
    hall.sh("key new.key; csr new.key / > one
         again() { est pumps/simplereenroll --cert pump-1.crt --key pump-1.key < $1; }
         again one; cp body first; again one; cmp body first
         key other.key; csr other.key / > two; again two; ! cmp -s body first");
    // What was never used gave way.
    assert_eq!(
        hall.certificates_of("pump-1"),
        "current previous superseded"
    );
}

#[test]
fn names_may_be_left_out_or_repeat_those_of_the_certificate() {
    let hall = Hall::new();
    for (group, extras) in [("pumps", CsrExtras::Ignore), ("strict", CsrExtras::Refuse)] {
        let mut rules = NewGroup::named(group);
        rules.enrollment = Enrollment::Open;
        rules.profile.csr_extras = extras;
        hall.group_with(&rules);
        hall.sh(&format!(
            "key p.key
             test $(csr p.key / | est {group}/simpleenroll -u valve:$SECRET) = 200
             certificates < body > p.crt
             san=$(openssl x509 -in p.crt -noout -ext subjectAltName | tail -1 | tr -d ' ')
             id=$(openssl x509 -in p.crt -noout -subject -nameopt multiline | sed -n 's/.*serialNumber *= //p')
             test $(csr p.key /CN=valve/serialNumber=$id -addext subjectAltName=$san \
                | est {group}/simplereenroll --cert p.crt --key p.key) = 200"
        ));
    }
}

#[test]
fn another_subject_is_refused() {
    let hall = enrolled();
    hall.enroll("pump-2");
    for request in [
        "csr pump-1.key /CN=pump-2",
        "csr pump-1.key /CN=pump-1/O=acme",
        "csr pump-1.key / -addext subjectAltName=DNS:pump-2.pumps.default",
        "csr pump-1.key / -addext subjectAltName=DNS:*.pumps.default",
    ] {
        let refused = hall.refusal(&format!(
            "{request} | est pumps/simplereenroll --cert pump-1.crt --key pump-1.key"
        ));
        assert_eq!(refused, (403, "another-subject".to_owned()), "{request}");
    }
    assert_eq!(hall.certificates_of("pump-1"), "current");
}

#[test]
fn a_label_has_to_be_the_devices_own() {
    let hall = enrolled();
    hall.group("valves", Enrollment::Open);
    let ask = |path: &str| {
        format!("csr pump-1.key / | est {path}simplereenroll --cert pump-1.crt --key pump-1.key")
    };
    assert_eq!(
        hall.refusal(&ask("valves/")),
        (403, "another-group".to_owned())
    );
    assert_eq!(hall.answer(&ask("")).0, 200);
}

#[test]
fn one_that_is_out_of_service_is_refused() {
    let hall = enrolled();
    let ask = format!("K=pump-1.key; {AGAIN}");
    let (admin, action) = (hall.rig.admin(), DeviceAction::default());
    admin
        .suspend("default", "pumps", "pump-1", &action)
        .unwrap();
    assert_eq!(hall.refusal(&ask), (403, "device-suspended".to_owned()));
    admin.resume("default", "pumps", "pump-1", &action).unwrap();
    assert_eq!(hall.answer(&ask).0, 200);
    admin
        .deprovision("default", "pumps", "pump-1", &action)
        .unwrap();
    assert_eq!(hall.refusal(&ask), (403, "certificate-revoked".to_owned()));
}

#[test]
fn an_expired_certificate_and_one_from_elsewhere_are_refused() {
    let hall = enrolled();
    hall.sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout x.key -out x.crt -subj /CN=pump-1 2> log");
    let foreign = hall.refusal("csr x.key / | est pumps/simplereenroll --cert x.crt --key x.key");
    assert_eq!(foreign, (403, "foreign-certificate".to_owned()));
    hall.rig.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let expired = hall.refusal(&format!("K=pump-1.key; {AGAIN}"));
    assert_eq!(expired, (403, "certificate-expired".to_owned()));
}

#[test]
fn the_agents_devices_can_not_go_around_their_counter() {
    let hall = Hall::with_pumps();
    let device = hall
        .rig
        .enrolled_device("pumps", "agent-1", &hall.read("secret"));
    let key = device.key.to_pkcs8_pem().unwrap();
    let certificate = &device.enrolled.as_ref().unwrap().certificate;
    std::fs::write(
        hall.path("a.key"),
        secrecy::ExposeSecret::expose_secret(&key),
    )
    .unwrap();
    std::fs::write(hall.path("a.crt"), certificate).unwrap();
    let same = hall.refusal("csr a.key / | est pumps/simplereenroll --cert a.crt --key a.key");
    assert_eq!(same, (403, "renews-by-token".to_owned()));
    let new = hall.refusal("key n; csr n / | est pumps/simplereenroll --cert a.crt --key a.key");
    assert_eq!(new, (403, "renews-by-token".to_owned()));
    assert_eq!(hall.certificates_of("agent-1"), "current");
}
