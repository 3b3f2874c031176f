//! Revocation lists.

use std::time::Duration;

use enlist_pki::CrlReason;
use enlist_testkit::Rig;
use enlist_wire::Enrollment;

use crate::bench::{CRL, act, crl_url, get, issuing_ca, list, openssl, pointers, send, serials};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_suspended_device_is_on_the_list_at_once_and_off_it_again() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let (url, ca) = (crl_url(&device), issuing_ca(&device).unwrap());
    let told = pointers(&device);
    assert!(
        told.contains(&format!("{}/ocsp", rig.status_url())),
        "{told}"
    );

    let empty = list(&url, &ca);
    assert_eq!(serials(&empty), Vec::<Vec<u8>>::new());
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    let held = list(&url, &ca);
    assert_eq!(serials(&held), [device.certificate().serial()]);
    let entry = held.entries().next().unwrap();
    assert_eq!(entry.reason, Some(CrlReason::CertificateHold));
    assert!(held.number() > empty.number());

    rig.admin()
        .resume("default", "pumps", "pump-1", &act())
        .unwrap();
    let back = list(&url, &ca);
    assert_eq!(serials(&back), Vec::<Vec<u8>>::new());
    assert!(back.number() > held.number());
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &act())
        .unwrap();
    let gone = list(&url, &ca);
    let entry = gone.entries().next().unwrap();
    assert_eq!(entry.reason, Some(CrlReason::CessationOfOperation));
    assert!(gone.number() > back.number());
}

#[test]
fn openssl_reads_the_list_and_turns_the_device_away() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let other = rig.enrolled_device("pumps", "pump-2", &secret);
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    let answer = get(&crl_url(&device));
    let (text, content) = openssl(&["crl", "-inform", "DER", "-noout", "-text"], &answer.body);
    assert!(content && text.contains("Cessation Of Operation"), "{text}");
    assert!(text.contains("X509v3 CRL Number"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let enrolled = device.enrolled.as_ref().unwrap();
    let chain = file(
        "chain.pem",
        &format!("{}{}", enrolled.issuing_ca, enrolled.root),
    );
    let (pem, _) = openssl(&["crl", "-inform", "DER"], &answer.body);
    let lists = file("lists.pem", &pem);
    let verify = |pem: &str| {
        let check = [
            "verify",
            "-crl_check",
            "-CAfile",
            &chain,
            "-CRLfile",
            &lists,
        ];
        openssl(&check, pem.as_bytes())
    };
    let (said, content) = verify(&enrolled.certificate);
    assert!(!content && said.contains("certificate revoked"), "{said}");
    let (said, content) = verify(&other.enrolled.as_ref().unwrap().certificate);
    assert!(content, "{said}");
}

#[test]
fn roots_have_lists_too_and_other_cas_are_not_there() {
    let rig = Rig::new();
    let url = rig.status_url();
    let listed = list(&format!("{url}/crl/root.crl"), &rig.ops.root());
    assert!(serials(&listed).is_empty());
    let ca = rig.ops.root_ca();
    for path in [
        "crl/0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10.crl".to_owned(),
        "crl/x.crl".to_owned(),
        format!("crl/{ca}"),
        format!("crl/{ca}/2/1.crl"),
        format!("crl/{ca}/3/1.crl"),
        format!("crl/{ca}/2/2.crl"),
        format!("crl/{ca}/65536/1.crl"),
        "ca/0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10.cer".to_owned(),
        "v1/whoami".to_owned(),
    ] {
        assert_eq!(get(&format!("{url}/{path}")).status, 404, "{path}");
    }
    let certificate = get(&format!("{url}/ca/root.cer"));
    assert_eq!(certificate.body, rig.ops.root().der());
    assert_eq!(
        certificate.header("content-type"),
        Some("application/pkix-cert")
    );
}

#[test]
fn a_list_that_has_not_changed_is_not_sent_again() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let url = crl_url(&device);
    let first = get(&url);
    let tag = first.header("etag").unwrap().to_owned();
    assert!(first.header("last-modified").unwrap().ends_with("GMT"));
    let kept = first.header("cache-control").unwrap();
    assert!(kept.contains("max-age=10"), "{kept}");
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let again = send("GET", &url, &[("if-none-match", &known)], &[]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    let head = send("HEAD", &url, &[], &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-type"), Some(CRL));
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    let changed = send("GET", &url, &[("if-none-match", &tag)], &[]);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    // A new one is made on schedule, too.
    rig.clock.advance(HOUR);
    let tag = changed.header("etag").unwrap().to_owned();
    assert_eq!(
        send("GET", &url, &[("if-none-match", &tag)], &[]).status,
        200
    );
}

#[test]
fn what_has_expired_leaves_the_list_and_a_deleted_device_stays_on_it_until_then() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let (url, ca) = (crl_url(&device), issuing_ca(&device).unwrap());
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    let look = || {
        rig.block_on(rig.ops.look_after_revocations()).unwrap();
        list(&url, &ca).len()
    };
    rig.clock.advance(HOUR * 167);
    assert_eq!(look(), 1, "valid for an hour yet");
    rig.clock.advance(HOUR * 3 / 2);
    assert_eq!(look(), 1, "it has to be on one list more");
    rig.clock.advance(HOUR);
    assert_eq!(look(), 0);
}
