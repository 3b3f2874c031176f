//! A root vouches for the next, and for nothing else.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Rig, WEEK, key, openssl_ok, plain_csr, serial};
use enlist_ca::{
    Authority, IssueRefusal, ROOT_KEY, cross_sign, make_issuing_ca, make_root,
    make_server_certificate, make_service_ca,
};
use enlist_core::{CertificateProfile, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::path::{self, Anchors, ServerTrust, Usage, takes_root};
use enlist_pki::{
    Certificate, CertificateSpec, ChainError, Extension, KeyKind, KeyUse, Signer, SubjectName,
    sign_certificate,
};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn root_at(now: Timestamp) -> Authority {
    make_root(key(ROOT_KEY), serial(), now).unwrap()
}

fn held(root: &Certificate) -> Anchors {
    Anchors::from_der([root.der()]).unwrap()
}

/// The next root, made five years on, and the voucher of the rig's.
fn next(rig: &Rig) -> (Authority, Certificate, Timestamp) {
    let later = NOW + YEAR * 5;
    let next = root_at(later);
    let cross = cross_sign(&rig.root, &next, serial(), later).unwrap();
    (next, cross, later)
}

#[test]
fn a_root_that_the_held_one_vouches_for_is_taken() {
    let rig = Rig::new();
    let (next, cross, later) = next(&rig);
    let root = next.certificate();
    takes_root(root, &cross, &held(rig.root.certificate()), later.as_secs()).unwrap();

    assert_eq!(cross.subject_der(), root.subject_der());
    assert_eq!(cross.spki_der(), root.spki_der());
    assert_eq!(cross.subject_key_id(), root.subject_key_id());
    assert_eq!(cross.not_before(), root.not_before());
    assert_eq!(cross.not_after(), rig.root.certificate().not_after());
    assert!(cross.certifies_cas());
    assert!(!rig.issuing.certificate().certifies_cas());
}

#[test]
fn the_voucher_joins_what_stands_under_the_new_root_to_the_old_one() {
    let rig = Rig::new();
    let (next, cross, later) = next(&rig);
    let issuing_key = rig.issuing_key.public_key();
    let issuing = make_issuing_ca(&next, &rig.tenant, issuing_key, serial(), later).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    write("old.pem", rig.root.certificate().to_pem());
    write("cross.pem", cross.to_pem());
    write("issuing.pem", issuing.to_pem());
    let at = later.as_secs() + 60;
    let verify = format!("verify -attime {at} -CAfile old.pem -untrusted cross.pem issuing.pem");
    assert!(openssl_ok(dir.path(), &verify).contains("issuing.pem: OK"));

    let (old, at) = (held(rig.root.certificate()), later.as_secs());
    let csr = plain_csr(&*key(KeyKind::P256));
    let profile = CertificateProfile::default();
    let device = rig.device(&csr, &profile, WEEK, later).unwrap();
    let verdict = |through: &[_]| path::verify(device.der(), through, &old, at, Usage::Client);
    let (issuing, cross) = (issuing.to_rustls(), cross.to_rustls());
    let error = verdict(std::slice::from_ref(&issuing)).unwrap_err();
    assert!(matches!(error, ChainError::UntrustedIssuer));
    verdict(&[issuing, cross]).unwrap();
}

#[test]
fn a_server_under_the_new_root_is_believed_by_those_who_hold_it_and_by_no_others() {
    let rig = Rig::new();
    let (next, cross, later) = next(&rig);
    let service_key = key(enlist_ca::CA_KEY);
    let service = make_service_ca(&next, service_key.public_key(), serial(), later).unwrap();
    let service = Authority::new(service, service_key).unwrap();
    let key = key(enlist_ca::SERVER_KEY);
    let names = [SubjectName::host("localhost").unwrap()];
    let leaf =
        make_server_certificate(&service, key.public_key(), &names, serial(), later).unwrap();
    let chain = [leaf, service.certificate().clone(), cross].map(|one| one.to_rustls());
    let name = "localhost".try_into().unwrap();
    let believed = |anchors: Anchors| {
        let trust = ServerTrust {
            anchors,
            ..ServerTrust::default()
        };
        path::verify_server(&chain, &trust, &name, later.as_secs())
    };
    // A cross-certificate carries no mark of a service CA.
    assert!(believed(held(rig.root.certificate())).is_err());
    let mut both = held(rig.root.certificate());
    both.extend(held(next.certificate()));
    believed(both).unwrap();
}

#[test]
fn hostile_offers_are_refused() {
    let rig = Rig::new();
    let (next, cross, later) = next(&rig);
    let (root, old) = (next.certificate(), held(rig.root.certificate()));
    let refused = |root: &Certificate, cross: &Certificate, why: &str| {
        let verdict = takes_root(root, cross, &old, later.as_secs());
        assert!(verdict.is_err(), "{why}");
    };

    let other = root_at(later);
    refused(other.certificate(), &cross, "a voucher for another root");
    refused(root, root, "it vouches for itself");

    let stranger = root_at(NOW);
    let strangers = cross_sign(&stranger, &next, serial(), later).unwrap();
    refused(root, &strangers, "a voucher by a stranger");

    let namesake = named_as(rig.root.certificate(), key(ROOT_KEY));
    let forged = cross_sign(&namesake, &next, serial(), later).unwrap();
    assert_eq!(forged.issuer_der(), rig.root.certificate().subject_der());
    refused(
        root,
        &forged,
        "signed by another key under the held root's name",
    );

    let same_name = named_as(root, key(ROOT_KEY));
    assert_eq!(same_name.certificate().subject_der(), root.subject_der());
    refused(
        same_name.certificate(),
        &cross,
        "another key under the new root's name",
    );

    refused(&cross, &cross, "a root that did not sign itself");
    let device = rig.plain_device();
    refused(&device, &device, "no CA at all");
    let leaf_as_voucher = rig.server(&["localhost"]).0;
    refused(root, &leaf_as_voucher, "a voucher that is no CA");
}

/// The holder of a tenant's CA key has a certificate by the root for it, and can sign itself one.
#[test]
fn a_ca_under_the_root_cannot_make_itself_a_root() {
    let rig = Rig::new();
    let old = held(rig.root.certificate());
    let now = NOW.as_secs();
    let (anchor, issuing) = (rig.issuing.anchor().unwrap(), rig.issuing.certificate());
    path::verify_issued(&anchor, &anchor, now).unwrap();
    path::verify_issued(issuing, rig.root.certificate(), now).unwrap();
    assert!(takes_root(&anchor, issuing, &old, now).is_err());

    // Nor with a certificate that says it has no bound, since the voucher says that it has.
    let unbounded = named_as(issuing, rig.issuing_key.clone());
    let unbounded = unbounded.certificate();
    assert!(unbounded.certifies_cas());
    path::verify_issued(unbounded, unbounded, now).unwrap();
    assert!(takes_root(unbounded, issuing, &old, now).is_err());
}

#[test]
fn a_root_is_taken_at_a_time_at_which_root_and_voucher_are_valid() {
    let rig = Rig::new();
    let (next, cross, later) = next(&rig);
    let (root, old) = (next.certificate(), held(rig.root.certificate()));
    let at = |at: i64| takes_root(root, &cross, &old, at);
    at(cross.not_before()).unwrap();
    at(cross.not_after()).unwrap();
    assert!(matches!(
        at(later.as_secs() - 301),
        Err(ChainError::NotYetValid)
    ));
    // The voucher ends with the old root, before the new one does.
    assert!(cross.not_after() < root.not_after());
    assert!(matches!(
        at(cross.not_after() + 1),
        Err(ChainError::Expired)
    ));
    assert!(matches!(at(root.not_after() + 1), Err(ChainError::Expired)));
}

#[test]
fn only_roots_vouch_and_only_for_roots_and_while_they_last() {
    let rig = Rig::new();
    let (next, _, later) = next(&rig);
    let service = rig.service.clone();
    for (old, new) in [
        (&service, &next),
        (&rig.root, &service),
        (&rig.root, &rig.root),
    ] {
        assert!(matches!(
            cross_sign(old, new, serial(), later),
            Err(IssueRefusal::WrongCa)
        ));
    }
    assert!(matches!(
        cross_sign(&rig.root, &next, serial(), NOW + YEAR * 26),
        Err(IssueRefusal::IssuerExpired)
    ));
}

/// A CA without a bound, under the name of `of`, that signed itself with `signer`.
fn named_as(of: &Certificate, signer: Arc<FileKey>) -> Authority {
    let (name, public_key) = (of.subject(), signer.public_key());
    let key_uses = [KeyUse::CertificateSigning, KeyUse::CrlSigning];
    let certificate = sign_certificate(
        &CertificateSpec {
            serial: of.serial(),
            issuer: &name,
            subject: &name,
            public_key,
            not_before: of.not_before(),
            not_after: of.not_after(),
            extensions: &[
                &Extension::certificate_authority(None).unwrap(),
                &Extension::key_usage(&key_uses).unwrap(),
                &Extension::subject_key_id(&public_key.key_id()).unwrap(),
            ],
        },
        &*signer,
    );
    Authority::new(certificate.unwrap(), signer).unwrap()
}
