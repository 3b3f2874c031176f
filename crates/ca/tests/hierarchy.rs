//! Root, service CA, issuing CAs and server certificates.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Rig, key, openssl, openssl_ok, serial};
use enlist_ca::{
    Authority, IssueRefusal, IssuingCa, Pointers, ROOT_KEY, SERVER_KEY, make_issuing_ca,
    make_server_certificate, make_service_ca,
};
use enlist_pki::path::{self, Anchors, ServerTrust};
use enlist_pki::{ChainError, KeyKind, SERVER_POLICY_OID, Signer, SubjectName};

const DAY: i64 = 24 * 3600;

#[test]
fn lifetimes_are_those_of_the_design() {
    let rig = Rig::new();
    let years = |from: i64, to: i64| (to - from) / (365 * DAY);
    for (certificate, expected) in [
        (rig.root.certificate(), 25),
        (rig.service.certificate(), 10),
        (rig.issuing.certificate(), 10),
    ] {
        assert_eq!(years(NOW.as_secs(), certificate.not_after()), expected);
        assert_eq!(certificate.not_before(), NOW.as_secs() - 300);
        assert!(certificate.is_ca());
    }
    let (server, _) = rig.server(&["localhost"]);
    assert_eq!(server.not_after(), NOW.as_secs() + 90 * DAY);
    assert!(!server.is_ca());
}

#[test]
fn only_the_service_ca_carries_the_mark() {
    let rig = Rig::new();
    assert!(rig.service.certificate().has_policy(SERVER_POLICY_OID));
    for certificate in [
        rig.root.certificate(),
        rig.issuing.certificate(),
        &rig.server(&["localhost"]).0,
        &rig.plain_device(),
    ] {
        assert!(!certificate.has_policy(SERVER_POLICY_OID));
    }
}

#[test]
fn each_certificate_verifies_against_its_issuer() {
    let rig = Rig::new();
    let now = NOW.as_secs();
    let (root, service) = (rig.root.certificate(), rig.service.certificate());
    path::verify_issued(root, root, now).unwrap();
    path::verify_issued(service, root, now).unwrap();
    path::verify_issued(rig.issuing.certificate(), root, now).unwrap();
    path::verify_issued(&rig.server(&["localhost"]).0, service, now).unwrap();
    path::verify_issued(&rig.plain_device(), rig.issuing.certificate(), now).unwrap();
    assert!(path::verify_issued(&rig.plain_device(), service, now).is_err());
}

#[test]
fn openssl_takes_the_server_and_finds_nothing_amiss() {
    let rig = Rig::new();
    let (server, _) = rig.server(&["enlist.example", "localhost", "127.0.0.1", "::1"]);
    let dir = tempfile::tempdir().unwrap();
    for (name, certificate) in [
        ("root", rig.root.certificate()),
        ("service", rig.service.certificate()),
        ("server", &server),
    ] {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    }
    let now = NOW.as_secs();
    let verify = format!(
        "verify -x509_strict -check_ss_sig -attime {now} -purpose sslserver -CAfile root -untrusted service"
    );
    for host in [
        "-verify_hostname enlist.example",
        "-verify_hostname localhost",
        "-verify_ip 127.0.0.1",
        "-verify_ip ::1",
    ] {
        openssl_ok(dir.path(), &format!("{verify} {host} server"));
    }
    let other = openssl(
        dir.path(),
        &format!("{verify} -verify_hostname other server"),
    );
    assert!(!other.status.success());

    let shown = openssl_ok(dir.path(), "x509 -in root -noout -text");
    assert!(shown.contains("CN = Enlist Root CA "), "{shown}");
    assert!(shown.contains("X509v3 Basic Constraints: critical\n                CA:TRUE\n"));
    assert!(
        shown.contains("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign")
    );
    assert!(shown.contains("ecdsa-with-SHA384"));
    let shown = openssl_ok(dir.path(), "x509 -in service -noout -text");
    assert!(shown.contains("CA:TRUE, pathlen:0"));
}

#[test]
fn a_tenant_is_the_organization_of_its_issuing_ca() {
    let rig = Rig::new();
    let long = "t".repeat(63).parse().unwrap();
    let ca_key = key(KeyKind::P256);
    let issuing = make_issuing_ca(&rig.root, &long, ca_key.public_key(), serial(), NOW).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca"), issuing.to_pem()).unwrap();
    let subject = openssl_ok(dir.path(), "x509 -in ca -noout -subject");
    assert!(
        subject.starts_with(&format!("subject=O = {long}, CN = Enlist Issuing CA ")),
        "{subject}"
    );
}

#[test]
fn a_consumer_anchored_at_one_tenant_takes_no_other_tenants_devices() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    let dir = tempfile::tempdir().unwrap();
    for (name, certificate) in [
        ("anchor", &ours.issuing.anchor().unwrap()),
        ("issuing", ours.issuing.certificate()),
        ("their-issuing", theirs.issuing.certificate()),
        ("device", &ours.plain_device()),
        ("their-device", &theirs.plain_device()),
    ] {
        std::fs::write(dir.path().join(name), certificate.to_pem()).unwrap();
    }
    let verify = format!(
        "verify -x509_strict -check_ss_sig -attime {} -purpose sslclient -CAfile anchor",
        NOW.as_secs()
    );
    // With the chain that a device sends, and without it.
    openssl_ok(dir.path(), &format!("{verify} -untrusted issuing device"));
    openssl_ok(dir.path(), &format!("{verify} device"));
    let foreign = format!("{verify} -untrusted their-issuing their-device");
    assert!(!openssl(dir.path(), &foreign).status.success());
}

#[test]
fn a_ca_never_outlives_the_root() {
    let rig = Rig::new();
    let late = NOW + Duration::from_secs(20 * 365 * 24 * 3600);
    let ca_key = key(KeyKind::P256);
    let ca = make_service_ca(&rig.root, ca_key.public_key(), serial(), late).unwrap();
    assert_eq!(ca.not_after(), rig.root.certificate().not_after());
    let too_late = NOW + Duration::from_secs(26 * 365 * 24 * 3600);
    assert!(matches!(
        make_service_ca(&rig.root, ca_key.public_key(), serial(), too_late),
        Err(IssueRefusal::IssuerExpired)
    ));
}

#[test]
fn each_ca_signs_its_own_kind_alone() {
    let rig = Rig::new();
    let some = key(SERVER_KEY);
    let names = [SubjectName::host("localhost").unwrap()];
    let issuing: Arc<dyn Signer> = Arc::clone(&rig.issuing_key) as _;
    let issuing = Authority::new(rig.issuing.certificate().clone(), issuing).unwrap();
    for wrong in [&rig.root, &issuing] {
        assert!(matches!(
            make_server_certificate(wrong, some.public_key(), &names, serial(), NOW),
            Err(IssueRefusal::WrongCa)
        ));
    }
    for wrong in [&rig.root, &rig.service] {
        assert!(matches!(
            IssuingCa::new(wrong.clone(), &Pointers::default()),
            Err(IssueRefusal::WrongCa)
        ));
    }
    for wrong in [&rig.service, &issuing] {
        assert!(matches!(
            make_service_ca(wrong, some.public_key(), serial(), NOW),
            Err(IssueRefusal::WrongCa)
        ));
    }
}

#[test]
fn certificate_and_key_of_a_ca_must_fit() {
    let rig = Rig::new();
    assert!(matches!(
        Authority::new(rig.root.certificate().clone(), key(ROOT_KEY)),
        Err(IssueRefusal::KeyMismatch)
    ));
    let (server, server_key) = rig.server(&["localhost"]);
    assert!(matches!(
        Authority::new(server, server_key),
        Err(IssueRefusal::NotACa)
    ));
}

#[test]
fn a_server_needs_a_name() {
    let rig = Rig::new();
    let some = key(SERVER_KEY);
    assert!(matches!(
        make_server_certificate(&rig.service, some.public_key(), &[], serial(), NOW),
        Err(IssueRefusal::NoNames)
    ));
}

#[test]
fn the_server_is_believed_through_the_service_ca_alone() {
    let rig = Rig::new();
    let (server, _) = rig.server(&["localhost"]);
    let trust = ServerTrust {
        anchors: Anchors::from_der([rig.root.certificate().der()]).unwrap(),
        service_anchors: Anchors::default(),
    };
    let name = "localhost".try_into().unwrap();
    let verdict = |chain: &[_], now| path::verify_server(chain, &trust, &name, now);
    let now = NOW.as_secs();
    let chain = [server.to_rustls(), rig.service.certificate().to_rustls()];
    verdict(&chain, now).unwrap();
    // More than is needed does no harm.
    let more = [&chain[..], &[rig.root.certificate().to_rustls()]].concat();
    verdict(&more, now).unwrap();
    assert!(matches!(
        verdict(&chain[..1], now),
        Err(ChainError::UntrustedIssuer)
    ));
    assert!(matches!(
        verdict(&[], now),
        Err(ChainError::UntrustedIssuer)
    ));
    assert!(matches!(
        verdict(&chain, now + 91 * DAY),
        Err(ChainError::Expired)
    ));
    let other = "other".try_into().unwrap();
    assert!(matches!(
        path::verify_server(&chain, &trust, &other, now),
        Err(ChainError::WrongName)
    ));
}

#[test]
fn what_the_root_or_an_anchor_signed_itself_is_no_server() {
    // As if somebody had talked the root, or an issuing CA that is an anchor, into it.
    let rig = Rig::new();
    let device = {
        let csr = common::plain_csr(&*key(KeyKind::P256));
        let profile = enlist_core::CertificateProfile {
            server_auth: true,
            ..Default::default()
        };
        rig.device(&csr, &profile, common::WEEK, NOW).unwrap()
    };
    let trust = ServerTrust {
        anchors: Anchors::from_der([rig.issuing.certificate().der()]).unwrap(),
        service_anchors: Anchors::default(),
    };
    let name = "press-7.hall-2.acme".try_into().unwrap();
    assert!(matches!(
        path::verify_server(&[device.to_rustls()], &trust, &name, NOW.as_secs()),
        Err(ChainError::UntrustedIssuer)
    ));
}
