//! What devices say of themselves, and what is written down of it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use enlist_keys::FileKey;
use enlist_pki::KeyKind;
use enlist_signed::Order;
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{
    CertificateStatus, ConfigurationNumbers, ConfigurationRefusal, ConfigurationReport, Device,
    DevicePolicy, Enrollment, Hardware, HardwareKind, KeyRotation, NewGroup, NewOrder,
    OnHardwareChange, PollRequest, Time,
};

fn pump(rig: &Rig) -> FakeDevice {
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret)
}

fn seen(rig: &Rig) -> Device {
    rig.admin().device("default", "pumps", "pump-1").unwrap()
}

fn kinds(rig: &Rig) -> Vec<String> {
    let events = rig.admin().events("default", &Default::default()).unwrap();
    events.items.into_iter().map(|one| one.kind).collect()
}

#[test]
fn a_device_is_seen_with_what_it_says_of_itself() {
    let rig = Rig::new();
    let device = pump(&rig);
    assert_eq!(seen(&rig).reported, None);
    let numbers = ConfigurationNumbers {
        schema: 1,
        group: 1,
        device: 0,
    };
    let mut said = PollRequest {
        agent: Some("enlist-agent/0.2".to_owned()),
        roots: vec!["ab".repeat(32)],
        configuration: Some(ConfigurationReport {
            in_force: numbers,
            schema_version: 1,
            digest: "00".repeat(32),
            since: Time::from_secs(1_800_000_000),
            because: "applied".to_owned(),
            refused: None,
        }),
        last_command: 3,
        ..PollRequest::default()
    };
    device.poll(&rig, &said).unwrap();
    let reported = seen(&rig).reported.unwrap();
    assert_eq!(reported.agent, said.agent);
    assert_eq!(reported.roots, said.roots);
    assert_eq!(reported.configuration, said.configuration);
    assert_eq!(reported.last_command, 3);
    let refused = ConfigurationRefusal {
        numbers: ConfigurationNumbers {
            group: 2,
            ..numbers
        },
        reason: "hook-failed".to_owned(),
        detail: "exit status 1".to_owned(),
        at: Time::from_secs(1_800_000_100),
    };
    said.configuration.as_mut().unwrap().refused = Some(refused);
    for _ in 0..3 {
        device.poll(&rig, &said).unwrap();
    }
    let kinds = kinds(&rig);
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    assert_eq!(count("configuration-in-force"), 1);
    assert_eq!(count("configuration-refused"), 1);
    said.roots = vec!["nonsense".to_owned()];
    assert_eq!(refusal(device.poll(&rig, &said)), "invalid-request");
}

#[test]
fn a_device_with_nothing_new_is_written_down_now_and_then() {
    let rig = Rig::new();
    let device = pump(&rig);
    let said = PollRequest::default();
    device.poll(&rig, &said).unwrap();
    let first = seen(&rig).reported.unwrap().seen_at;
    rig.clock.advance(Duration::from_secs(599));
    device.poll(&rig, &said).unwrap();
    assert_eq!(seen(&rig).reported.unwrap().seen_at, first);
    rig.clock.advance(Duration::from_secs(1));
    device.poll(&rig, &said).unwrap();
    assert!(seen(&rig).reported.unwrap().seen_at > first);
}

#[test]
fn a_poll_is_the_first_use_of_a_new_certificate() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    let before = device.clone();
    device.renew(&rig).unwrap();
    before.poll(&rig, &PollRequest::default()).unwrap();
    device.poll(&rig, &PollRequest::default()).unwrap();
    assert_eq!(
        refusal(before.poll(&rig, &PollRequest::default())),
        "certificate-superseded"
    );
    let status = seen(&rig).certificate.unwrap().status;
    assert_eq!(status, CertificateStatus::Current);
}

#[test]
fn a_stranger_and_a_device_that_is_gone_are_told_apart() {
    let rig = Rig::new();
    let device = pump(&rig);
    let said = PollRequest::default();
    assert_eq!(refusal(rig.stranger().poll(&said)), "no-evidence");
    let other = Rig::new();
    let foreign = pump(&other);
    let shown = rig.client_with_identity(foreign.identity());
    assert_eq!(refusal(shown.poll(&said)), "foreign-certificate");
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &Default::default())
        .unwrap();
    assert_eq!(refusal(device.poll(&rig, &said)), "certificate-revoked");
    assert_eq!(seen(&rig).reported, None, "of a life that is over");
}

#[test]
fn a_group_that_rotates_keys_takes_no_key_twice() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    let same = device.renewal(&rig, &device.key);
    let refused = device.client(&rig).renew(&same);
    assert_eq!(refusal(refused), "key-not-new");
    device.renew(&rig).unwrap();
    let before = device.previous_key.clone().unwrap();
    let back = device.renewal(&rig, &before);
    assert_eq!(refusal(device.client(&rig).renew(&back)), "key-not-new");
}

#[test]
fn a_group_may_let_its_devices_keep_their_keys() {
    let rig = Rig::new();
    let policy = DevicePolicy {
        key_rotation: KeyRotation::Keep,
        on_hardware_change: OnHardwareChange::Refuse,
    };
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        policy,
        ..NewGroup::named("pumps")
    });
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    assert_eq!(device.enrolled.as_ref().unwrap().policy, policy);
    for _ in 0..3 {
        let request = device.renewal(&rig, &device.key);
        let renewed = device.client(&rig).renew(&request).unwrap();
        assert_eq!(renewed, device.client(&rig).renew(&request).unwrap());
        device.enrolled = Some(renewed);
        device.counter += 1;
        let reply = device.poll(&rig, &PollRequest::default()).unwrap();
        assert_eq!(reply.policy, policy);
    }
    let ahead = rig
        .admin()
        .pre_enroll("default", "pumps", "pump-2", &Default::default())
        .unwrap();
    let loaded = FakeDevice::pre_enrolled(&rig, "pump-2", &ahead);
    let kept = loaded.renewal(&rig, &loaded.key);
    let refused = loaded.client(&rig).renew(&kept);
    assert_eq!(refusal(refused), "key-not-new", "the server has made it");
    let own = FileKey::generate(KeyKind::P256).unwrap();
    let request = loaded.renewal(&rig, &own);
    loaded.client(&rig).renew(&request).unwrap();
}

fn moved() -> PollRequest {
    PollRequest {
        changed_hardware: Some(Hardware {
            kind: HardwareKind::Serial,
            value: "OTHER-7".to_owned(),
        }),
        ..PollRequest::default()
    }
}

#[test]
fn a_device_on_other_hardware_is_heard_after_its_certificate_until_it_could_recover_no_more() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let rig = Rig::new();
    let mut device = pump(&rig);
    rig.clock.advance(10 * DAY);
    let usual = PollRequest::default();
    assert_eq!(
        refusal(device.poll(&rig, &usual)),
        "certificate-expired",
        "with hardware of its own it renews first"
    );
    assert!(device.poll(&rig, &moved()).unwrap().commands.is_empty());
    let accept = NewOrder {
        order: enlist_wire::Order::AcceptHardware,
        envelope: None,
    };
    rig.admin()
        .order("default", "pumps", "pump-1", &accept)
        .unwrap();
    let reply = device.poll(&rig, &moved()).unwrap();
    assert_eq!(device.commands(&reply)[0].order, Order::AcceptHardware);
    device.renew_by_token(&rig).unwrap();
    device.acknowledge(&rig, 1, true).unwrap();
    let hardware = seen(&rig).hardware.unwrap();
    assert_eq!(hardware.value, "OTHER-7");

    rig.clock.advance(38 * DAY);
    assert_eq!(
        refusal(device.poll(&rig, &moved())),
        "certificate-expired",
        "past the recovery window"
    );
}

#[test]
fn where_the_group_refuses_other_hardware_an_expired_certificate_is_refused_too() {
    let rig = Rig::new();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        policy: DevicePolicy {
            on_hardware_change: OnHardwareChange::Refuse,
            ..DevicePolicy::default()
        },
        ..NewGroup::named("pumps")
    });
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.clock.advance(Duration::from_secs(10 * 24 * 3600));
    assert_eq!(refusal(device.poll(&rig, &moved())), "certificate-expired");
}
