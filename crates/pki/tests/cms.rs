//! Certificates in CMS, ours and OpenSSL's.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Ca, TestKey, openssl_ok, text};
use enlist_pki::Certificate;
use enlist_pki::cms::{self, CmsError, MAX_CERTIFICATES, MAX_FILE_LEN};
use enlist_pki::path;
use proptest::prelude::*;
use tempfile::TempDir;

fn three() -> (Ca, Vec<Certificate>) {
    let ca = Ca::new();
    let leaf = |serial: u8| ca.certify(&TestKey::new(), &[serial], &[]);
    let all = vec![leaf(2), ca.certificate.clone(), leaf(3)];
    (ca, all)
}

fn wrapped(certificates: &[Certificate]) -> Vec<u8> {
    let all: Vec<&Certificate> = certificates.iter().collect();
    cms::certs_only(&all).unwrap()
}

fn sorted(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    certificates.sort_by(|one, other| one.der().cmp(other.der()));
    certificates
}

#[test]
fn openssl_prints_what_we_wrapped() {
    let (_, certificates) = three();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("certs.p7"), wrapped(&certificates)).unwrap();
    let printed = text(openssl_ok(
        dir.path(),
        "pkcs7 -inform DER -in certs.p7 -print_certs",
    ));
    let printed = enlist_pki::chain_from_pem(&printed).unwrap();
    assert_eq!(sorted(printed), sorted(certificates));
    // And as CMS, the younger of the two.
    openssl_ok(
        dir.path(),
        "cms -cmsout -inform DER -in certs.p7 -print -noout",
    );
}

#[test]
fn what_we_wrapped_we_read_in_the_order_of_the_bytes() {
    let (_, certificates) = three();
    let read = cms::certificates(&wrapped(&certificates)).unwrap();
    assert_eq!(read, sorted(certificates.clone()));
    // Twice the same is once the same.
    let twice = [certificates.clone(), certificates.clone()].concat();
    assert_eq!(wrapped(&twice), wrapped(&certificates));
}

#[test]
fn files_of_every_form_are_read() {
    let (_, certificates) = three();
    let dir = TempDir::new().unwrap();
    let pem: String = certificates.iter().map(Certificate::to_pem).collect();
    let der: Vec<u8> = certificates
        .iter()
        .flat_map(|one| one.der().to_vec())
        .collect();
    std::fs::write(dir.path().join("certs.pem"), &pem).unwrap();
    let p7b = openssl_ok(dir.path(), "crl2pkcs7 -nocrl -certfile certs.pem");
    let p7c = openssl_ok(
        dir.path(),
        "crl2pkcs7 -nocrl -certfile certs.pem -outform DER",
    );
    let cms = text(p7b.clone()).replace("PKCS7", "CMS").into_bytes();
    for file in [pem.as_bytes(), &der, &p7b, &p7c, &cms] {
        let read = cms::certificates(file).unwrap();
        assert_eq!(sorted(read), sorted(certificates.clone()));
    }
}

#[test]
fn what_holds_no_certificate_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let none = wrapped(&[]);
    for file in [&b""[..], b"hello", b"\xff\xfe", &none] {
        assert!(matches!(cms::certificates(file), Err(CmsError::None)));
    }
    std::fs::write(dir.path().join("text"), "hello").unwrap();
    let data = openssl_ok(dir.path(), "cms -data_create -in text -outform DER");
    assert!(matches!(
        cms::certificates(&data),
        Err(CmsError::OtherContent)
    ));
    let large = vec![0x30; MAX_FILE_LEN + 1];
    assert!(matches!(
        cms::certificates(&large),
        Err(CmsError::TooLarge(_))
    ));
    let many = Ca::new().certificate.to_pem().repeat(MAX_CERTIFICATES + 1);
    assert!(matches!(
        cms::certificates(many.as_bytes()),
        Err(CmsError::TooMany)
    ));
    for broken in [
        "-----BEGIN PKCS7-----\n!!!\n-----END PKCS7-----\n",
        "-----BEGIN PKCS7-----\nMAA=\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    ] {
        assert!(cms::certificates(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let (_, certificates) = three();
    let file = wrapped(&certificates);
    for len in 0..file.len() {
        assert!(cms::certificates(&file[..len]).is_err(), "{len}");
    }
}

#[test]
fn no_certificate_in_a_changed_file_is_believed_but_those_that_were_there() {
    let (ca, certificates) = three();
    let file = wrapped(&certificates);
    for at in 0..file.len() {
        for flip in [0x01, 0x20, 0xff] {
            let mut changed = file.clone();
            changed[at] ^= flip;
            for read in cms::certificates(&changed).unwrap_or_default() {
                let known = certificates.contains(&read);
                let believed = path::verify_issued(&read, &ca.certificate, 1_800_000_000);
                assert!(known || believed.is_err(), "byte {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_at_all_are_answered_without_a_panic(
        first in prop_oneof![Just(0x30u8), Just(b'-'), any::<u8>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(cms::certificates(&[&[first], &bytes[..]].concat()).is_err());
    }
}
