//! Staying in: renewal by certificate and by token, recovery, clones, pre-enrollment.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use enlist_core::DeviceToken;
use enlist_keys::FileKey;
use enlist_pki::KeyKind;
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{
    CertificateStatus, DeviceAction, DeviceState, Enrollment, NewGroup, OnClone, PreEnroll,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn key() -> FileKey {
    FileKey::generate(KeyKind::P256).unwrap()
}

fn statuses(rig: &Rig) -> Vec<CertificateStatus> {
    let all = rig.admin().certificates("default", &Default::default());
    let mut all = all.unwrap().items;
    all.sort_by_key(|one| (one.not_before, one.not_after));
    all.iter().map(|one| one.status).collect()
}

#[test]
fn a_device_renews_over_mutual_tls_and_the_old_certificate_goes_with_the_first_use_of_the_new() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    let old = device.client(&rig);
    rig.clock.advance(5 * DAY);
    device.renew(&rig).unwrap();
    assert_eq!(
        statuses(&rig),
        [CertificateStatus::Previous, CertificateStatus::Current]
    );
    assert!(
        old.device_self().is_ok(),
        "the old one until the new one has worked"
    );

    assert!(device.client(&rig).device_self().is_ok());
    assert_eq!(
        statuses(&rig),
        [CertificateStatus::Superseded, CertificateStatus::Current]
    );
    assert_eq!(refusal(old.device_self()), "certificate-superseded");
}

#[test]
fn the_same_renewal_again_gets_the_recorded_answer() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let request = device.renewal(&rig, &key());
    let client = device.client(&rig);
    let first = client.renew(&request).unwrap();
    assert_eq!(client.renew(&request).unwrap(), first, "its reply was lost");
    assert_eq!(statuses(&rig).len(), 2);
}

#[test]
fn a_device_whose_certificate_expired_recovers_by_token_and_key_within_the_window() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.clock.advance(20 * DAY);
    assert_eq!(refusal(device.renew(&rig)), "certificate-expired");
    device.renew_by_token(&rig).unwrap();
    device.client(&rig).device_self().unwrap();

    rig.clock.advance(40 * DAY);
    assert_eq!(refusal(device.renew_by_token(&rig)), "past-recovery");
}

#[test]
fn a_stolen_token_alone_renews_nothing() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let thief = key();
    let mut request = device.renewal(&rig, &thief);
    device.prove(&rig, &mut request, &thief).unwrap();
    assert_eq!(refusal(rig.stranger().renew(&request)), "wrong-key");
}

#[test]
fn a_stolen_key_alone_renews_nothing_once_expired() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    device.token = DeviceToken::generate(&*rig.rng);
    assert_eq!(refusal(device.renew_by_token(&rig)), "wrong-device-token");
}

#[test]
fn the_previous_key_renews_by_token_while_the_new_certificate_is_unused() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let mut lost = device.clone();
    lost.renew_by_token(&rig).unwrap();

    // Its new key was lost with the power; it asks again, numbered higher, with the old one.
    let mut again = device.renewal(&rig, &key());
    again.counter = 2;
    device.prove(&rig, &mut again, &*device.key).unwrap();
    rig.stranger().renew(&again).unwrap();
}

#[test]
fn a_proof_by_the_current_key_is_its_certificates_first_use() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    for _ in 0..3 {
        device.renew_by_token(&rig).unwrap();
    }
    assert_eq!(statuses(&rig).len(), 4);
}

#[test]
fn an_altered_or_replayed_proof_is_refused() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let other = rig.enrolled_device("pumps", "pump-2", &secret);
    let new_key = key();
    let mut request = device.renewal(&rig, &new_key);
    device.prove(&rig, &mut request, &*device.key).unwrap();

    let mut renumbered = request.clone();
    renumbered.counter += 1;
    assert_eq!(refusal(rig.stranger().renew(&renumbered)), "wrong-key");

    let mut other_nonce = request.clone();
    let mut foreign = other.renewal(&rig, &new_key);
    other.prove(&rig, &mut foreign, &*other.key).unwrap();
    other_nonce.proof.as_mut().unwrap().nonce = foreign.proof.unwrap().nonce;
    assert_eq!(refusal(rig.stranger().renew(&other_nonce)), "bad-nonce");

    rig.clock.advance(Duration::from_secs(301));
    assert_eq!(refusal(rig.stranger().renew(&request)), "bad-nonce");
}

#[test]
fn a_clone_is_noticed_by_its_counter() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    let mut clone = device.clone();
    device.renew(&rig).unwrap();
    assert_eq!(refusal(clone.renew(&rig)), "clone-suspected");
    let events = rig.admin().events("default", &Default::default()).unwrap();
    assert!(
        events
            .items
            .iter()
            .any(|event| event.kind == "clone-suspected")
    );
    let seen = rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert_eq!(
        seen.state,
        DeviceState::Active,
        "the group's policy is to alert"
    );
}

#[test]
fn a_strict_group_suspends_a_device_that_seems_cloned() {
    let rig = Rig::new();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        on_clone: OnClone::Suspend,
        ..NewGroup::named("vaults")
    });
    let mut device = rig.enrolled_device("vaults", "vault-1", &secret);
    let mut clone = device.clone();
    device.renew(&rig).unwrap();
    assert_eq!(refusal(clone.renew(&rig)), "clone-suspected");
    assert_eq!(refusal(device.renew(&rig)), "device-suspended");
    rig.admin()
        .resume("default", "vaults", "vault-1", &DeviceAction::default())
        .unwrap();
    device.renew(&rig).unwrap();
}

#[test]
fn another_devices_certificate_and_a_strangers_are_refused() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let one = rig.enrolled_device("pumps", "pump-1", &secret);
    let two = rig.enrolled_device("pumps", "pump-2", &secret);
    let request = two.renewal(&rig, &key());
    assert_eq!(refusal(one.client(&rig).renew(&request)), "another-device");
    assert_eq!(refusal(rig.stranger().renew(&request)), "no-evidence");
    assert_eq!(refusal(rig.stranger().device_self()), "no-evidence");

    // The same names and the same key, from another installation's CA.
    let elsewhere = Rig::new();
    let secret = elsewhere.group("pumps", Enrollment::Open);
    let mut forged = elsewhere.device("pumps", "pump-2", &secret);
    forged.key = two.key.clone();
    forged.enroll(&elsewhere).unwrap();
    let client = rig.client_with_identity(forged.identity());
    assert_eq!(refusal(client.device_self()), "foreign-certificate");
    assert_eq!(refusal(client.renew(&request)), "foreign-certificate");
}

#[test]
fn a_revocation_is_seen_on_the_very_next_request_of_an_open_connection() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let client = device.client(&rig);
    client.device_self().unwrap();
    let action = DeviceAction::default();
    rig.admin()
        .suspend("default", "pumps", "pump-1", &action)
        .unwrap();
    assert_eq!(refusal(client.device_self()), "device-suspended");
    rig.admin()
        .resume("default", "pumps", "pump-1", &action)
        .unwrap();
    client.device_self().unwrap();
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &action)
        .unwrap();
    assert_eq!(refusal(client.device_self()), "certificate-revoked");
}

#[test]
fn a_pre_enrolled_device_takes_a_key_of_its_own_and_is_active_then() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let ahead = PreEnroll::default();
    let quadruple = rig
        .admin()
        .pre_enroll("default", "pumps", "pump-1", &ahead)
        .unwrap();
    let seen = || rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert_eq!(seen().state, DeviceState::Created);
    let mut device = FakeDevice::pre_enrolled(&rig, "pump-1", &quadruple);
    device.renew(&rig).unwrap();
    assert_eq!(seen().state, DeviceState::Active);
    let again = rig.admin().pre_enroll("default", "pumps", "pump-1", &ahead);
    assert_eq!(refusal(again), "invalid-transition");
}

#[test]
fn a_pre_enrolled_device_starts_after_a_year_in_a_warehouse() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let ahead = PreEnroll::default();
    let quadruple = rig
        .admin()
        .pre_enroll("default", "pumps", "pump-1", &ahead)
        .unwrap();
    let mut device = FakeDevice::pre_enrolled(&rig, "pump-1", &quadruple);
    // The server's own certificate is renewed meanwhile by a job; here only ours ages.
    rig.clock.advance(80 * DAY);
    device.renew_by_token(&rig).unwrap();
    device.client(&rig).device_self().unwrap();
}

#[test]
fn an_identity_made_again_revokes_the_one_before() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let ahead = PreEnroll::default();
    let first = rig
        .admin()
        .pre_enroll("default", "pumps", "pump-1", &ahead)
        .unwrap();
    rig.admin()
        .pre_enroll("default", "pumps", "pump-1", &ahead)
        .unwrap();
    let mut stale = FakeDevice::pre_enrolled(&rig, "pump-1", &first);
    assert_eq!(refusal(stale.renew(&rig)), "certificate-superseded");
}

#[test]
fn renewals_that_race_leave_one_certificate_on_record() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let request = Arc::new(device.renewal(&rig, &key()));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| device.client(&rig).renew(&request).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(statuses(&rig).len(), 2);
}
