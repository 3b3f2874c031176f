//! Revocation lists written and read, with OpenSSL as the judge.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Ca, TestKey, openssl, openssl_ok, text};
use enlist_pki::{
    Certificate, Crl, CrlError, CrlReason, CrlSpec, Extension, RevokedEntry, Signer, sign_crl,
};
use proptest::prelude::*;
use tempfile::TempDir;

const NOW: i64 = 1_800_000_000;
const URL: &str = "http://pki.example/crl/ca/4/1.crl";

fn entry(last: u8, reason: CrlReason) -> RevokedEntry {
    let mut serial = [0x9a; 16];
    serial[15] = last;
    RevokedEntry {
        serial,
        at: NOW - i64::from(last),
        reason,
    }
}

fn encoded(entries: &[RevokedEntry]) -> Vec<u8> {
    let mut der = Vec::new();
    entries.iter().for_each(|entry| entry.append_to(&mut der));
    der
}

fn list(ca: &Ca, entries: &[RevokedEntry], distribution_point: Option<&str>) -> Vec<u8> {
    let spec = CrlSpec {
        issuer: &ca.name,
        authority_key_id: ca.certificate.subject_key_id().unwrap(),
        number: 1_800_000_000_123,
        this_update: NOW,
        next_update: NOW + 7 * 86400,
        distribution_point,
        entries_der: &encoded(entries),
    };
    sign_crl(&spec, &ca.key).unwrap()
}

fn one_of_each() -> Vec<RevokedEntry> {
    let reasons = [
        CrlReason::Unspecified,
        CrlReason::KeyCompromise,
        CrlReason::Superseded,
        CrlReason::CessationOfOperation,
        CrlReason::CertificateHold,
    ];
    (1..)
        .zip(reasons)
        .map(|(last, reason)| entry(last, reason))
        .collect()
}

#[test]
fn what_was_listed_is_read() {
    let ca = Ca::new();
    let entries = one_of_each();
    let crl = Crl::from_der(&list(&ca, &entries, Some(URL))).unwrap();
    crl.verify(ca.key.public_key()).unwrap();
    assert_eq!(crl.issuer_der(), ca.certificate.subject_der());
    assert_eq!(crl.authority_key_id(), ca.certificate.subject_key_id());
    assert_eq!(crl.number(), Some(1_800_000_000_123));
    assert_eq!(crl.this_update(), NOW);
    assert_eq!(crl.next_update(), NOW + 7 * 86400);
    assert_eq!(crl.distribution_point(), Some(URL));
    assert_eq!(crl.len(), 5);
    for (read, written) in crl.entries().zip(&entries) {
        assert_eq!(read.serial, written.serial);
        assert_eq!((read.at, read.reason), (written.at, Some(written.reason)));
    }
    assert!(crl.verify(TestKey::new().public_key()).is_err());
}

#[test]
fn openssl_verifies_the_list_and_says_the_same() {
    let ca = Ca::new();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("ca.pem"), ca.certificate.to_pem()).unwrap();
    let crl = list(&ca, &one_of_each(), Some(URL));
    std::fs::write(dir.path().join("part.crl"), crl).unwrap();
    std::fs::write(dir.path().join("empty.crl"), list(&ca, &[], None)).unwrap();
    let show = |file: &str| {
        let arguments = format!("crl -inform DER -in {file} -CAfile ca.pem -noout -text -verify");
        let shown = openssl(dir.path(), &arguments);
        let said = text(shown.stderr);
        assert!(said.contains("verify OK"), "{said}");
        text(shown.stdout)
    };
    let shown = show("part.crl");
    for expected in [
        "Version 2 (0x1)",
        "Issuer: CN = Test CA",
        "X509v3 CRL Number: \n                1800000000123",
        "X509v3 Issuing Distribution Point: critical",
        "URI:http://pki.example/crl/ca/4/1.crl",
        "Serial Number: 9A9A9A9A9A9A9A9A9A9A9A9A9A9A9A01",
        "Key Compromise",
        "Superseded",
        "Cessation Of Operation",
        "Certificate Hold",
        "Revocation Date: Jan 15 07:59:55 2027 GMT",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
    assert!(!shown.contains("Unspecified"), "{shown}");
    let shown = show("empty.crl");
    assert!(shown.contains("No Revoked Certificates"), "{shown}");
    assert!(!shown.contains("Distribution Point"), "{shown}");
    // An empty list says so by leaving it out.
    let dumped = text(openssl_ok(
        dir.path(),
        "asn1parse -inform DER -in empty.crl",
    ));
    assert!(!dumped.contains("l=   0 cons: SEQUENCE"), "{dumped}");
}

#[test]
fn openssl_turns_a_listed_certificate_away_and_takes_the_next() {
    let ca = Ca::new();
    let dir = TempDir::new().unwrap();
    let revoked = entry(1, CrlReason::CertificateHold);
    let crl_url = Extension::crl_url(URL).unwrap();
    let write = |name: &str, certificate: &Certificate| {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    };
    write("ca.pem", &ca.certificate);
    write(
        "bad.pem",
        &ca.certify(&TestKey::new(), &revoked.serial, &[&crl_url]),
    );
    write(
        "good.pem",
        &ca.certify(&TestKey::new(), &[0x9a; 16], &[&crl_url]),
    );
    std::fs::write(dir.path().join("crl"), list(&ca, &[revoked], Some(URL))).unwrap();
    openssl_ok(dir.path(), "crl -inform DER -in crl -out crl.pem");
    let verdict = |leaf: &str| {
        let arguments = format!(
            "verify -x509_strict -extended_crl -crl_check -attime {NOW} -CAfile ca.pem -CRLfile crl.pem {leaf}"
        );
        openssl(dir.path(), &arguments)
    };
    assert!(verdict("good.pem").status.success());
    let said = text(verdict("bad.pem").stderr);
    assert!(said.contains("certificate revoked"), "{said}");
}

#[test]
fn serials_and_times_at_their_ends_read_back() {
    let ca = Ca::new();
    let mut small = [0; 16];
    small[15] = 1;
    let mut signed = [0; 16];
    signed[8] = 0x80;
    for (serial, read) in [
        ([0; 16], &[0][..]),
        (small, &[1]),
        (signed, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ([0xff; 16], &[0xff; 16]),
    ] {
        // Before 1970 and after 9999, which X.509 can't say.
        for (at, nearest) in [
            (i64::MIN, 0),
            (0, 0),
            (2_524_607_999, 2_524_607_999),
            (2_524_608_000, 2_524_608_000),
            (i64::MAX, 253_402_300_799),
        ] {
            let reason = CrlReason::KeyCompromise;
            let crl = list(&ca, &[RevokedEntry { serial, at, reason }], None);
            let crl = Crl::from_der(&crl).unwrap();
            let entry = crl.entries().next().unwrap();
            assert_eq!((entry.serial, entry.at), (read, nearest));
        }
    }
}

#[test]
fn a_list_needs_times_and_a_place_that_x509_can_say() {
    let ca = Ca::new();
    let spec = CrlSpec {
        issuer: &ca.name,
        authority_key_id: &[1],
        number: 1,
        this_update: NOW,
        next_update: NOW,
        distribution_point: None,
        entries_der: &[],
    };
    sign_crl(&spec, &ca.key).unwrap();
    for bad in [
        CrlSpec {
            this_update: -1,
            ..spec
        },
        CrlSpec {
            next_update: i64::MAX,
            ..spec
        },
        CrlSpec {
            distribution_point: Some(""),
            ..spec
        },
        CrlSpec {
            distribution_point: Some("http://pki.example/\n"),
            ..spec
        },
    ] {
        assert!(sign_crl(&bad, &ca.key).is_err());
    }
}

#[test]
fn a_hundred_thousand_entries_are_signed_and_read() {
    let ca = Ca::new();
    let mut der = Vec::new();
    for number in 0..100_000u32 {
        let mut entry = entry(0, CrlReason::Superseded);
        entry.serial[..4].copy_from_slice(&number.to_be_bytes());
        entry.append_to(&mut der);
    }
    let spec = CrlSpec {
        issuer: &ca.name,
        authority_key_id: &[1],
        number: 1,
        this_update: NOW,
        next_update: NOW,
        distribution_point: None,
        entries_der: &der,
    };
    let crl = Crl::from_der(&sign_crl(&spec, &ca.key).unwrap()).unwrap();
    crl.verify(ca.key.public_key()).unwrap();
    assert_eq!((crl.len(), crl.entries().count()), (100_000, 100_000));
}

#[test]
fn every_truncation_and_any_trailing_byte_is_refused() {
    let ca = Ca::new();
    let crl = list(&ca, &one_of_each(), Some(URL));
    for len in 0..crl.len() {
        assert!(Crl::from_der(&crl[..len]).is_err(), "{len}");
    }
    let longer = [&crl[..], &[0]].concat();
    assert!(matches!(
        Crl::from_der(&longer),
        Err(CrlError::TrailingBytes)
    ));
}

#[test]
fn no_list_with_a_changed_byte_is_believed() {
    let ca = Ca::new();
    let crl = list(&ca, &one_of_each(), Some(URL));
    for at in 0..crl.len() {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = crl.clone();
            changed[at] ^= flip;
            if let Ok(read) = Crl::from_der(&changed) {
                assert!(read.verify(ca.key.public_key()).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn a_list_with_a_critical_extension_that_nobody_knows_is_refused() {
    let ca = Ca::new();
    let crl = list(&ca, &[], Some(URL));
    // The issuing distribution point, under another name.
    let id = [0x06, 3, 0x55, 0x1d, 0x1c];
    let at = crl.windows(5).position(|bytes| bytes == id).unwrap();
    let mut changed = crl;
    changed[at + 4] = 0x7e;
    assert!(matches!(
        Crl::from_der(&changed),
        Err(CrlError::CriticalExtension)
    ));
}

proptest! {
    #[test]
    fn any_bytes_at_all_are_answered_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Crl::from_der(&bytes).is_err());
    }
}
