//! Getting in: exactly once, by the group's policy, and by nothing else.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use enlist_core::DeviceToken;
use enlist_keys::FileKey;
use enlist_pki::{Certificate, KeyKind, path};
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{
    DeviceAction, DeviceState, EnrollReply, Enrollment, Hardware, HardwareKind, NewDevice, NewGroup,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn new_device(name: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        labels: Default::default(),
        hardware: None,
    }
}

fn serial(value: &str) -> Hardware {
    Hardware {
        kind: HardwareKind::Serial,
        value: value.to_owned(),
    }
}

#[test]
fn an_enrolled_device_holds_a_chain_that_verifies() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let enrolled = rig.device("pumps", "pump-1", &secret).enroll(&rig).unwrap();
    let leaf = Certificate::from_pem(&enrolled.certificate).unwrap();
    let issuing = Certificate::from_pem(&enrolled.issuing_ca).unwrap();
    let root = Certificate::from_pem(&enrolled.root).unwrap();
    let now = rig.ops.now().as_secs();
    path::verify_issued(&leaf, &issuing, now).unwrap();
    path::verify_issued(&issuing, &root, now).unwrap();
    assert_eq!(leaf.common_name().as_deref(), Some("pump-1"));
    assert_eq!(enrolled.name, "pump-1");
}

#[test]
fn the_same_request_again_gets_the_recorded_answer() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    let first = device.enroll(&rig).unwrap();
    rig.clock.advance(DAY);
    let again = device.enroll(&rig).unwrap();
    assert_eq!(first, again);
    let devices = rig.admin().devices("default", "pumps", &Default::default());
    assert_eq!(devices.unwrap().items.len(), 1);
    let secrets = rig.admin().secrets("default", "pumps").unwrap();
    assert_eq!(secrets.items[0].used, 1, "not counted again");
}

#[test]
fn the_recorded_answer_is_given_only_while_its_certificate_is_current() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut renewed = rig.enrolled_device("pumps", "renewed", &secret);
    let as_enrolled = renewed.clone();
    renewed.renew(&rig).unwrap();
    assert_eq!(
        refusal(as_enrolled.clone().enroll(&rig)),
        "already-enrolled"
    );

    let mut expired = rig.enrolled_device("pumps", "expired", &secret);
    rig.clock.advance(8 * DAY);
    let refused = expired.enroll(&rig).unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(problem.slug(), "already-enrolled");
    // All that it takes to recover where the first answer never arrived.
    assert_eq!(problem.extensions["device_id"], expired.id().to_string());
    expired.renew_by_token(&rig).unwrap();
}

#[test]
fn the_same_key_with_another_token_name_or_group_is_a_conflict() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let other_secret = rig.group("valves", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let ask = |device: &FakeDevice| refusal(device.clone().enroll(&rig));

    let mut other_token = device.clone();
    other_token.token = DeviceToken::generate(&*rig.rng);
    assert_eq!(ask(&other_token), "enrollment-conflict");

    let mut other_name = device.clone();
    other_name.name = Some("pump-2".to_owned());
    assert_eq!(ask(&other_name), "enrollment-conflict");

    let mut other_group = device;
    other_group.group = "valves".to_owned();
    other_group.secret = other_secret;
    assert_eq!(ask(&other_group), "enrollment-conflict");
}

#[test]
fn a_leaked_secret_takes_no_name_over() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret);
    let mut thief = rig.device("pumps", "pump-1", &secret);
    assert_eq!(refusal(thief.enroll(&rig)), "device-already-enrolled");

    rig.admin()
        .deprovision("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    assert!(thief.enroll(&rig).is_ok(), "the operator has let it go");
}

#[test]
fn a_known_group_takes_only_what_was_created_before() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Known);
    let mut device = rig.device("pumps", "pump-1", &secret);
    assert_eq!(refusal(device.enroll(&rig)), "unknown-device");
    let created = rig
        .admin()
        .create_device("default", "pumps", &new_device("pump-1"))
        .unwrap();
    let enrolled = device.enroll(&rig).unwrap();
    assert_eq!(enrolled.device_id, created.device_id);
}

#[test]
fn a_device_without_a_name_is_known_by_its_hardware() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Known);
    let announced = NewDevice {
        hardware: Some(serial("SN-7")),
        ..new_device("pump-7")
    };
    rig.admin()
        .create_device("default", "pumps", &announced)
        .unwrap();
    let mut device = rig.device("pumps", "unused", &secret);
    device.name = None;
    device.hardware = Some(serial("SN-8"));
    assert_eq!(refusal(device.enroll(&rig)), "unknown-device");
    device.hardware = Some(serial("SN-7"));
    let enrolled = device.enroll(&rig).unwrap();
    assert_eq!(enrolled.name, "pump-7");
    assert_eq!(device.enroll(&rig).unwrap(), enrolled);
}

#[test]
fn a_device_that_was_announced_under_another_name_is_still_known_by_its_hardware() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Known);
    let announced = NewDevice {
        hardware: Some(serial("SN-7")),
        ..new_device("pump-7")
    };
    rig.admin()
        .create_device("default", "pumps", &announced)
        .unwrap();
    let mut device = rig.device("pumps", "pump-0a1b2c", &secret);
    device.hardware = Some(serial("SN-7"));
    let enrolled = device.enroll(&rig).unwrap();
    assert_eq!(enrolled.name, "pump-7");
    assert_eq!(device.enroll(&rig).unwrap(), enrolled, "its reply was lost");
}

#[test]
fn a_claim_made_twice_is_an_event_and_a_conflict_only_where_hardware_is_the_identity() {
    let rig = Rig::new();
    let lax = rig.group("lax", Enrollment::Open);
    let strict = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        hardware_is_identity: true,
        ..NewGroup::named("strict")
    });
    let claim = |group: &str, name: &str, secret: &str| {
        let mut device = rig.device(group, name, secret);
        device.hardware = Some(serial("SN-1"));
        device.enroll(&rig)
    };
    claim("lax", "a", &lax).unwrap();
    claim("lax", "b", &lax).unwrap();
    claim("strict", "a", &strict).unwrap();
    assert_eq!(refusal(claim("strict", "b", &strict)), "hardware-conflict");
    let events = rig.admin().events("default", &Default::default()).unwrap();
    let doubles = events
        .items
        .iter()
        .filter(|event| event.kind == "hardware-claimed-twice");
    assert_eq!(doubles.count(), 1);
}

#[test]
fn a_placeholder_is_no_identity() {
    let rig = Rig::new();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        hardware_is_identity: true,
        ..NewGroup::named("pumps")
    });
    for name in ["a", "b"] {
        let mut device = rig.device("pumps", name, &secret);
        device.hardware = Some(serial("To be filled by O.E.M."));
        device.enroll(&rig).unwrap();
    }
}

#[test]
fn an_approve_group_waits_for_a_person() {
    let rig = Rig::new();
    let secret = rig.group("doors", Enrollment::Approve);
    let device = rig.device("doors", "door-1", &secret);
    let ask = || rig.stranger().enroll(&device.request()).unwrap();
    let EnrollReply::Pending(first) = ask() else {
        panic!("it had to wait");
    };
    let EnrollReply::Pending(again) = ask() else {
        panic!("it had to wait");
    };
    assert_eq!(first, again, "the same code for the same device");
    let waiting = rig.admin().device("default", "doors", "door-1").unwrap();
    assert_eq!(waiting.state, DeviceState::Pending);
    assert_eq!(waiting.pending.unwrap().code, first.code.unwrap());

    let approved = rig
        .admin()
        .approve("default", "doors", "door-1", &DeviceAction::default())
        .unwrap();
    assert_eq!(approved.state, DeviceState::Active);
    let EnrollReply::Enrolled(enrolled) = ask() else {
        panic!("it was let in");
    };
    assert_eq!(enrolled.device_id, first.device_id);
}

#[test]
fn a_rejected_or_forgotten_application_is_gone_and_stays_on_record() {
    let rig = Rig::new();
    let secret = rig.group("doors", Enrollment::Approve);
    let apply = |name: &str| {
        let device = rig.device("doors", name, &secret);
        let reply = rig.stranger().enroll(&device.request()).unwrap();
        assert!(matches!(reply, EnrollReply::Pending(_)));
    };
    apply("rejected");
    apply("forgotten");
    rig.admin()
        .reject("default", "doors", "rejected", &DeviceAction::default())
        .unwrap();
    rig.clock.advance(8 * DAY);
    let lapsed = rig.block_on(rig.ops.lapse_applications()).unwrap();
    assert_eq!(lapsed, 1);
    for name in ["rejected", "forgotten"] {
        let gone = rig.admin().device("default", "doors", name);
        assert_eq!(refusal(gone), "device-not-found");
    }
    let events = rig.admin().events("default", &Default::default()).unwrap();
    let rejected = events
        .items
        .iter()
        .filter(|event| event.kind == "device-rejected");
    assert_eq!(rejected.count(), 2);
}

#[test]
fn however_many_applications_timed_out_one_run_turns_them_all_away() {
    let rig = Rig::new();
    let secret = rig.group("doors", Enrollment::Approve);
    let client = rig.stranger();
    for number in 0..501 {
        let device = rig.device("doors", &format!("door-{number}"), &secret);
        client.enroll(&device.request()).unwrap();
    }
    rig.clock.advance(8 * DAY);
    rig.block_on(rig.ops.lapse_applications()).unwrap();
    let left = rig.block_on(rig.ops.lapse_applications()).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_hundred_at_once_with_one_name_leave_one_device() {
    let rig = Arc::new(Rig::new());
    let secret = rig.group("pumps", Enrollment::Open);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| rig.device("pumps", "pump-1", &secret).enroll(&rig)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1);
    for lost in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(refusal(lost), "device-already-enrolled");
    }
}

#[test]
fn one_request_sent_sixteen_times_at_once_gets_one_answer() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.device("pumps", "pump-1", &secret);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| device.clone().enroll(&rig).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let certificates = rig
        .admin()
        .certificates("default", &Default::default())
        .unwrap();
    assert_eq!(
        certificates.items.len(),
        1,
        "no certificate off record, none twice"
    );
}

#[test]
fn every_kind_of_key_that_we_take_enrolls() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    for (name, kind) in [
        ("p256", KeyKind::P256),
        ("p384", KeyKind::P384),
        ("ed25519", KeyKind::Ed25519),
        ("rsa", KeyKind::Rsa(2048)),
    ] {
        let mut device = rig.device("pumps", name, &secret);
        device.key = Arc::new(FileKey::generate(kind).unwrap());
        device.enroll(&rig).unwrap();
        device.renew(&rig).unwrap();
    }
}

#[test]
fn a_lifetime_over_the_groups_limit_is_refused() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut request = rig.device("pumps", "pump-1", &secret).request();
    request.certificate_ttl_h = Some(100_000);
    assert_eq!(
        refusal(rig.stranger().enroll(&request)),
        "lifetime-not-allowed"
    );
    request.certificate_ttl_h = Some(24);
    let EnrollReply::Enrolled(enrolled) = rig.stranger().enroll(&request).unwrap() else {
        panic!("it had to be let in");
    };
    let lifetime = enrolled.not_after.as_secs() - enrolled.not_before.as_secs();
    assert_eq!(lifetime, 24 * 3600 + 300);
}

#[test]
fn an_open_group_takes_no_named_device_for_another_with_the_same_hardware() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut first = rig.device("pumps", "first", &secret);
    first.hardware = Some(serial("SN-7"));
    first.enroll(&rig).unwrap();
    rig.admin()
        .deprovision("default", "pumps", "first", &DeviceAction::default())
        .unwrap();
    let mut second = rig.device("pumps", "second", &secret);
    second.hardware = Some(serial("SN-7"));
    assert_eq!(second.enroll(&rig).unwrap().name, "second");
}
