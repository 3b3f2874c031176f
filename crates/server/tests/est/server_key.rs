//! Keys that the server makes.

use std::time::Duration;

use enlist_wire::{DeviceAction, Enrollment};

use super::hall::Hall;

/// Takes a reply apart: `part.key` and `part.crt`.
const APART: &str = r#"
apart() {
  tr -d '\r' < body > lines
  awk '/pkcs8/ {on=1} on && /^$/ {body=1; next} /^--/ {on=0; body=0} on && body' lines | base64 -d \
    | openssl pkey -inform DER > part.key
  awk '/pkcs7/ {on=1} on && /^$/ {body=1; next} /^--/ {on=0; body=0} on && body' lines | certificates > part.crt
  openssl x509 -in part.crt -noout -pubkey | cmp - <(openssl pkey -in part.key -pubout)
}"#;
const ASK: &str = "est pumps/serverkeygen -u pump-1:$SECRET < csr";

fn hall(enrollment: Enrollment) -> Hall {
    let hall = Hall::new();
    hall.group("pumps", enrollment);
    hall.sh("key own.key; csr own.key / > csr");
    hall
}

#[test]
fn a_key_comes_with_its_certificate_and_is_of_the_kind_that_asked() {
    let hall = hall(Enrollment::Open);
    hall.sh(&format!(
        "{APART}
         test $({ASK}) = 200; apart
         ! cmp -s part.key own.key; openssl pkey -in part.key -noout -text | grep prime256v1
         openssl req -new -newkey rsa:2048 -nodes -keyout r -subj / -outform DER 2> log | base64 -w0 > csr
         test $(est pumps/serverkeygen -u pump-2:$SECRET < csr) = 200; apart
         openssl pkey -in part.key -noout -text | grep '2048 bit'"
    ));
    let head = hall.read("head").to_lowercase();
    assert!(
        head.contains("content-type: multipart/mixed; boundary="),
        "{head}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
}

#[test]
fn a_lost_answer_is_made_good_with_another_key_until_the_first_is_used() {
    let hall = hall(Enrollment::Open);
    hall.sh(&format!("{ASK}; cp body first; {ASK}; ! cmp -s body first"));
    assert_eq!(hall.certificates_of("pump-1"), "current superseded");
    hall.sh(&format!(
        "{APART}
         apart; curl -sSf --cacert root.pem --cert part.crt --key part.key https://$HOST/v1/device"
    ));
    assert_eq!(hall.refusal(ASK), (409, "already-enrolled".to_owned()));
    assert_eq!(hall.certificates_of("pump-1"), "current superseded");
    // With the key that it was given it goes on as any other device.
    let next = "csr part.key / | est pumps/simplereenroll --cert part.crt --key part.key";
    assert_eq!(hall.answer(next).0, 200);
    assert_eq!(hall.refusal(ASK), (409, "already-enrolled".to_owned()));
}

#[test]
fn no_key_is_made_anew_after_the_recovery_window() {
    let hall = hall(Enrollment::Open);
    assert_eq!(hall.answer(ASK).0, 200);
    let day = Duration::from_secs(24 * 3600);
    hall.rig.clock.advance(30 * day);
    assert_eq!(hall.answer(ASK).0, 200);
    hall.rig.clock.advance(7 * day + 31 * day);
    assert_eq!(hall.refusal(ASK), (403, "past-recovery".to_owned()));
}

#[test]
fn a_key_of_ones_own_is_not_taken_for_one_that_the_server_made() {
    let hall = hall(Enrollment::Open);
    let simple = "est pumps/simpleenroll -u pump-1:$SECRET < csr";
    assert_eq!(hall.answer(simple).0, 200);
    assert_eq!(hall.refusal(ASK), (409, "already-enrolled".to_owned()));
    let ask = ASK.replace("pump-1", "pump-2");
    hall.sh("key own.key; csr own.key / > csr");
    assert_eq!(hall.answer(&ask).0, 200);
    let simple = simple.replace("pump-1", "pump-2");
    assert_eq!(hall.refusal(&simple), (409, "already-enrolled".to_owned()));
}

#[test]
fn a_person_who_approves_gives_the_key_away_to_nobody_else() {
    let hall = hall(Enrollment::Approve);
    assert_eq!(hall.answer(ASK).0, 202);
    let simple = "est pumps/simpleenroll -u pump-1:$SECRET < csr";
    assert_eq!(
        hall.refusal(simple),
        (409, "enrollment-conflict".to_owned())
    );
    hall.rig
        .admin()
        .approve("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    assert_eq!(hall.refusal(simple), (409, "already-enrolled".to_owned()));
    hall.sh(&format!("{APART}\ntest $({ASK}) = 200; apart"));
    assert_eq!(hall.certificates_of("pump-1"), "current superseded");
}

#[test]
fn a_key_is_made_for_none_that_has_no_secret() {
    let hall = hall(Enrollment::Open);
    assert_eq!(hall.refusal("est pumps/serverkeygen < csr").0, 401);
    hall.keep("eps_abcdefghij_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(hall.refusal(ASK), (401, "secret-wrong".to_owned()));
}

#[test]
fn who_wants_the_key_encrypted_is_not_given_a_bare_one() {
    let hall = hall(Enrollment::Open);
    hall.sh(
        "printf '%s\\n' [req] distinguished_name=d attributes=a prompt=no [d] CN=x [a] 1.2.840.113549.1.9.16.2.54=x > conf
         openssl req -new -key own.key -config conf -outform DER | base64 -w0 > csr",
    );
    assert_eq!(hall.refusal(ASK), (400, "invalid-request".to_owned()));
}
