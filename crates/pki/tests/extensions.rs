//! What certificates say in their extensions, and how much of it is read.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Ca, TestKey, name, openssl_ok, text};
use enlist_pki::{
    Certificate, CertificateError, CertificateSpec, Extension, IssueError, Signer, SubjectName,
    oid, sign_certificate,
};
use tempfile::TempDir;

#[test]
fn hardware_is_named_as_802_1ar_has_it() {
    let hardware = SubjectName::HardwareModule {
        hw_type: oid::hardware::MAC,
        serial: b"00:1a:2b:3c:4d:5e".to_vec(),
    };
    let names = [SubjectName::Dns("press-7".into()), hardware];
    let extension = Extension::subject_names(&names).unwrap();
    let leaf = Ca::new().certify(&TestKey::new(), &[5], &[&extension]);
    assert_eq!(leaf.names(), names);
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("leaf.pem"), leaf.to_pem()).unwrap();
    let shown = text(openssl_ok(dir.path(), "x509 -in leaf.pem -noout -text"));
    assert!(
        shown.contains("X509v3 Subject Alternative Name: \n"),
        "{shown}"
    );
    assert!(shown.contains("othername: 1.3.6.1.5.5.7.8.4"), "{shown}");
    let dumped = text(openssl_ok(dir.path(), "asn1parse -in leaf.pem"));
    let san = dumped
        .lines()
        .skip_while(|line| !line.contains("Subject Alternative Name"))
        .nth(1)
        .unwrap();
    let at = san.trim().split(':').next().unwrap();
    let inside = openssl_ok(
        dir.path(),
        &format!("asn1parse -in leaf.pem -strparse {at}"),
    );
    let inside = text(inside);
    for expected in [
        "OBJECT            :1.3.6.1.5.5.7.8.4",
        "OBJECT            :2.25.139621883.4",
        "OCTET STRING      :00:1a:2b:3c:4d:5e",
    ] {
        assert!(inside.contains(expected), "{expected} not in {inside}");
    }
}

#[test]
fn other_names_of_others_are_kept_as_they_are() {
    let dir = TempDir::new().unwrap();
    let pem = text(openssl_ok(
        dir.path(),
        "req -x509 -newkey ed25519 -nodes -keyout key.pem -subj /CN=x -addext subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:x@y,otherName:1.3.6.1.5.5.7.8.4;UTF8:none,DNS:z",
    ));
    let certificate = Certificate::from_pem(&pem).unwrap();
    let [
        SubjectName::Other(_),
        SubjectName::Other(_),
        SubjectName::Dns(z),
    ] = certificate.names()
    else {
        panic!("{:?}", certificate.names());
    };
    assert_eq!(z, "z");
    let again = Extension::subject_names(certificate.names()).unwrap();
    let copy = Ca::new().certify(&TestKey::new(), &[5], &[&again]);
    assert_eq!(copy.names(), certificate.names());
}

#[test]
fn a_certificate_of_countless_extensions_is_refused() {
    let key = TestKey::new();
    let all: Vec<_> = (0..65)
        .map(|number| Extension::subject_key_id(&[number]).unwrap())
        .collect();
    let ca = Ca::new();
    let issue = |extensions: &[&Extension]| {
        let subject = name("x");
        let spec = CertificateSpec {
            serial: &[1],
            issuer: &ca.name,
            subject: &subject,
            public_key: key.public_key(),
            not_before: 0,
            not_after: 1,
            extensions,
        };
        sign_certificate(&spec, &ca.key).unwrap_err()
    };
    let all: Vec<&Extension> = all.iter().collect();
    assert!(matches!(
        issue(&all[..2]),
        IssueError::Unreadable(CertificateError::RepeatedExtension)
    ));
    assert!(matches!(
        issue(&all),
        IssueError::Unreadable(CertificateError::Malformed(_))
    ));
}
