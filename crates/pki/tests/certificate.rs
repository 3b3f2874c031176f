//! Certificates written and read, with OpenSSL as the judge.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{TestKey, name, openssl_ok, text};
use enlist_pki::path::{self, Anchors, Usage};
use enlist_pki::{
    Attribute, Certificate, CertificateError, CertificateSpec, ChainError, DistinguishedName,
    Extension, IssueError, KeyPurpose, KeyUse, SERVER_POLICY_OID, Signer, SubjectName,
    chain_from_pem, sign_certificate,
};
use proptest::prelude::*;
use tempfile::TempDir;

const NOW: i64 = 1_800_000_000;

struct Pair {
    ca: Certificate,
    leaf: Certificate,
}

fn pair() -> Pair {
    pair_valid(NOW - 300, NOW + 3600)
}

fn pair_valid(not_before: i64, not_after: i64) -> Pair {
    let (ca_key, key) = (TestKey::new(), TestKey::new());
    let ca_name = name("Test CA");
    let ca = sign_certificate(
        &CertificateSpec {
            serial: &[1],
            issuer: &ca_name,
            subject: &ca_name,
            public_key: ca_key.public_key(),
            not_before: 0,
            // In 2060: GeneralizedTime.
            not_after: 2_840_140_800,
            extensions: &[
                &Extension::certificate_authority(Some(0)).unwrap(),
                &Extension::key_usage(&[KeyUse::CertificateSigning, KeyUse::CrlSigning]).unwrap(),
                &Extension::subject_key_id(&ca_key.public_key().key_id()).unwrap(),
                &Extension::policies(&[SERVER_POLICY_OID]).unwrap(),
            ],
        },
        &ca_key,
    )
    .unwrap();
    let leaf = sign_certificate(
        &CertificateSpec {
            serial: &[0x00, 0x00, 0xfe, 0xdc],
            issuer: &ca.subject(),
            subject: &DistinguishedName::new(&[
                (Attribute::CommonName, "press-7"),
                (Attribute::SerialNumber, "0190f3a2-7c1e"),
            ])
            .unwrap(),
            public_key: key.public_key(),
            not_before,
            not_after,
            extensions: &[
                &Extension::key_usage(&[KeyUse::DigitalSignature]).unwrap(),
                &Extension::key_purposes(&[KeyPurpose::ClientAuth]).unwrap(),
                &Extension::subject_names(&[
                    SubjectName::Dns("press-7.hall.acme".into()),
                    SubjectName::Uri("urn:uuid:0190f3a2".into()),
                    SubjectName::Ip("::1".parse().unwrap()),
                ])
                .unwrap(),
                &Extension::authority_key_id(&ca_key.public_key().key_id()).unwrap(),
                &Extension::subject_key_id(&key.public_key().key_id()).unwrap(),
                &Extension::crl_url("http://enlist.example/crl").unwrap(),
                &Extension::issuer_urls("http://enlist.example/ocsp", "http://enlist.example/ca")
                    .unwrap(),
            ],
        },
        &ca_key,
    )
    .unwrap();
    Pair { ca, leaf }
}

#[test]
fn what_was_written_is_read() {
    let Pair { ca, leaf } = pair();
    assert!(ca.is_ca() && !leaf.is_ca());
    assert!(ca.has_policy(SERVER_POLICY_OID) && !leaf.has_policy(SERVER_POLICY_OID));
    assert_eq!(leaf.serial(), [0xfe, 0xdc]);
    assert_eq!(leaf.serial_hex(), "fedc");
    assert_eq!(leaf.common_name().as_deref(), Some("press-7"));
    assert_eq!(leaf.issuer_der(), ca.subject_der());
    assert_eq!(leaf.authority_key_id(), ca.subject_key_id());
    assert_eq!(
        (leaf.not_before(), leaf.not_after()),
        (NOW - 300, NOW + 3600)
    );
    assert_eq!((ca.not_before(), ca.not_after()), (0, 2_840_140_800));
    assert!(leaf.has_purpose(KeyPurpose::ClientAuth));
    assert!(!leaf.has_purpose(KeyPurpose::ServerAuth));
    assert_eq!(leaf.names().len(), 3);
    assert!(leaf.is_current(NOW + 3600) && !leaf.is_current(NOW + 3601));
    assert_eq!(Certificate::from_pem(&leaf.to_pem()).unwrap(), leaf);
}

#[test]
fn openssl_reads_every_extension_and_verifies_the_chain() {
    let Pair { ca, leaf } = pair();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("ca.pem"), ca.to_pem()).unwrap();
    std::fs::write(dir.path().join("leaf.pem"), leaf.to_pem()).unwrap();
    openssl_ok(
        dir.path(),
        &format!(
            "verify -x509_strict -check_ss_sig -attime {NOW} -purpose sslclient -CAfile ca.pem leaf.pem"
        ),
    );
    let shown = text(openssl_ok(dir.path(), "x509 -in leaf.pem -noout -text"));
    for expected in [
        "Serial Number: 65244 (0xfedc)",
        "Subject: CN = press-7, serialNumber = 0190f3a2-7c1e",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Client Authentication\n",
        "DNS:press-7.hall.acme, URI:urn:uuid:0190f3a2, IP Address:0:0:0:0:0:0:0:1",
        "URI:http://enlist.example/crl",
        "OCSP - URI:http://enlist.example/ocsp",
        "CA Issuers - URI:http://enlist.example/ca",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
    let shown = text(openssl_ok(dir.path(), "x509 -in ca.pem -noout -text"));
    for expected in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "Certificate Sign, CRL Sign",
        "Policy: 2.25.202006337",
        "Not After : Jan  1 00:00:00 2060 GMT",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
    let dumped = text(openssl_ok(dir.path(), "asn1parse -in ca.pem"));
    assert!(dumped.contains("UTCTIME           :700101000000Z"));
    assert!(dumped.contains("GENERALIZEDTIME   :20600101000000Z"));
    let fingerprint = text(openssl_ok(
        dir.path(),
        "x509 -in leaf.pem -noout -fingerprint -sha256",
    ));
    let ours: Vec<_> = leaf
        .fingerprint()
        .iter()
        .map(|b| format!("{b:02X}"))
        .collect();
    assert!(fingerprint.contains(&ours.join(":")));
}

#[test]
fn a_serial_number_is_positive_and_of_20_octets_at_most() {
    let key = TestKey::new();
    let subject = name("x");
    let spec = CertificateSpec {
        serial: &[1],
        issuer: &subject,
        subject: &subject,
        public_key: key.public_key(),
        not_before: 0,
        not_after: 1,
        extensions: &[],
    };
    for serial in [&[][..], &[0, 0], &[0x7f; 21], &[0x80; 20]] {
        let spec = CertificateSpec { serial, ..spec };
        assert!(matches!(
            sign_certificate(&spec, &key),
            Err(IssueError::Serial)
        ));
    }
    for serial in [&[0x7f; 20][..], &[0, 1], &[0x80; 19]] {
        sign_certificate(&CertificateSpec { serial, ..spec }, &key).unwrap();
    }
}

#[test]
fn a_time_outside_x509_is_nothing_to_sign() {
    let key = TestKey::new();
    let subject = name("x");
    for (not_before, not_after) in [(-1, 0), (0, 253_402_300_800)] {
        let spec = CertificateSpec {
            serial: &[1],
            issuer: &subject,
            subject: &subject,
            public_key: key.public_key(),
            not_before,
            not_after,
            extensions: &[],
        };
        assert!(sign_certificate(&spec, &key).is_err());
    }
}

#[test]
fn an_issued_certificate_verifies_against_its_issuer_alone() {
    let Pair { ca, leaf } = pair();
    path::verify_issued(&leaf, &ca, NOW).unwrap();
    let refusal = |certificate, issuer, now| path::verify_issued(certificate, issuer, now);
    assert!(
        refusal(&leaf, &ca, NOW + 3601)
            .unwrap_err()
            .is_about_dates()
    );
    assert!(refusal(&leaf, &ca, NOW - 301).unwrap_err().is_about_dates());
    assert!(matches!(
        refusal(&leaf, &leaf, NOW),
        Err(ChainError::UntrustedIssuer)
    ));
    // Another CA of the same name: its key identifier gives it away.
    assert!(matches!(
        refusal(&leaf, &pair().ca, NOW),
        Err(ChainError::UntrustedIssuer)
    ));
}

#[test]
fn a_path_verifies_for_its_use_and_within_its_time() {
    let Pair { ca, leaf } = pair();
    let anchors = Anchors::from_der([ca.der()]).unwrap();
    let verdict = |now, usage| path::verify(leaf.der(), &[], &anchors, now, usage);
    verdict(NOW, Usage::Client).unwrap();
    verdict(NOW, Usage::Any).unwrap();
    assert!(matches!(
        verdict(NOW, Usage::Server),
        Err(ChainError::WrongUsage)
    ));
    assert!(matches!(
        verdict(NOW + 3601, Usage::Client),
        Err(ChainError::Expired)
    ));
    assert!(matches!(
        verdict(NOW - 301, Usage::Client),
        Err(ChainError::NotYetValid)
    ));
    let strangers = Anchors::from_pem(&pair().ca.to_pem()).unwrap();
    assert!(path::verify(leaf.der(), &[], &strangers, NOW, Usage::Any).is_err());
}

#[test]
fn a_chain_comes_out_of_pem_in_its_order() {
    let Pair { ca, leaf } = pair();
    let text = format!("the leaf\n{}the CA\n{}", leaf.to_pem(), ca.to_pem());
    assert_eq!(chain_from_pem(&text).unwrap(), [leaf, ca]);
    assert!(matches!(
        chain_from_pem("nothing here"),
        Err(CertificateError::NoneInPem)
    ));
}

#[test]
fn a_negative_serial_number_is_refused() {
    let leaf = pair().leaf;
    // 65244 becomes a number with its sign set.
    let at = leaf
        .der()
        .windows(5)
        .position(|bytes| bytes == [2, 3, 0, 0xfe, 0xdc])
        .unwrap();
    let mut der = leaf.der().to_vec();
    der[at + 2] = 0x80;
    assert!(matches!(
        Certificate::from_der(&der),
        Err(CertificateError::Malformed(_))
    ));
}

#[test]
fn certificates_of_others_are_read() {
    let dir = TempDir::new().unwrap();
    for key in [
        "-newkey ec -pkeyopt ec_paramgen_curve:P-521",
        "-newkey rsa:1024",
        "-newkey ed448",
    ] {
        let pem = text(openssl_ok(
            dir.path(),
            &format!(
                "req -x509 {key} -nodes -keyout key.pem -subj /C=DE/O=Maker/CN=Root -addext 2.25.329800735698586629295641978511506172918=DER:0500 -addext certificatePolicies=2.25.329800735698586629295641978511506172918"
            ),
        ));
        let certificate = Certificate::from_pem(&pem).unwrap();
        assert_eq!(certificate.common_name().as_deref(), Some("Root"));
        assert!(certificate.is_ca());
        // Read, but its key is not one we work with.
        assert!(certificate.public_key().is_err());
    }
}

#[test]
fn every_truncation_and_any_trailing_byte_is_refused() {
    let leaf = pair().leaf;
    let der = leaf.der();
    for len in 0..der.len() {
        assert!(matches!(
            Certificate::from_der(&der[..len]),
            Err(CertificateError::Malformed(_))
        ));
    }
    assert!(matches!(
        Certificate::from_der(&[der, &[0]].concat()),
        Err(CertificateError::TrailingBytes)
    ));
}

proptest! {
    /// What still reads after a change no longer verifies.
    #[test]
    fn a_changed_certificate_is_not_believed(at in 0usize..2000, flip in 1u8..) {
        let Pair { ca, leaf } = pair();
        let mut der = leaf.der().to_vec();
        let at = at % der.len();
        der[at] ^= flip;
        if let Ok(changed) = Certificate::from_der(&der) {
            prop_assert!(path::verify_issued(&changed, &ca, NOW).is_err());
        }
    }

    #[test]
    fn times_survive_the_way_through_x509(not_before in 0i64..4_000_000_000, span in 0i64..4_000_000_000) {
        let leaf = pair_valid(not_before, not_before + span).leaf;
        prop_assert_eq!(leaf.not_before(), not_before);
        prop_assert_eq!(leaf.not_after(), not_before + span);
    }
}
