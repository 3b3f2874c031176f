//! Device certificates and what does not get one.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::time::Duration;

use common::{NOW, Rig, WEEK, key, openssl_ok, plain_csr, serial, verified};
use enlist_ca::{IssueRefusal, Pointers};
use enlist_core::{CaId, CertificateProfile, CsrExtras, Serial};
use enlist_pki::path::{self, Anchors, ServerTrust, Usage};
use enlist_pki::{ChainError, Csr, KeyKind, KeyPurpose, Signer, SubjectName};
use proptest::prelude::*;
use rcgen::CertificateParams;

fn refusing() -> CertificateProfile {
    CertificateProfile {
        extras: CsrExtras::Refuse,
        ..CertificateProfile::default()
    }
}

/// A CSR that asks for the name of the server and for being a CA.
fn greedy_csr() -> Csr {
    let mut params = CertificateParams::new(vec!["enlist.example".into()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
        .extended_key_usages
        .push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "enlist.example");
    let key = rcgen::KeyPair::generate().unwrap();
    Csr::from_der(params.serialize_request(&key).unwrap().der()).unwrap()
}

#[test]
fn the_profile_is_that_of_the_design() {
    let ca: CaId = "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a11".parse().unwrap();
    let mut rig = Rig::with_pointers(&Pointers::at("http://enlist.example", ca, 1));
    rig.hardware = Some("soc:1a2b3c4d5e".parse().unwrap());
    let csr = plain_csr(&*key(KeyKind::P256));
    let profile = CertificateProfile {
        dns_suffix: Some("devices.example".into()),
        ..CertificateProfile::default()
    };
    let serial = Serial::from_be_bytes(&[0x9f; 16]).unwrap();
    let device = rig
        .issuing
        .device(&verified(&csr), &rig.subject(), &profile, WEEK, serial, NOW)
        .unwrap();
    assert_eq!(device.serial(), [0x9f; 16]);
    assert_eq!(device.serial_hex(), serial.to_string());
    assert_eq!(device.not_before(), NOW.as_secs() - 300);
    assert_eq!(device.not_after(), NOW.as_secs() + 168 * 3600);
    assert_eq!(device.public_key().unwrap(), *csr.public_key());
    assert_eq!(
        device.authority_key_id(),
        rig.issuing.certificate().subject_key_id()
    );

    let dir = tempfile::tempdir().unwrap();
    for (name, certificate) in [
        ("root", rig.root.certificate()),
        ("issuing", rig.issuing.certificate()),
        ("device", &device),
    ] {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    }
    let now = NOW.as_secs();
    let verify = format!("verify -x509_strict -attime {now} -purpose sslclient");
    openssl_ok(
        dir.path(),
        &format!("{verify} -CAfile root -untrusted issuing device"),
    );
    // Consumers anchor at the issuing CA.
    openssl_ok(
        dir.path(),
        &format!("{verify} -partial_chain -trusted issuing device"),
    );
    let shown = openssl_ok(dir.path(), "x509 -in device -noout -text");
    for expected in [
        "Version: 3 (0x2)",
        "Subject: CN = press-7, serialNumber = 0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10",
        "DNS:press-7.hall-2.acme.devices.example, URI:urn:uuid:0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "othername: 1.3.6.1.5.5.7.8.4",
        "URI:http://enlist.example/crl/0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a11.crl",
        "OCSP - URI:http://enlist.example/ocsp",
        "CA Issuers - URI:http://enlist.example/ca/0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a11.cer",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
    assert!(!shown.contains("Basic Constraints"));
}

#[test]
fn without_a_public_address_nothing_points_anywhere() {
    let rig = Rig::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("device"), rig.plain_device().to_pem()).unwrap();
    let shown = openssl_ok(dir.path(), "x509 -in device -noout -text");
    assert!(!shown.contains("CRL Distribution") && !shown.contains("Authority Information"));
    assert!(shown.contains("DNS:press-7.hall-2.acme, URI"));
}

#[test]
fn every_kind_of_key_is_certified() {
    let rig = Rig::new();
    let anchors = Anchors::from_der([rig.root.certificate().der()]).unwrap();
    let issuing = [rig.issuing.certificate().to_rustls()];
    for kind in [
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::Ed25519,
        KeyKind::Rsa(2048),
    ] {
        let csr = plain_csr(&*key(kind));
        let device = rig
            .device(&csr, &CertificateProfile::default(), WEEK, NOW)
            .unwrap();
        let now = NOW.as_secs();
        path::verify(device.der(), &issuing, &anchors, now, Usage::Client).unwrap();
    }
}

#[test]
fn wishes_are_ignored_and_never_granted() {
    let rig = Rig::new();
    let device = rig
        .device(&greedy_csr(), &CertificateProfile::default(), WEEK, NOW)
        .unwrap();
    assert!(!device.is_ca());
    assert!(!device.has_purpose(KeyPurpose::ServerAuth));
    assert_eq!(device.common_name().as_deref(), Some("press-7"));
    assert_eq!(
        device.names(),
        [
            SubjectName::Dns("press-7.hall-2.acme".into()),
            SubjectName::Uri(format!("urn:uuid:{}", rig.id)),
        ]
    );
}

#[test]
fn a_profile_may_refuse_wishes_instead() {
    let rig = Rig::new();
    assert!(matches!(
        rig.device(&greedy_csr(), &refusing(), WEEK, NOW),
        Err(IssueRefusal::Extras)
    ));
    // Its own name is no wish, another's is.
    let key = key(KeyKind::P256);
    rig.device(&plain_csr(&*key), &refusing(), WEEK, NOW)
        .unwrap();
    let other = enlist_pki::csr::build(&*key, "press-8").unwrap();
    assert!(matches!(
        rig.device(&Csr::from_der(&other).unwrap(), &refusing(), WEEK, NOW),
        Err(IssueRefusal::Extras)
    ));
}

#[test]
fn a_certificate_never_outlives_its_ca_and_none_comes_of_an_expired_one() {
    let rig = Rig::new();
    let csr = plain_csr(&*key(KeyKind::P256));
    let profile = CertificateProfile::default();
    let end = rig.issuing.certificate().not_after();
    let late = enlist_core::Timestamp::from_secs(end - 60);
    let device = rig.device(&csr, &profile, WEEK, late).unwrap();
    assert_eq!(device.not_after(), end);
    let over = enlist_core::Timestamp::from_secs(end);
    assert!(matches!(
        rig.device(&csr, &profile, WEEK, over),
        Err(IssueRefusal::IssuerExpired)
    ));
    for none in [Duration::ZERO, Duration::from_millis(999)] {
        assert!(matches!(
            rig.device(&csr, &profile, none, NOW),
            Err(IssueRefusal::NoLifetime)
        ));
    }
    assert_eq!(
        rig.device(&csr, &profile, Duration::MAX, NOW)
            .unwrap()
            .not_after(),
        end
    );
}

#[test]
fn the_longest_names_fit() {
    let mut rig = Rig::new();
    let long: enlist_core::Name = "n".repeat(63).parse().unwrap();
    (rig.name, rig.group, rig.tenant) = (long.clone(), long.clone(), long);
    let profile = CertificateProfile {
        dns_suffix: Some(format!("{}.example", "s".repeat(52))),
        ..CertificateProfile::default()
    };
    profile.check().unwrap();
    let csr = plain_csr(&*key(KeyKind::P256));
    let device = rig.device(&csr, &profile, WEEK, NOW).unwrap();
    let [SubjectName::Dns(name), _] = device.names() else {
        panic!("{:?}", device.names());
    };
    assert_eq!(name.len(), 252);
}

/// The attack of the design: a device certificate with serverAuth and the very name of the
/// server, and the issuing CA presented along.
#[test]
fn no_device_certificate_poses_as_the_server() {
    let mut rig = Rig::new();
    (rig.name, rig.group, rig.tenant) = (
        "enlist".parse().unwrap(),
        "example".parse().unwrap(),
        "com".parse().unwrap(),
    );
    let profile = CertificateProfile {
        server_auth: true,
        ..CertificateProfile::default()
    };
    let csr = plain_csr(&*key(KeyKind::P256));
    let device = rig.device(&csr, &profile, WEEK, NOW).unwrap();
    assert!(device.has_purpose(KeyPurpose::ServerAuth));
    let name = "enlist.example.com".try_into().unwrap();
    let now = NOW.as_secs();
    let anchors = Anchors::from_der([rig.root.certificate().der()]).unwrap();
    let (issuing, service) = (rig.issuing.certificate(), rig.service.certificate());
    let chains = [
        vec![device.to_rustls()],
        vec![device.to_rustls(), issuing.to_rustls()],
        vec![device.to_rustls(), issuing.to_rustls(), service.to_rustls()],
        vec![
            device.to_rustls(),
            service.to_rustls(),
            issuing.to_rustls(),
            rig.root.certificate().to_rustls(),
        ],
    ];
    for chain in &chains {
        // An ordinary verifier would believe it where the issuing CA comes along.
        let ordinary = path::verify(device.der(), &chain[1..], &anchors, now, Usage::Server);
        assert_eq!(ordinary.is_ok(), chain.len() > 1);
        let trust = ServerTrust {
            anchors: anchors.clone(),
            service_anchors: Anchors::default(),
        };
        assert!(matches!(
            path::verify_server(chain, &trust, &name, now),
            Err(ChainError::UntrustedIssuer)
        ));
        // Nor does an unrelated service anchor help.
        let trust = ServerTrust {
            anchors: anchors.clone(),
            service_anchors: Anchors::from_der([Rig::new().root.certificate().der()]).unwrap(),
        };
        assert!(path::verify_server(chain, &trust, &name, now).is_err());
    }
    // The real server, under the same name, is believed.
    let (server, _) = rig.server(&["enlist.example.com"]);
    let trust = ServerTrust {
        anchors,
        service_anchors: Anchors::default(),
    };
    let chain = [server.to_rustls(), service.to_rustls()];
    path::verify_server(&chain, &trust, &name, now).unwrap();
}

#[test]
fn a_server_from_elsewhere_is_believed_by_its_own_anchor() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let leaf = CertificateParams::new(vec!["enlist.example".into()])
        .unwrap()
        .signed_by(&rcgen::KeyPair::generate().unwrap(), &issuer)
        .unwrap();
    let name = "enlist.example".try_into().unwrap();
    let trust = |service_anchors| ServerTrust {
        anchors: Anchors::from_der([ours.root.certificate().der()]).unwrap(),
        service_anchors,
    };
    let elsewhere = trust(Anchors::from_der([&**ca.der()]).unwrap());
    let chain = [leaf.der().clone()];
    let now = NOW.as_secs();
    path::verify_server(&chain, &elsewhere, &name, now).unwrap();
    assert!(path::verify_server(&chain, &trust(Anchors::default()), &name, now).is_err());
    // And ours still is.
    let (server, _) = ours.server(&["enlist.example"]);
    let chain = [server.to_rustls(), ours.service.certificate().to_rustls()];
    path::verify_server(&chain, &elsewhere, &name, now).unwrap();
    // Another installation's is not.
    let (server, _) = theirs.server(&["enlist.example"]);
    let chain = [server.to_rustls(), theirs.service.certificate().to_rustls()];
    assert!(path::verify_server(&chain, &elsewhere, &name, now).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_serial_number_it_comes_back(bytes in any::<[u8; 16]>()) {
        prop_assume!(bytes[0] != 0);
        let rig = Rig::new();
        let csr = plain_csr(&*key(KeyKind::P256));
        let wanted = Serial::from_be_bytes(&bytes).unwrap();
        let device = rig.issuing.device(
            &verified(&csr), &rig.subject(), &CertificateProfile::default(), WEEK, wanted, NOW,
        ).unwrap();
        prop_assert_eq!(Serial::from_be_bytes(device.serial()), Some(wanted));
    }
}

#[test]
fn a_signer_that_fails_is_an_error_not_a_certificate() {
    use enlist_pki::{PublicKey, SignError, SignatureScheme};
    struct Broken(PublicKey);
    impl Signer for Broken {
        fn public_key(&self) -> &PublicKey {
            &self.0
        }
        fn sign_with(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, SignError> {
            Err(SignError::Failed("the token was pulled out".into()))
        }
    }
    let broken = std::sync::Arc::new(Broken(key(KeyKind::P384).public_key().clone()));
    let error = enlist_ca::make_root(broken, serial(), NOW).unwrap_err();
    let causes: Vec<_> =
        std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source())
            .map(ToString::to_string)
            .collect();
    assert_eq!(
        causes.last().map(String::as_str),
        Some("the token was pulled out")
    );
}
