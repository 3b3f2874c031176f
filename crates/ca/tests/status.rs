//! Revocation lists and responders of CAs, with OpenSSL as the consumer.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::time::Duration;

use common::{NOW, Rig, key, openssl, openssl_ok, serial};
use enlist_ca::{
    Authority, CrlContent, IssueRefusal, RESPONDER_KEY, RESPONDER_LIFETIME,
    make_responder_certificate,
};
use enlist_core::{Serial, Timestamp};
use enlist_pki::{
    CertStatus, Certificate, Crl, CrlReason, IssuerHash, KeyKind, KeyPurpose, OcspAnswer,
    OcspRequest, RevokedEntry, Signer, SingleAnswer, sign_ocsp,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn list(authority: &Authority, number: u64, revoked: &[&Certificate]) -> Vec<u8> {
    let mut entries_der = Vec::new();
    for certificate in revoked {
        let serial = Serial::from_be_bytes(certificate.serial()).unwrap();
        let entry = RevokedEntry {
            serial: *serial.as_bytes(),
            at: NOW.as_secs(),
            reason: CrlReason::KeyCompromise,
        };
        entry.append_to(&mut entries_der);
    }
    let content = CrlContent {
        number,
        this_update: NOW,
        next_update: NOW + DAY * 7,
        distribution_point: None,
        entries_der: &entries_der,
    };
    authority.sign_crl(&content).unwrap()
}

#[test]
fn a_consumer_that_checks_every_ca_of_the_chain_finds_its_lists() {
    let rig = Rig::new();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, certificate: &Certificate| {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    };
    let (good, bad) = (rig.plain_device(), rig.plain_device());
    write("root", rig.root.certificate());
    write("issuing", rig.issuing.certificate());
    write("good", &good);
    write("bad", &bad);
    let mut lists = String::new();
    let issuing = rig.issuing.authority();
    for crl in [list(&rig.root, 1, &[]), list(issuing, 2, &[&bad])] {
        std::fs::write(dir.path().join("crl"), crl).unwrap();
        lists += &openssl_ok(dir.path(), "crl -inform DER -in crl");
    }
    std::fs::write(dir.path().join("crls"), lists).unwrap();
    let now = NOW.as_secs();
    let verdict = |leaf: &str| {
        let arguments = format!(
            "verify -x509_strict -crl_check_all -attime {now} -CAfile root -untrusted issuing -CRLfile crls {leaf}"
        );
        openssl(dir.path(), &arguments)
    };
    assert!(verdict("good").status.success());
    let said = String::from_utf8(verdict("bad").stderr).unwrap();
    assert!(said.contains("certificate revoked"), "{said}");
    // The root's own list turns the whole CA away.
    let crl = list(&rig.root, 3, &[rig.issuing.certificate()]);
    std::fs::write(dir.path().join("crl"), &crl).unwrap();
    let lists = openssl_ok(dir.path(), "crl -inform DER -in crl")
        + &std::fs::read_to_string(dir.path().join("crls")).unwrap();
    std::fs::write(dir.path().join("crls"), lists).unwrap();
    assert!(!verdict("good").status.success());
    let crl = Crl::from_der(&crl).unwrap();
    let root = rig.root.certificate();
    crl.verify(&root.public_key().unwrap()).unwrap();
    assert_eq!(crl.issuer_der(), root.subject_der());
    assert_eq!(crl.authority_key_id(), root.subject_key_id());
    assert_eq!(crl.number(), Some(3));
}

#[test]
fn a_responder_answers_for_its_ca_and_for_nothing_else() {
    let rig = Rig::new();
    let issuing = rig.issuing.authority();
    let signer = key(RESPONDER_KEY);
    let responder =
        make_responder_certificate(issuing, signer.public_key(), serial(), NOW).unwrap();
    assert!(responder.has_purpose(KeyPurpose::OcspSigning));
    assert!(!responder.has_purpose(KeyPurpose::ClientAuth) && !responder.is_ca());
    assert_eq!(
        responder.issuer_der(),
        rig.issuing.certificate().subject_der()
    );
    assert_eq!(responder.not_after(), (NOW + RESPONDER_LIFETIME).as_secs());
    assert!(responder.names().is_empty());

    let dir = tempfile::tempdir().unwrap();
    let device = rig.plain_device();
    for (name, certificate) in [
        ("root", rig.root.certificate()),
        ("issuing", rig.issuing.certificate()),
        ("device", &device),
    ] {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    }
    openssl_ok(
        dir.path(),
        "ocsp -issuer issuing -cert device -reqout asked",
    );
    let request = OcspRequest::from_der(&std::fs::read(dir.path().join("asked")).unwrap()).unwrap();
    let names = IssuerHash::all(issuing.name(), &issuing.certificate().public_key().unwrap());
    assert!(names.contains(request.certs[0].issuer().unwrap()));
    let answers = [SingleAnswer {
        id: &request.certs[0],
        status: CertStatus::Good,
        this_update: NOW.as_secs(),
        next_update: NOW.as_secs() + 600,
    }];
    let answer = OcspAnswer {
        answers: &answers,
        nonce: request.nonce.as_deref(),
        produced_at: NOW.as_secs(),
        responder: &responder,
    };
    std::fs::write(
        dir.path().join("answer"),
        sign_ocsp(&answer, &*signer).unwrap(),
    )
    .unwrap();
    let now = NOW.as_secs();
    let hear = |at: i64| {
        let arguments = format!(
            "ocsp -no_nonce -issuer issuing -cert device -respin answer -CAfile root -verify_other issuing -attime {at} -validity_period 4000000000"
        );
        let output = openssl(dir.path(), &arguments);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let said = hear(now);
    assert!(
        said.contains("Response verify OK") && said.contains("device: good"),
        "{said}"
    );
    // A day later it is nobody's responder.
    let said = hear(now + 86_401);
    assert!(said.contains("certificate has expired"), "{said}");
}

#[test]
fn a_responder_never_outlives_its_ca() {
    let rig = Rig::new();
    let issuing = rig.issuing.authority();
    let end = rig.issuing.certificate().not_after();
    let signer = key(KeyKind::P256);
    let make = |at| {
        let now = Timestamp::from_secs(at);
        make_responder_certificate(issuing, signer.public_key(), serial(), now)
    };
    assert_eq!(make(end - 60).unwrap().not_after(), end);
    assert!(matches!(make(end), Err(IssueRefusal::IssuerExpired)));
}

#[test]
fn a_list_of_a_place_that_is_no_url_is_not_signed() {
    let rig = Rig::new();
    let content = CrlContent {
        number: 1,
        this_update: NOW,
        next_update: NOW,
        distribution_point: Some("no url"),
        entries_der: &[],
    };
    let refusal = rig.issuing.authority().sign_crl(&content);
    assert!(matches!(refusal, Err(IssueRefusal::Failed(_))));
}
