//! A device that holds no secret, and proves which hardware it is.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::PathBuf;

use common::{Fault, Policy, Rig, START};
use enlist_agent::Progress;
use enlist_agent::config::{Attestation, Idevid, IdevidKey};
use enlist_agent::machine::{Note, Verdict};
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, KeyKind, Signer, sign_certificate,
};
use secrecy::ExposeSecret;

#[test]
fn a_device_proves_its_tpm_and_enrolls_without_a_secret() {
    let rig = Rig::zero_touch();
    let mut agent = rig.start();
    let notes = rig.settle(&mut agent);
    assert!(
        matches!(&notes[..], [Note::Enrolled(who)] if who.name == "press-1"),
        "{notes:?}"
    );
    rig.check_settled(&agent);
    let server = rig.server.borrow();
    assert_eq!(server.proofs.challenges, 1);
    assert_eq!(server.asked, 3, "for a challenge, to enroll, to confirm");
}

#[test]
fn after_a_lost_reply_it_is_challenged_anew_and_gets_the_same_answer() {
    for lost in 0..3 {
        let rig = Rig::zero_touch();
        let mut faults = vec![None; lost];
        faults.push(Some(Fault::LoseReply));
        rig.server.borrow_mut().faults.extend(faults);
        let mut agent = rig.start();
        rig.settle(&mut agent);
        rig.check_settled(&agent);
        let server = rig.server.borrow();
        let expected = if lost < 2 { 2 } else { 1 };
        assert_eq!(server.proofs.challenges, expected, "reply {lost}");
        assert_eq!(server.issued(), 1);
    }
}

#[test]
fn a_challenge_that_went_stale_is_followed_by_another_at_once_but_not_for_ever() {
    for slug in ["challenge-invalid", "challenge-used"] {
        let rig = Rig::zero_touch();
        let stale = [None, Some(Fault::Refuse(slug))];
        rig.server.borrow_mut().faults.extend(stale.repeat(3));
        let mut agent = rig.start();
        let before = rig.now();
        rig.settle(&mut agent);
        assert_eq!(rig.now(), before, "{slug}: nothing was waited for");
        assert_eq!(rig.server.borrow().proofs.challenges, 4);

        let rig = Rig::zero_touch();
        rig.server.borrow_mut().faults.extend(stale.repeat(500));
        let mut agent = rig.start();
        let end = rig.now() + 3600;
        rig.until(&mut agent, |_| rig.now() > end);
        let asked = rig.server.borrow().proofs.challenges;
        assert!((10..60).contains(&asked), "{slug}: {asked} in an hour");
    }
}

#[test]
fn a_device_whose_manufacturer_is_not_known_asks_again_slowly_until_it_is() {
    let rig = Rig::zero_touch();
    rig.server.borrow_mut().proofs.unknown.insert(1);
    let mut agent = rig.start();
    let (notes, wait) = rig.pass(&mut agent);
    let [Note::Trouble { failure, .. }] = &notes[..] else {
        panic!("{notes:?}");
    };
    assert_eq!(failure.verdict, Verdict::GiveUp);
    assert_eq!(
        failure.slug.as_deref(),
        Some("attestation-unknown-manufacturer")
    );
    assert!((3600..=3960).contains(&wait.as_secs()), "{wait:?}");
    let end = rig.now() + 24 * 3600;
    rig.until(&mut agent, |_| rig.now() > end);
    assert!((20..30).contains(&rig.server.borrow().proofs.challenges));
    rig.server.borrow_mut().proofs.unknown.clear();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn while_it_waits_for_approval_each_question_brings_another_proof() {
    let mut rig = Rig::with_policy(Policy::Approve);
    rig.configuration.attestation = Attestation::Tpm;
    rig.tpm = Some(common::FakeTpm::new(1));
    rig.server.borrow_mut().proofs.wanted = true;
    let mut agent = rig.start();
    let (notes, _) = rig.pass(&mut agent);
    assert!(matches!(&notes[..], [Note::Pending { code: Some(code), .. }] if code == "K7P-3QF"));
    rig.until(&mut agent, |_| rig.server.borrow().asked >= 8);
    assert_eq!(rig.server.borrow().proofs.challenges, 4);
    rig.server.borrow_mut().approve();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_tpm_that_refuses_is_named_and_nothing_goes_out() {
    let mut rig = Rig::zero_touch();
    rig.tpm.as_mut().unwrap().is_locked = true;
    let mut agent = rig.start();
    let (notes, wait) = rig.pass(&mut agent);
    let [Note::Trouble { failure, .. }] = &notes[..] else {
        panic!("{notes:?}");
    };
    assert_eq!(failure.verdict, Verdict::GiveUp);
    assert!(
        failure
            .message
            .contains("endorsement hierarchy has a password")
    );
    assert!(wait.as_secs() >= 3600);
    assert_eq!(rig.server.borrow().asked, 0);
}

#[test]
fn a_deprovisioned_device_without_a_secret_proves_itself_anew() {
    let rig = Rig::zero_touch();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let before = Rig::identity(&agent);
    rig.server.borrow_mut().deprovision();
    rig.until(&mut agent, |agent| {
        agent.machine().identity().is_some_and(|own| {
            own.device_id != before.device_id && agent.machine().is_settled(agent.now())
        })
    });
    rig.check_settled(&agent);
    assert_eq!(rig.server.borrow().proofs.challenges, 2);
}

/// A manufacturer, and what it has given a device.
struct Maker {
    certificate: Certificate,
    directory: tempfile::TempDir,
}

impl Maker {
    fn new() -> Self {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let subject = DistinguishedName::new(&[(Attribute::CommonName, "Maker")]).unwrap();
        let device = FileKey::generate(KeyKind::P256).unwrap();
        let named = DistinguishedName::new(&[(Attribute::SerialNumber, "PC0A1B2C")]).unwrap();
        let certify = |of: &FileKey, subject: &DistinguishedName, issuer| {
            let spec = CertificateSpec {
                serial: &[1],
                issuer,
                subject,
                public_key: of.public_key(),
                not_before: START - 3600,
                not_after: START + 3600,
                extensions: &[],
            };
            sign_certificate(&spec, &key).unwrap()
        };
        let certificate = certify(&key, &subject, &subject);
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text);
        file("idevid.pem", &certify(&device, &named, &subject).to_pem()).unwrap();
        let pem = device.to_pkcs8_pem().unwrap();
        file("idevid.key", pem.expose_secret()).unwrap();
        let other = FileKey::generate(KeyKind::P256).unwrap();
        file("other.key", other.to_pkcs8_pem().unwrap().expose_secret()).unwrap();
        Self {
            certificate,
            directory,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A device that it has made, with the key in this file.
    fn device(&self, key: &str) -> Rig {
        let mut rig = Rig::new();
        rig.configuration.attestation = Attestation::Idevid(Idevid {
            certificate_path: self.path("idevid.pem"),
            key: IdevidKey::File(self.path(key)),
        });
        rig.server.borrow_mut().proofs.wanted = true;
        rig
    }
}

#[test]
fn a_device_shows_its_manufacturers_certificate_and_makes_a_key_of_its_own() {
    let maker = Maker::new();
    let rig = maker.device("idevid.key");
    rig.server.borrow_mut().proofs.manufacturer = Some(maker.certificate.clone());
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(rig.server.borrow().proofs.challenges, 0);
    let slot = Rig::identity(&agent).slot;
    let own = agent.vault().key(slot).unwrap();
    let idevid = std::fs::read_to_string(maker.path("idevid.pem")).unwrap();
    let idevid = Certificate::from_pem(&idevid).unwrap();
    assert_ne!(own.public_key().spki_der(), idevid.spki_der());
    // From here on it is not needed any more.
    drop(agent);
    std::fs::remove_file(maker.path("idevid.key")).unwrap();
    let mut agent = rig.start();
    agent.renew_now();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_manufacturers_certificate_that_cannot_be_used_is_named() {
    let maker = Maker::new();
    let said = |rig: &Rig| {
        let (notes, _) = rig.pass(&mut rig.start());
        match &notes[..] {
            [Note::Trouble { failure, .. }] => (failure.verdict.clone(), failure.message.clone()),
            other => panic!("{other:?}"),
        }
    };
    let (verdict, message) = said(&maker.device("other.key"));
    assert_eq!(verdict, Verdict::GiveUp);
    assert!(message.contains("`idevid_key` is not its key"), "{message}");
    let (verdict, message) = said(&maker.device("idevid.pem"));
    assert_eq!(verdict, Verdict::GiveUp);
    assert!(message.contains("can't be used"), "{message}");
    // It may be mounted later.
    let (verdict, message) = said(&maker.device("nowhere.key"));
    assert_eq!(verdict, Verdict::Retry(None));
    assert!(message.contains("nowhere.key"), "{message}");
    // What is refused is refused.
    let rig = maker.device("idevid.key");
    let (verdict, _) = said(&rig);
    assert_eq!(verdict, Verdict::GiveUp);
    assert_eq!(rig.server.borrow().devices(), 0);
    assert!(matches!(rig.start().step(), Progress::Went(_)));
}
